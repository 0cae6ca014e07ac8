import CKernels
import HNSW
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A kind of machine code for the kernels, as the C target numbers them.
private struct Variant: CustomTestStringConvertible {
    let index: Int32
    var testDescription: String { String(cString: kernels_variant_name(index)) }

    static var supported: [Variant] {
        (0..<kernels_variant_count()).filter { kernels_variant_supported($0) != 0 }.map(Variant.init)
    }
}

/// SplitMix64, so that a failure repeats.
private struct Noise: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func vector(_ count: Int, scale: Float = 1) -> [Float] {
        (0..<count).map { _ in Float.random(in: -scale...scale, using: &self) }
    }

    /// Components that make sums go wrong: zeros of both signs, denormals, and numbers of very
    /// different size whose products fit a 32-bit float.
    mutating func adversarialVector(_ count: Int) -> [Float] {
        let choices: [Float] = [
            0, -0.0, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .leastNormalMagnitude, 1e-20, -1e-20,
            1, -1, 1.000_000_1, 16_777_215, -3e9, 1e15, -1e15, 1e17, -1e17,
        ]
        return (0..<count).map { _ in choices[Int.random(in: choices.indices, using: &self)] }
    }
}

/// The inner product in 64-bit floats, and how far a sum of `a.count` products in 32-bit floats, in
/// any order, may lie from it: half a unit in the last place of the sum of magnitudes for each addition.
private func exactDot(_ a: [Float], _ b: [Float]) -> (value: Double, tolerance: Double) {
    var value = 0.0
    var magnitude = 0.0
    for (x, y) in zip(a, b) {
        value += Double(x) * Double(y)
        magnitude += (Double(x) * Double(y)).magnitude
    }
    let steps = Double(a.count + 2)
    return (value, steps * (magnitude * 0x1p-24 + Double(Float.leastNonzeroMagnitude)))
}

/// Rows laid out as in a file: `stride` bytes apart, from a byte offset, with 0xFF (not a number) between.
private struct Rows: ~Copyable {
    let start: UnsafeRawPointer
    let byteCount: Int
    let offset: Int
    let stride: Int

    init(_ rows: [[Float]], stride: Int, offset: Int) {
        byteCount = offset + stride * rows.count
        let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0xFF, count: byteCount)
        for (i, row) in rows.enumerated() {
            for (j, component) in row.enumerated() {
                memory.storeBytes(of: component, toByteOffset: offset + i * stride + j * 4, as: Float.self)
            }
        }
        start = UnsafeRawPointer(memory)
        self.offset = offset
        self.stride = stride
    }

    deinit { start.deallocate() }

    var base: UnsafeRawPointer { start + offset }
    func row(_ i: Int) -> UnsafePointer<Float> {
        (base + i * stride).assumingMemoryBound(to: Float.self)
    }
    func withSpan<R>(_ body: (borrowing RawSpan) -> R) -> R {
        body(RawSpan(_unsafeStart: base, byteCount: byteCount - offset))
    }
}

