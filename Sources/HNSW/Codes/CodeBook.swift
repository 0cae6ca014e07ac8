import CKernels
import Store

/// How rows become short codes, and what they say of a query (after RaBitQ: Gao and Long, 2024, section 3, and Gao et
/// al., "Practical and asymptotically optimal quantization", 2025, for more bits than one).
///
/// Of a row x (of length 1 where the metric is cosine) the residual r = R(x - c) is coded, with R a rotation and c the
/// mean of rows: û, two bits a component. Of a query q, R(q - c) is rounded to 8 bits a component. As
///
///     <x, q> = <x - c, q - c> + <x, c> + <c, q> - |c|²,  and  <x - c, q - c> ≈ <û, R(q - c)> · |r|² / <û, r>
///
/// without bias, two numbers are kept beside the code: f = |r|² / <û, r> and g = <x, c>. What depends on the query alone
/// is left out: estimates order rows, and answers are scored exactly. For L2 both are doubled, and |x|² is taken off.
final class CodeBook: Sendable {
    let pages: CodePages
    private let metric: Metric
    private let rotation: Rotation
    let center: [Float]
    private let rotatedCenter: [Float]

    /// - Parameter center: the mean of rows, `pages.dimension` components.
    init(_ pages: CodePages, _ metric: Metric, center: [Float], seed: UInt64) {
        precondition(center.count == pages.dimension)
        self.pages = pages
        self.metric = metric
        self.center = center
        let rotation = Rotation(dimension: pages.codedDimension, seed: seed)
        self.rotation = rotation
        var rotated = center + [Float](repeating: 0, count: pages.codedDimension - center.count)
        // Safe because there are as many floats as are rotated.
        unsafe rotated.withUnsafeMutableBufferPointer { x in
            if let base = x.baseAddress { unsafe rotation.apply(base) }
        }
        rotatedCenter = rotated
    }

    /// `R(x - c)` for a vector and what it is multiplied by first, into `codedDimension` floats.
    ///
    /// Safe because the vector has `dimension` floats, and there is room.
    private func residual(
        _ vector: UnsafePointer<Float>, _ factor: Float, into x: UnsafeMutablePointer<Float>
    ) {
        for index in 0..<pages.dimension { unsafe x[index] = unsafe vector[index] * factor }
        for index in pages.dimension..<pages.codedDimension { unsafe x[index] = 0 }
        unsafe rotation.apply(x)
        unsafe rotatedCenter.withUnsafeBufferPointer { center in
            for index in 0..<pages.codedDimension { unsafe x[index] -= center[index] }
        }
    }

    /// What a row is multiplied by before it is coded.
    private func factor(auxiliary: Float) -> Float { metric == .cosine ? auxiliary : 1 }

    /// Codes a row into `pages.codeByteCount` bytes. The same bytes on every machine.
    ///
    /// - Parameter auxiliary: `Distance.auxiliary` of the row.
    func encode(
        _ row: UnsafePointer<Float>, auxiliary: Float, scratch: Scratch, into code: UnsafeMutableRawPointer
    ) {
        // Safe because the scratch has room for the floats of a query, and the caller has it for a code.
        let factor = factor(auxiliary: auxiliary)
        let x = unsafe scratch.floats(pages.codedDimension)
        unsafe residual(row, factor, into: x)
        var product: Float = 0
        unsafe kernels_encode(x, pages.blockCount, UInt32(CodePages.bits), code, &product)
        let squared = unsafe Float(kernels_squared_norm_f32(x, pages.codedDimension))
        var scale = product > 0 ? squared / product : 0
        var withCenter = 0.0
        for index in 0..<pages.dimension {
            unsafe withCenter += Double(row[index] * factor) * Double(center[index])
        }
        var offset = Float(withCenter)
        if metric == .l2 {
            scale *= 2
            offset = Float(2 * withCenter - Double(auxiliary))
        }
        unsafe code.storeBytes(of: scale, toByteOffset: pages.blockCount * 32, as: Float.self)
        unsafe code.storeBytes(of: offset, toByteOffset: pages.blockCount * 32 + 4, as: Float.self)
    }

    /// Makes a query ready to be compared with codes. What is returned points into the scratch.
    ///
    /// - Parameter auxiliary: `Distance.auxiliary` of the query.
    func target(_ query: UnsafePointer<Float>, auxiliary: Float, _ scratch: Scratch) -> CodeTarget {
        // Safe because the query has `dimension` floats, and the scratch gives room for as many as are asked.
        let x = unsafe scratch.floats(pages.codedDimension)
        unsafe residual(query, factor(auxiliary: auxiliary), into: x)
        let bytes = unsafe scratch.bytes(pages.codedDimension)
        var sum: Int32 = 0
        let scale = unsafe kernels_quantize_s8(x, pages.codedDimension, bytes, &sum)
        // Components stand for themselves and a half, less the middle.
        let middle = Float(1 << (CodePages.bits - 1)) - 0.5
        return unsafe CodeTarget(query: bytes, scale: scale, offset: scale * middle * Float(sum))
    }
}

/// A query as codes are compared with it.
///
/// Safe because whoever makes one keeps the scratch that it points into.
@safe struct CodeTarget {
    let query: UnsafePointer<Int8>
    let scale: Float
    let offset: Float
}

/// The mean of rows, of length 1 where the metric is cosine.
extension VectorSegments {
    /// Rows that the mean is of, at even distances.
    private static let centerSampleCount = 4_096

    /// - Precondition: there are rows in segments.
    func center(
        _ rows: SegmentAddresses, _ graph: Graph, _ count: Int
    ) -> [Float] {
        var sums = [Double](repeating: 0, count: dimension)
        var taken = 0.0
        for place in 0..<min(count, Self.centerSampleCount) {
            let slot = UInt32(place * count / min(count, Self.centerSampleCount))
            guard rows.passage(slot) != Self.noPassage else { continue }
            // Safe because slots below the count of those in segments have rows.
            let row = unsafe graph.row(slot)
            let factor = metric == .cosine ? graph.auxiliary(slot) : 1
            for index in 0..<dimension { unsafe sums[index] += Double(row[index] * factor) }
            taken += 1
        }
        return sums.map { Float($0 / max(1, taken)) }
    }
}
