import CKernels

/// Inner products by the C kernels: of two vectors, and of one query with many rows.
///
/// Rows are bytes at any alignment, as they lie in the file. On one machine a row has the same inner
/// product, to the last bit, whichever of these functions computes it.
extension Distance {
    /// Inner product of two vectors of 32-bit floats, at any alignment.
    ///
    /// - Complexity: O(dimension); 7 ns for 384 and 16 ns for 1,024 components (Zen 5, in cache).
    package static func dot(_ a: borrowing RawSpan, _ b: borrowing RawSpan) -> Float {
        precondition(a.byteCount == b.byteCount, "vectors of \(a.byteCount) and \(b.byteCount) bytes")
        precondition(a.byteCount.isMultiple(of: 4), "vectors of \(a.byteCount) bytes")
        // Safe because the kernel reads `byteCount` bytes from each pointer, and keeps neither.
        return unsafe a.withUnsafeBytes { a in
            unsafe b.withUnsafeBytes { b in
                unsafe kernels_dot_f32(floats(a), floats(b), a.count / 4)
            }
        }
    }

    /// Inner product of a query and one row, whose bytes may lie at any alignment.
    ///
    /// - Complexity: as the form over two rows.
    package static func dot(_ query: borrowing Span<Float>, _ row: borrowing RawSpan) -> Float {
        precondition(
            row.byteCount == query.count * 4, "a row of \(row.byteCount) bytes for \(query.count) floats")
        // Safe because the kernel reads `byteCount` bytes from each pointer, and keeps neither.
        return unsafe query.withUnsafeBufferPointer { query in
            unsafe row.withUnsafeBytes { row in
                unsafe kernels_dot_f32(query.baseAddress, floats(row), query.count)
            }
        }
    }

    /// Inner products of `query` with `count` rows, each of which begins `strideBytes` after the one
    /// before. The product with row i goes to `products[i]`; what is behind the last one is left alone.
    ///
    /// - Complexity: O(`count` × dimension), at the speed of memory.
    package static func dots(
        query: borrowing Span<Float>, rows: borrowing RawSpan, strideBytes: Int, count: Int,
        into products: inout MutableSpan<Float>
    ) {
        checkRows(rows.byteCount, strideBytes: strideBytes, count: count, dimension: query.count)
        precondition(products.count >= count, "room for \(products.count) products of \(count)")
        // Safe because `count` rows lie inside `rows` and `count` floats inside `products`, as was just
        // checked; the kernel keeps no pointer.
        unsafe query.withUnsafeBufferPointer { query in
            unsafe rows.withUnsafeBytes { rows in
                unsafe products.withUnsafeMutableBufferPointer { products in
                    unsafe kernels_dots_f32(
                        query.baseAddress, rows.baseAddress, strideBytes, count, query.count,
                        products.baseAddress)
                }
            }
        }
    }

    /// Inner products of `query` with chosen rows: `products[i]` is that with row `indices[i]`, which
    /// begins `indices[i]` × `strideBytes` into `rows`.
    ///
    /// - Precondition: each index is a row that lies inside `rows`.
    /// - Complexity: O(`indices.count` × dimension).
    package static func dots(
        query: borrowing Span<Float>, rows: borrowing RawSpan, strideBytes: Int,
        indices: borrowing Span<UInt32>, into products: inout MutableSpan<Float>
    ) {
        var count = 0
        for i in indices.indices { count = max(count, Int(indices[i]) + 1) }
        checkRows(rows.byteCount, strideBytes: strideBytes, count: count, dimension: query.count)
        precondition(
            products.count >= indices.count, "room for \(products.count) products of \(indices.count)")
        // Safe because the row of every index lies inside `rows` and as many floats as there are
        // indices inside `products`, as was just checked; the kernel keeps no pointer.
        unsafe query.withUnsafeBufferPointer { query in
            unsafe rows.withUnsafeBytes { rows in
                unsafe indices.withUnsafeBufferPointer { indices in
                    unsafe products.withUnsafeMutableBufferPointer { products in
                        unsafe kernels_dots_f32_gather(
                            query.baseAddress, rows.baseAddress, strideBytes, indices.baseAddress,
                            indices.count, query.count, products.baseAddress)
                    }
                }
            }
        }
    }

    /// The kernels in use: "AVX-512", "AVX2", "NEON" or "plain C". For `stats` and benchmarks.
    package static var kernelName: String {
        // Safe because the name is a constant of the C target, ended by a zero byte.
        unsafe String(cString: kernels_variant_name(kernels_variant_active()))
    }

    /// Stops unless `count` rows of `dimension` floats, `strideBytes` apart, lie inside `byteCount` bytes.
    static func checkRows(_ byteCount: Int, strideBytes: Int, count: Int, dimension: Int) {
        precondition(count >= 0, "\(count) rows")
        precondition(strideBytes >= dimension * 4, "rows of \(dimension) floats, \(strideBytes) bytes apart")
        guard count > 0 else { return }
        let (start, overflow) = (count - 1).multipliedReportingOverflow(by: strideBytes)
        precondition(
            !overflow && dimension * 4 <= byteCount && start <= byteCount - dimension * 4,
            "\(count) rows, \(strideBytes) bytes apart, in \(byteCount) bytes")
    }
}