@Suite struct `A distance kernel` {
    @Test(arguments: Variant.supported, [1, 2] as [UInt64])
    private func `agrees with double precision at every length and alignment`(variant: Variant, seed: UInt64)
    {
        var noise = Noise(state: seed)
        var wrong: [String] = []
        for n in 0...130 {
            for isAdversarial in [false, true] {
                let a = isAdversarial ? noise.adversarialVector(n) : noise.vector(n)
                let b = isAdversarial ? noise.adversarialVector(n) : noise.vector(n)
                let offset = n % 7
                let rows = Rows([a, b], stride: n * 4 + 4, offset: offset)
                let dot = kernels_dot_f32_variant(variant.index, rows.row(0), rows.row(1), n)
                let exact = exactDot(a, b)
                if !((Double(dot) - exact.value).magnitude <= exact.tolerance) {
                    wrong.append("\(n) at \(offset): \(dot) for \(exact.value)")
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test(arguments: Variant.supported, [1, 15, 31, 64, 100, 384, 1_024, 1_027])
    private func `gives a row the same bits alone, in a scan and in a gather`(variant: Variant, n: Int) {
        var noise = Noise(state: UInt64(n))
        let query = noise.vector(n)
        let vectors = (0..<11).map { _ in noise.vector(n) }
        let rows = Rows(vectors, stride: n * 4 + 12, offset: 3)
        let chosen: [UInt32] = [10, 0, 3, 3, 7, 1, 10, 9, 2]
        for count in 0...11 {
            var products = [Float](repeating: 77, count: count + 1)
            kernels_dots_f32_variant(variant.index, query, rows.base, rows.stride, count, n, &products)
            let alone = (0..<count).map { kernels_dot_f32_variant(variant.index, query, rows.row($0), n) }
            #expect(products == alone + [77])
        }
        for count in 0...chosen.count {
            var products = [Float](repeating: 77, count: count + 1)
            kernels_dots_f32_gather_variant(
                variant.index, query, rows.base, rows.stride, chosen, count, n, &products)
            let alone = chosen[..<count].map {
                kernels_dot_f32_variant(variant.index, query, rows.row(Int($0)), n)
            }
            #expect(products == alone + [77])
        }
    }

    @Test(arguments: Variant.supported)
    private func `multiplies bytes exactly, at every length and alignment`(variant: Variant) {
        var noise = Noise(state: 3)
        var wrong: [Int] = []
        for n in Array(0...200) + [384, 1_024, 4_096, 65_536] {
            let random = (0..<2).map { _ in (0..<n).map { _ in Int8.random(in: -128...127, using: &noise) } }
            let least = [Int8](repeating: -128, count: n)
            let most = [Int8](repeating: 127, count: n)
            for (a, b) in [
                (random[0], random[1]), (least, least), (least, most), (most, least), (most, most),
            ] {
                let offset = n % 7
                let stride = n + 5
                var bytes = [UInt8](repeating: 0xff, count: offset + 3 * stride)
                for row in 0..<3 {
                    for place in 0..<n {
                        bytes[offset + row * stride + place] = UInt8(
                            bitPattern: row == 1 ? a[place] : b[place])
                    }
                }
                var products = [Int32](repeating: 77, count: 4)
                bytes.withUnsafeBytes {
                    kernels_dots_s8_variant(
                        variant.index, a, $0.baseAddress! + offset, stride, 3, n, &products)
                }
                func dot(_ x: [Int8], _ y: [Int8]) -> Int32 {
                    zip(x, y).reduce(0) { $0 &+ Int32($1.0) * Int32($1.1) }
                }
                if products != [dot(a, b), dot(a, a), dot(a, b), 77] { wrong.append(n) }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test(arguments: Variant.supported)
    private func `multiplies halves of floats as double precision does`(variant: Variant) {
        var noise = Noise(state: 4)
        var wrong: [String] = []
        for n in Array(0...130) + [384, 1_024] {
            for isAdversarial in [false, true] {
                let query = isAdversarial ? noise.adversarialVector(n) : noise.vector(n)
                let row = isAdversarial ? noise.adversarialVector(n) : noise.vector(n)
                var halves = [UInt16](repeating: 0, count: n)
                kernels_bf16_of_f32(row, n, &halves)
                let rounded = halves.map { Float(bitPattern: UInt32($0) << 16) }
                let offset = n % 5
                var bytes = [UInt8](repeating: 0xff, count: offset + 2 * n)
                for (place, half) in halves.enumerated() {
                    bytes[offset + 2 * place] = UInt8(half & 0xff)
                    bytes[offset + 2 * place + 1] = UInt8(half >> 8)
                }
                var product: [Float] = [77, 77]
                bytes.withUnsafeBytes {
                    kernels_dots_bf16_variant(
                        variant.index, query, $0.baseAddress! + offset, 2 * n, 1, n, &product)
                }
                let exact = exactDot(query, rounded)
                if !((Double(product[0]) - exact.value).magnitude <= exact.tolerance) || product[1] != 77 {
                    wrong.append("\(n): \(product[0]) for \(exact.value)")
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test func `rounds to the nearest half, the even one of two`() {
        let samples: [(Float, UInt32)] = [
            (1, 0x3f80), (-0.0, 0x8000), (.infinity, 0x7f80), (.greatestFiniteMagnitude, 0x7f80),
            (.leastNonzeroMagnitude, 0), (Float(bitPattern: 0x3f80_8000), 0x3f80),
            (Float(bitPattern: 0x3f81_8000), 0x3f82), (Float(bitPattern: 0x3f80_8001), 0x3f81),
        ]
        for (value, bits) in samples {
            var half: UInt16 = 1
            kernels_bf16_of_f32([value], 1, &half)
            #expect(UInt32(half) == bits, "\(value)")
        }
        var half: UInt16 = 0
        kernels_bf16_of_f32([Float(bitPattern: 0x7f80_0001)], 1, &half)
        #expect(Float(bitPattern: UInt32(half) << 16).isNaN)
    }

    @Test(arguments: Variant.supported)
    private func `reads nothing behind the last row`(variant: Variant) throws {
        // A page that may not be read follows the page at whose end the rows lie.
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let mapped = mmap(nil, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        let memory = try #require(mapped != MAP_FAILED ? mapped : nil)
        defer { munmap(memory, 2 * page) }
        try #require(mprotect(memory + page, page, PROT_NONE) == 0)
        for n in 1...130 {
            let rows = UnsafeRawPointer(memory + page - 5 * n * 4)
            let query = [Float](repeating: 1, count: n)
            let indices: [UInt32] = [4, 3, 2, 1, 0, 4]
            var products = [Float](repeating: 1, count: 6)
            kernels_dots_f32_variant(variant.index, query, rows, n * 4, 5, n, &products)
            kernels_dots_f32_gather_variant(variant.index, query, rows, n * 4, indices, 6, n, &products)
            let last = (rows + 4 * n * 4).assumingMemoryBound(to: Float.self)
            let bytes = UnsafeRawPointer(memory + page - 3 * n)
            let signed = [Int8](repeating: 1, count: n)
            var sums = [Int32](repeating: 1, count: 3)
            kernels_dots_s8_variant(variant.index, signed, bytes, n, 3, n, &sums)
            var halves: [Float] = [1]
            kernels_dots_bf16_variant(
                variant.index, query, UnsafeRawPointer(memory + page - 2 * n), 2 * n, 1, n, &halves)
            #expect(sums == [0, 0, 0] && halves == [0])
            let squaredNorm = kernels_squared_norm_f32_variant(variant.index, last, n)
            let isFinite = kernels_all_finite_f32_variant(variant.index, last, n)
            #expect(products.allSatisfy { $0 == 0 } && squaredNorm == 0 && isFinite == 1)
        }
    }

    @Test(arguments: Variant.supported)
    private func `overflows to infinity and carries what is not a number`(variant: Variant) {
        for n in [1, 8, 16, 17, 64, 129] {
            let huge = [Float](repeating: 3e38, count: n)
            var broken = [Float](repeating: 1, count: n)
            broken[n - 1] = .nan
            #expect(kernels_dot_f32_variant(variant.index, huge, huge, n) == .infinity)
            #expect(kernels_dot_f32_variant(variant.index, huge, huge.map { -$0 }, n) == -.infinity)
            #expect(kernels_dot_f32_variant(variant.index, broken, broken, n).isNaN)
        }
    }

    @Test(arguments: Variant.supported)
    private func `gives squared norms of the same bits as plain C`(variant: Variant) {
        var noise = Noise(state: 5)
        let plain = kernels_variant_count() - 1
        for n in Array(0...130) + [384, 1_024, 4_099] {
            for vector in [noise.vector(n), noise.adversarialVector(n), noise.vector(n, scale: 1e38)] {
                let norm = kernels_squared_norm_f32_variant(variant.index, vector, n)
                let exact = vector.reduce(0) { $0 + Double($1) * Double($1) }
                #expect(norm == kernels_squared_norm_f32_variant(plain, vector, n))
                #expect((norm - exact).magnitude <= 1e-12 * exact)
            }
        }
    }

    @Test(arguments: Variant.supported)
    private func `finds a component that is not finite wherever it stands`(variant: Variant) {
        let finite: [Float] = [
            .greatestFiniteMagnitude, -.greatestFiniteMagnitude, -0.0, .leastNonzeroMagnitude,
        ]
        let broken: [Float] = [.nan, -.nan, .signalingNaN, .infinity, -.infinity]
        var wrong: [String] = []
        for n in 0...130 {
            var vector = (0..<n).map { finite[$0 % 4] }
            if kernels_all_finite_f32_variant(variant.index, vector, n) != 1 { wrong.append("\(n)") }
            for i in 0..<n {
                let kept = vector[i]
                vector[i] = broken[(n + i) % 5]
                if kernels_all_finite_f32_variant(variant.index, vector, n) != 0 {
                    wrong.append("\(i) of \(n)")
                }
                vector[i] = kept
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test func `is the fastest that this processor has`() {
        #expect(kernels_variant_active() == Variant.supported.first?.index)
        #expect(Distance.kernelName == Variant.supported.first?.testDescription)
    }
}

@Suite struct `Inner products` {
    @Test(arguments: [1, 2, 3] as [UInt64])
    private func `of one query are those of plain arithmetic, scanned or chosen`(seed: UInt64) {
        var noise = Noise(state: seed)
        let n = Int.random(in: 1...300, using: &noise)
        let query = noise.vector(n)
        let vectors = (0..<23).map { _ in noise.vector(n) }
        let rows = Rows(vectors, stride: n * 4 + 8, offset: 2)
        var scanned = [Float](repeating: 0, count: 23)
        var chosen = [Float](repeating: 0, count: 3)
        rows.withSpan { span in
            var products = scanned.mutableSpan
            Distance.dots(query: query.span, rows: span, strideBytes: n * 4 + 8, count: 23, into: &products)
            var some = chosen.mutableSpan
            let indices: [UInt32] = [22, 0, 5]
            Distance.dots(
                query: query.span, rows: span, strideBytes: n * 4 + 8, indices: indices.span, into: &some)
            let first = span.extracting(0..<n * 4)
            #expect(Distance.dot(query.span, first) == scanned[0])
            #expect(Distance.dot(query.span.bytes, first) == scanned[0])
        }
        #expect(chosen == [scanned[22], scanned[0], scanned[5]])
        for (product, vector) in zip(scanned, vectors) {
            let exact = exactDot(query, vector)
            #expect((Double(product) - exact.value).magnitude <= exact.tolerance)
        }
    }

    @Test(arguments: [(1, 1, 1), (3, 17, 5), (16, 384, 100), (7, 33, 1)])
    private func `of several queries are those of each alone`(queryCount: Int, n: Int, count: Int) {
        var noise = Noise(state: 9)
        let queries = noise.vector(queryCount * n)
        let vectors = (0..<count).map { _ in noise.vector(n) }
        let rows = Rows(vectors, stride: n * 4 + 4, offset: 4)
        var products = [Float](repeating: .nan, count: queryCount * count)
        rows.withSpan { span in
            var all = products.mutableSpan
            Distance.dots(
                queries: queries.span, queryCount: queryCount, rows: span, strideBytes: n * 4 + 4,
                count: count, into: &all)
        }
        for q in 0..<queryCount {
            let query = Array(queries[q * n..<(q + 1) * n])
            for r in 0..<count {
                let exact = exactDot(query, vectors[r])
                #expect((Double(products[q * count + r]) - exact.value).magnitude <= exact.tolerance)
            }
        }
    }

    @Test func `of no rows are none`() {
        let query: [Float] = [1, 2, 3]
        var none: [Float] = []
        var products = none.mutableSpan
        let empty = RawSpan()
        Distance.dots(query: query.span, rows: empty, strideBytes: 12, count: 0, into: &products)
        Distance.dots(
            queries: query.span, queryCount: 1, rows: empty, strideBytes: 12, count: 0, into: &products)
        #expect(Distance.dot(empty, empty) == 0)
    }
}

@Suite struct `A score` {
    /// The score of two vectors by their metric, through the kernel.
    private func score(_ query: [Float], _ row: [Float], _ metric: Metric) -> Float {
        Distance.score(
            dot: Distance.dot(query.span.bytes, row.span.bytes),
            auxiliary: Distance.auxiliary(of: row, metric: metric),
            queryAuxiliary: Distance.auxiliary(of: query, metric: metric), metric: metric)
    }

    @Test(arguments: [1, 2, 3] as [UInt64], [1, 384, 1_024])
    private func `is what its metric says in double precision`(seed: UInt64, n: Int) {
        var noise = Noise(state: seed)
        let a = noise.vector(n, scale: 3)
        let b = noise.vector(n, scale: 0.2)
        let dot = exactDot(a, b).value
        let (aa, bb) = (exactDot(a, a).value, exactDot(b, b).value)
        #expect((Double(score(a, b, .cosine)) - dot / (aa * bb).squareRoot()).magnitude < 1e-5)
        #expect((Double(score(a, b, .innerProduct)) - dot).magnitude < 1e-5 * (aa * bb).squareRoot())
        #expect((Double(score(a, b, .l2)) + (aa + bb - 2 * dot)).magnitude < 1e-5 * (aa + bb))
    }

    @Test(arguments: [Float(1e-18), 1e-9, 1, 1e9, 1e17])
    private func `of a vector with itself is the best there is`(scale: Float) {
        var noise = Noise(state: 4)
        for n in [1, 3, 384, 1_000] {
            let vector = noise.vector(n, scale: scale)
            let squaredNorm = Float(exactDot(vector, vector).value)
            let cosine = score(vector, vector, .cosine)
            let opposite = score(vector, vector.map { -$0 }, .cosine)
            let distance = score(vector, vector, .l2)
            #expect(cosine <= 1 && cosine > 1 - 1e-5)
            #expect(opposite >= -1 && opposite < -1 + 1e-5)
            #expect(distance <= 0 && distance >= -1e-5 * squaredNorm)
        }
    }

    @Test(arguments: Metric.allCases)
    private func `is finite for the longest vectors that are let in`(metric: Metric) throws {
        let n = 64
        let component = Float((Distance.largestSquaredNorm / Double(n)).squareRoot())
        let longest = [Float](repeating: component, count: n)
        try Distance.check(longest, dimension: n, metric: metric)
        #expect(score(longest, longest, metric).isFinite)
        #expect(score(longest, longest.map { -$0 }, metric).isFinite)
    }

    @Test func `stays inside its bounds when an inner product is rounded up`() {
        let dot = Float(1).nextUp
        for metric in [Metric.cosine, .l2] {
            let score = Distance.score(dot: dot, auxiliary: 1, queryAuxiliary: 1, metric: metric)
            #expect(score == (metric == .cosine ? 1 : 0))
        }
        #expect(Distance.score(dot: -dot, auxiliary: 1, queryAuxiliary: 1, metric: .cosine) == -1)
    }

    @Test func `grows with likeness whatever the metric`() {
        let query: [Float] = [1, 0.2, 0]
        let near: [Float] = [0.9, 0.3, 0.1]
        let far: [Float] = [-0.2, 0.4, 0.8]
        for metric in Metric.allCases { #expect(score(query, near, metric) > score(query, far, metric)) }
    }
}

@Suite struct `A vector` {
    private func refusal(_ vector: [Float], dimension: Int, _ metric: Metric) -> VectorError? {
        do throws(VectorError) {
            try Distance.check(vector, dimension: dimension, metric: metric)
            return nil
        } catch { return error }
    }

    @Test(arguments: Metric.allCases)
    func `of ordinary numbers is let in`(metric: Metric) {
        #expect(refusal([1, -2, 0, .leastNonzeroMagnitude], dimension: 4, metric) == nil)
    }

    @Test(arguments: Metric.allCases)
    func `of the wrong dimension is refused with both dimensions`(metric: Metric) {
        let error = refusal([1, 2, 3], dimension: 4, metric)
        #expect(error?.code == .wrongDimension)
        #expect(error?.message == "The vector has 3 components; its space has 4.")
        #expect(refusal([], dimension: 4, metric)?.code == .wrongDimension)
    }

    @Test(arguments: Metric.allCases, 0..<40)
    func `with a component that is not finite is refused by its index`(metric: Metric, index: Int) {
        var vector = [Float](repeating: 1, count: 40)
        vector[index] = .nan
        #expect(refusal(vector, dimension: 40, metric)?.code == .notANumber)
        #expect(
            refusal(vector, dimension: 40, metric)?.message
                == "Component \(index) of the vector is not a number.")
        vector[index] = -.infinity
        #expect(refusal(vector, dimension: 40, metric)?.code == .infinite)
        #expect(
            refusal(vector, dimension: 40, metric)?.message == "Component \(index) of the vector is infinite."
        )
    }

    @Test func `without direction is refused for cosine only`() {
        for vector: [Float] in [[0, -0.0, 0], [.leastNonzeroMagnitude, 0, 0], [1e-20, -1e-20, 0]] {
            #expect(refusal(vector, dimension: 3, .cosine)?.code == .zeroNorm)
            #expect(refusal(vector, dimension: 3, .innerProduct) == nil)
            #expect(refusal(vector, dimension: 3, .l2) == nil)
        }
        #expect(
            refusal([0, 0], dimension: 2, .cosine)?.message
                == "The vector's norm is zero: it has no direction to compare by cosine.")
        #expect(refusal([1e-18, 0], dimension: 2, .cosine) == nil)
    }

    @Test(arguments: Metric.allCases)
    func `whose scores would overflow is refused`(metric: Metric) {
        #expect(refusal([2e19, 0], dimension: 2, metric)?.code == .normTooLarge)
        #expect(refusal([5e18, 5e18], dimension: 2, metric)?.code == .normTooLarge)
        #expect(refusal([.greatestFiniteMagnitude, 0], dimension: 2, metric)?.code == .normTooLarge)
        #expect(refusal([6e18, 0], dimension: 2, metric) == nil)
    }
}
