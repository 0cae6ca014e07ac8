import COpenBLAS

/// The peer of exact search: OpenBLAS's product of a matrix and a vector, on one thread.
enum BLASProduct {
    /// Inner products of `query` with every row of `rows`.
    ///
    /// - Precondition: `rows` has `products.count` rows of the length of `query`.
    static func dots(query: [Float], rows: [Float], into products: inout [Float]) {
        precondition(rows.count == products.count * query.count)
        openblas_set_num_threads(1)
        let count = blasint(products.count)
        let dimension = blasint(query.count)
        // Safe because the sizes were just compared, and BLAS keeps no pointer.
        unsafe cblas_sgemv(
            CblasRowMajor, CblasNoTrans, count, dimension, 1, rows, dimension, query, 1, 0, &products, 1)
    }
}
