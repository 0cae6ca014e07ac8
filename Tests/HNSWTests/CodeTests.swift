import CKernels
import Store
import Testing

@testable import HNSW

@Suite struct `A short code` {
    private static let variants = (0..<kernels_variant_count()).filter { kernels_variant_supported($0) != 0 }

    private func floats(_ count: Int, _ random: inout SplitMix) -> [Float] {
        // About a normal distribution, as rotated rows are.
        (0..<count).map { _ in (0..<6).reduce(0) { sum, _ in sum + Float.random(in: -1...1, using: &random) }
        }
    }

    /// The component of a code, as the header of the kernels says where it is.
    private func component(_ code: [UInt8], _ index: Int, bits: Int) -> Int {
        let row = index / 32
        let (block, part) = row.quotientAndRemainder(dividingBy: 8 / bits)
        return Int(code[block * 32 + index % 32]) >> (part * bits) & (1 << bits - 1)
    }

    @Test(arguments: [1, 2, 4], [1, 2, 3, 4, 5, 8, 9, 17])
    func `gives the sum of products in every variant, whatever the bytes`(bits: Int, blocks: Int) throws {
        var random = SplitMix(seed: UInt64(bits * 100 + blocks))
        let n = blocks * 256 / bits
        let (perPage, pageCount, header, stride) = (3, 4, 44, blocks * 32 + 24)
        var pages = (0..<pageCount).map { _ in
            (0..<header + perPage * stride).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
        // The largest sums: all bits set, and queries of one sign.
        for byte in header..<header + blocks * 32 { pages[0][byte] = 255 }
        for (page, place, f, g) in [(0, 0, Float(1), Float(0)), (0, 1, 0.5, -2), (3, 2, -1e-3, 1e6)] {
            for (number, value) in [f, g].enumerated() {
                withUnsafeBytes(of: value) { bytes in
                    let start = header + place * stride + blocks * 32 + number * 4
                    for byte in 0..<4 { pages[page][start + byte] = bytes[byte] }
                }
            }
        }
        let chosen: [(slot: UInt32, page: Int, place: Int, f: Float, g: Float)] = [
            (0, 0, 0, 1, 0), (1, 0, 1, 0.5, -2), (11, 3, 2, -1e-3, 1e6),
        ]
        let slots = (0..<40).map { chosen[$0 % 3].slot }
        let memory = pages.map { page in
            let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: page.count)
            _ = buffer.initialize(from: page)
            return buffer
        }
        defer { for buffer in memory { buffer.deallocate() } }
        let addresses: [UnsafeRawPointer?] = memory.map { UnsafeRawPointer($0.baseAddress) }
        for query in [
            (0..<n).map { _ in Int8.random(in: -127...127, using: &random) },
            [Int8](repeating: 127, count: n), [Int8](repeating: -127, count: n),
            [Int8](repeating: 0, count: n),
        ] {
            for variant in Self.variants {
                var out = [Float](repeating: .nan, count: slots.count)
                addresses.withUnsafeBufferPointer { addresses in
                    var codes = kernels_codes(
                        pages: addresses.baseAddress, codes_per_page: UInt32(perPage),
                        reciprocal: Divider(by: perPage).reciprocal, first_code: header, stride: stride,
                        blocks: blocks, bits: UInt32(bits), is_one_page: 0)
                    kernels_estimates_variant(variant, &codes, query, 0.25, 3, slots, slots.count, &out)
                }
                for (index, estimate) in out.enumerated() {
                    let code = chosen[index % 3]
                    let start = header + code.place * stride
                    let bytes = Array(pages[code.page][start..<start + blocks * 32])
                    let sum = (0..<n).reduce(0) { $0 + component(bytes, $1, bits: bits) * Int(query[$1]) }
                    let expected = code.f * (0.25 * Float(sum) - 3) + code.g
                    #expect(abs(estimate - expected) <= abs(expected) * 1e-5 + 1e-3, "variant \(variant)")
                }
            }
        }
    }

