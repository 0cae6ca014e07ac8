import COpenBLAS

/// The peer of exact search: OpenBLAS's product of a matrix and a vector, on one thread.
enum BLASProduct {
    /// Inner products of `query` with every row of `rows`.
    ///
    /// - Precondition: `rows` has `products.count` rows of floats of the length of `query`.
    static func dots(query: [Float], rows: RawSpan, into products: inout [Float]) {
        precondition(rows.byteCount == products.count * query.count * 4)
        openblas_set_num_threads(1)
        let count = blasint(products.count)
        let dimension = blasint(query.count)
        // Safe because the sizes were just compared, and BLAS keeps no pointer.
        unsafe rows.withUnsafeBytes { rows in
            unsafe cblas_sgemv(
                CblasRowMajor, CblasNoTrans, count, dimension, 1,
                rows.baseAddress?.assumingMemoryBound(to: Float.self), dimension, query, 1, 0, &products, 1)
        }
    }
}
