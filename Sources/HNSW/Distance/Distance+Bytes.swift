import CKernels

/// Vectors as signed bytes, a quarter of the memory: for what a few thousandths of a cosine do not matter to.
extension Distance {
    /// Bytes of a vector of so many components: whole blocks of the kernels.
    package static func byteCount(dimension: Int) -> Int { (dimension + 31) / 32 * 32 }

    /// A vector with its components rounded to 255 steps. The error of a cosine of two such is some 0.003.
    ///
    /// - Returns: `byteCount(dimension:)` bytes, zeros behind the components, and what one step is worth.
    package static func bytes(of vector: [Float]) -> (bytes: [Int8], step: Float) {
        let count = byteCount(dimension: vector.count)
        let padded = vector + [Float](repeating: 0, count: count - vector.count)
        var bytes = [Int8](repeating: 0, count: count)
        var sum: Int32 = 0
        // Safe because both have `count` elements, a multiple of 32.
        let step = unsafe kernels_quantize_s8(padded, count, &bytes, &sum)
        return (bytes, step)
    }

    /// Inner products of `query` with rows of as many bytes that lie one after the other.
    ///
    /// - Complexity: O(rows × bytes), some 0.06 ns for each byte.
    package static func dots(
        _ query: borrowing Span<Int8>, rows: borrowing Span<Int8>, into products: inout [Int32]
    ) {
        let stride = query.count
        precondition(stride > 0 && stride <= 65_536 && rows.count.isMultiple(of: stride))
        let count = rows.count / stride
        products = [Int32](repeating: 0, count: count)
        // Safe because `count` rows of `stride` bytes are there, and there is room for as many products.
        unsafe query.withUnsafeBufferPointer { query in
            unsafe rows.withUnsafeBufferPointer { rows in
                unsafe kernels_dots_s8(
                    query.baseAddress, rows.baseAddress, stride, count, stride, &products)
            }
        }
    }
}