    @Test(arguments: [64, 128, 192, 384, 512, 1_024, 1_152])
    func `is of a row that is turned, not stretched, with the same bits in every variant`(n: Int) {
        var random = SplitMix(seed: UInt64(n))
        let rounds = n.nonzeroBitCount == 1 ? 2 : 4
        let signs = (0..<n * rounds).map { _ in Bool.random(using: &random) ? Float(1) : -1 }
        let (a, b) = (floats(n, &random), floats(n, &random))
        func dot(_ a: [Float], _ b: [Float]) -> Double {
            zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        var turned: [[Float]] = []
        for variant in Self.variants {
            var (x, y) = (a, b)
            kernels_rotate_f32_variant(variant, &x, n, signs, rounds)
            kernels_rotate_f32_variant(variant, &y, n, signs, rounds)
            #expect(abs(dot(x, y) - dot(a, b)) < 1e-4 * (dot(a, a) * dot(b, b)).squareRoot())
            #expect(abs(dot(x, x) / dot(a, a) - 1) < 1e-5)
            turned.append(x)
        }
        for x in turned { #expect(x.map(\.bitPattern) == turned[0].map(\.bitPattern)) }
        // One component is spread over all.
        var unit = [Float](repeating: 0, count: n)
        unit[random.number(0..<n)] = 1
        kernels_rotate_f32(&unit, n, signs, rounds)
        #expect(unit.allSatisfy { abs($0) < 12 / Float(n).squareRoot() })
    }

    @Test(arguments: [1, 2, 4], [1, 3, 8])
    func `keeps the direction of a row as well as its bits allow`(bits: Int, blocks: Int) {
        var random = SplitMix(seed: UInt64(bits + blocks))
        let n = blocks * 256 / bits
        for _ in 0..<20 {
            let x = floats(n, &random)
            var code = [UInt8](repeating: 0xaa, count: blocks * 32)
            var product: Float = 0
            kernels_encode(x, blocks, UInt32(bits), &code, &product)
            let middle = Double(1 << (bits - 1)) - 0.5
            let components = (0..<n).map { Double(component(code, $0, bits: bits)) - middle }
            let dot = zip(components, x).reduce(0) { $0 + $1.0 * Double($1.1) }
            #expect(abs(dot - Double(product)) < 1e-4 * abs(dot))
            let lengths =
                components.reduce(0) { $0 + $1 * $1 } * x.reduce(0) { $0 + Double($1) * Double($1) }
            #expect(dot / lengths.squareRoot() > [1: 0.75, 2: 0.92, 4: 0.99][bits] ?? 1)
        }
        var code = [UInt8](repeating: 0xaa, count: blocks * 32)
        var product: Float = 1
        kernels_encode([Float](repeating: 0, count: n), blocks, UInt32(bits), &code, &product)
        #expect(product == 0 && code.allSatisfy { $0 == 0 })
    }

    @Test func `is asked with a query in eight bits`() {
        var random = SplitMix(seed: 3)
        for n in [32, 96, 384, 1_024] {
            let x = floats(n, &random)
            var out = [Int8](repeating: 0, count: n)
            var sum: Int32 = 0
            let unit = kernels_quantize_s8(x, n, &out, &sum)
            #expect(zip(x, out).allSatisfy { abs($0 - Float($1) * unit) <= unit * 0.5001 })
            #expect(out.contains(127) || out.contains(-127))
            #expect(Int(sum) == out.reduce(0) { $0 + Int($1) })
        }
        var (out, sum) = ([Int8](repeating: 1, count: 32), Int32(1))
        #expect(kernels_quantize_s8([Float](repeating: 0, count: 32), 32, &out, &sum) == 0)
        #expect(sum == 0 && out.allSatisfy { $0 == 0 })
    }

    @Test(arguments: Metric.allCases, [100, 384])
    func `estimates what the metric says`(metric: Metric, dimension: Int) throws {
        var random = SplitMix(seed: UInt64(dimension))
        let pages = CodePages(table: Table(name: "link", index: 0), space: 1, dimension: dimension)
        let center = floats(dimension, &random).map { $0 * 0.1 }
        let rows = (0..<200).map { _ in zip(floats(dimension, &random), center).map { $0 + $1 * 20 } }
        let scratch = Scratch()
        let mean = (0..<dimension).map { place in
            rows.reduce(0) { sum, row in
                sum + row[place] * (metric == .cosine ? Distance.auxiliary(of: row, metric: .cosine) : 1)
            } / 200
        }
        let book = CodeBook(pages, metric, center: mean, seed: 7)
        let query = zip(rows[3], floats(dimension, &random)).map { $0 + $1 * 0.5 }
        let queryAuxiliary = Distance.auxiliary(of: query, metric: metric)
        var page = [UInt8](repeating: 0, count: 200 * pages.strideBytes)
        for (place, row) in rows.enumerated() {
            page.withUnsafeMutableBytes { bytes in
                book.encode(
                    row, auxiliary: Distance.auxiliary(of: row, metric: metric), scratch: scratch,
                    into: bytes.baseAddress! + place * pages.strideBytes)
            }
        }
        let target = book.target(query, auxiliary: queryAuxiliary, scratch)
        var estimates = [Float](repeating: 0, count: 200)
        page.withUnsafeBytes { bytes in
            withUnsafePointer(to: bytes.baseAddress) { address in
                var codes = kernels_codes(
                    pages: address, codes_per_page: 200, reciprocal: Divider(by: 200).reciprocal,
                    first_code: 0, stride: pages.strideBytes, blocks: pages.blockCount, bits: 2,
                    is_one_page: 0)
                kernels_estimates(
                    &codes, target.query, target.scale, target.offset, (0..<200).map { UInt32($0) }, 200,
                    &estimates)
            }
        }
        let exact = rows.map { row in
            Double(
                Distance.score(
                    dot: zip(row, query).reduce(0) { $0 + $1.0 * $1.1 },
                    auxiliary: Distance.auxiliary(of: row, metric: metric), queryAuxiliary: queryAuxiliary,
                    metric: metric))
        }
        // They differ by a number that depends on the query alone, and else by a small part of how scores differ.
        let differences = zip(estimates, exact).map { Double($0) - $1 }
        let constant = differences.reduce(0, +) / 200
        let error = (differences.reduce(0) { $0 + ($1 - constant) * ($1 - constant) } / 200).squareRoot()
        let average = exact.reduce(0, +) / 200
        let spread = (exact.reduce(0) { $0 + ($1 - average) * ($1 - average) } / 200).squareRoot()
        #expect(error < 0.26 * spread, "\(error) of \(spread)")
        #expect(estimates.indices.max { estimates[$0] < estimates[$1] } == 3)
    }

    @Test func `tells little within a cluster, and more candidates find the rest by their rows`() throws {
        var parameters = HNSWParameters()
        parameters.thresholdByteCount = 1
        let rows = try IndexedRows(
            "clusters", dimension: 64, usedComponents: 64, seed: 21, parameters: parameters)
        func near(_ center: [Float]) -> [Float] {
            center.map { $0 + 0.05 * Float.random(in: -1...1, using: &rows.random) }
        }
        let centers = (0..<8).map { _ in rows.randomVector() }
        try rows.append((0..<3_072).map { near(centers[$0 % centers.count]) })
        try rows.fold()
        try rows.work()
        var found = 0
        for center in centers {
            let query = near(center)
            func nearest(isExact: Bool) throws -> Set<UInt32> {
                try rows.environment.read {
                    Set(
                        try rows.index.search(query, k: 10, ef: 512, isExact: isExact, rows.extent, in: $0)
                            .neighbors.map(\.passage))
                }
            }
            found += try nearest(isExact: false).intersection(nearest(isExact: true)).count
        }
        #expect(found >= 79, "\(found) of 80")
    }

    @Test func `of an erased row is zeros, whenever it was erased`() throws {
        let rows = try IndexedRows("codes", seed: 4)
        try rows.append(60)
        try rows.fold()
        try rows.work(atMost: 2)
        let linked = Int(try #require(try rows.state()).linkedSlots)
        #expect(linked > 4 && linked < 60)
        // One that is linked, and one that the step which is prepared codes.
        let batch = try #require(try rows.prepare())
        // The last one that is linked has its code in a page that the step writes again.
        let last = linked - 1
        #expect(last / rows.index.codePages.codesPerPage == linked / rows.index.codePages.codesPerPage)
        try rows.erase([2, last, linked + 1])
        #expect(try rows.commit(batch))
        #expect(try rows.validate(withCodes: true) == [])
        let codes = rows.index.codePages
        for slot in [2, UInt32(last), UInt32(linked + 1)] as [UInt32] {
            let page = try rows.environment.read { try codes.page(Int(slot) / codes.codesPerPage, in: $0) }
            let start = codes.offset(slot)
            #expect(page[start..<start + codes.strideBytes].allSatisfy { $0 == 0 })
        }
        try rows.work()
        #expect(try rows.validate(withCodes: true) == [])
    }

    @Test func `that is not its row's is reported`() throws {
        let rows = try IndexedRows("codes-damaged", seed: 5)
        try rows.append(40)
        try rows.fold()
        try rows.work()
        #expect(try rows.validate(withCodes: true) == [])
        let codes = rows.index.codePages
        try rows.environment.write { transaction in
            var page = try codes.page(1, in: transaction.snapshot)
            page[codes.offset(UInt32(codes.codesPerPage)) + 5] ^= 4
            try codes.table.put(codes.key(1), page, in: transaction)
        }
        #expect(
            try rows.validate(withCodes: true) == [
                "the code of slot \(codes.codesPerPage) is not that of its row"
            ])
    }

    @Test func `is left out where the parameters say so, and of older graphs`() throws {
        var parameters = IndexedRows.tiny
        parameters.hasCodes = false
        let rows = try IndexedRows("no-codes", seed: 6, parameters: parameters)
        try rows.append(60)
        try rows.fold()
        try rows.work()
        #expect(try rows.validate(withCodes: true) == [])
        let state = try #require(try rows.state())
        #expect(!state.hasCodes && state.nodeCount > 0)
        let query = rows.randomVector()
        #expect(try rows.search(query, ef: 100).neighbors.map(\.score) == rows.bestScores(query, k: 10))
        // The record as programs wrote it before rows of the tail had a generation, and before there were codes.
        var expected = state
        expected.tailGeneration = 0
        for (form, byteCount) in [(UInt8(2), 8), (1, 17)] {
            var older = Array(state.encode().dropLast(byteCount))
            older[0] = form
            #expect(try IndexState(decoding: older.span.bytes) == expected)
        }
    }

    @Test func `fits a page up to some thousand components`() {
        #expect(CodePages.canCode(dimension: 1) && CodePages.canCode(dimension: 4_096))
        #expect(!CodePages.canCode(dimension: 16_384))
    }
}
