import COpenBLAS

/// Inner products of several queries with one block of rows, by BLAS: each row is read from memory once
/// for all queries. For one query the kernels of `Distance+Scan` are faster.
///
/// BLAS adds up in an order of its own, so the last bits differ from those of the kernels.
extension Distance {
    /// Inner products of each query with each row: that of query q with row r goes to
    /// `products[q * count + r]`.
    ///
    /// - Parameter queries: the queries, one after the other.
    /// - Precondition: `rows` begins at a multiple of 4 bytes, and `strideBytes` is one.
    /// - Complexity: O(`queryCount` × `count` × dimension), on the calling thread alone.
    package static func dots(
        queries: borrowing Span<Float>, queryCount: Int, rows: borrowing RawSpan, strideBytes: Int,
        count: Int, into products: inout MutableSpan<Float>
    ) {
        precondition(
            queryCount > 0 && queries.count.isMultiple(of: queryCount),
            "\(queries.count) floats of \(queryCount) queries")
        let dimension = queries.count / queryCount
        checkRows(rows.byteCount, strideBytes: strideBytes, count: count, dimension: dimension)
        precondition(strideBytes.isMultiple(of: 4), "rows \(strideBytes) bytes apart")
        precondition(
            products.count / queryCount >= count,
            "room for \(products.count) products of \(queryCount) times \(count)")
        guard count > 0 && dimension > 0 else {
            for i in 0..<(queryCount * count) { products[i] = 0 }
            return
        }
        _ = blasIsSingleThreaded
        // Safe because `count` rows lie inside `rows` and the products inside `products`, as was just
        // checked, sizes that do not fit a C int stop here, and BLAS keeps no pointer.
        unsafe queries.withUnsafeBufferPointer { queries in
            unsafe rows.withUnsafeBytes { rows in
                unsafe products.withUnsafeMutableBufferPointer { products in
                    let first = unsafe floats(rows)
                    precondition(Int(bitPattern: first).isMultiple(of: 4), "rows at an odd address")
                    unsafe cblas_sgemm(
                        CblasRowMajor, CblasNoTrans, CblasTrans,
                        blasint(queryCount), blasint(count), blasint(dimension),
                        1, queries.baseAddress, blasint(dimension),
                        first, blasint(strideBytes / 4),
                        0, products.baseAddress, blasint(count))
                }
            }
        }
    }
}

/// Set once, before the first use: threads come from the engine, and OpenBLAS's own would only compete
/// with them (two of them make small products slower).
private let blasIsSingleThreaded: Void = openblas_set_num_threads(1)
