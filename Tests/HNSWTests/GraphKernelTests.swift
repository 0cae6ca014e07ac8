import CKernels
import HNSW
import Testing

@Suite struct `A kernel of the graph` {
    /// A list of `length` entries, those behind the `count` first empty, in one with marks.
    private func list(_ slots: [UInt32], length: Int, _ random: inout SplitMix) -> [UInt32] {
        slots.map { $0 | (Bool.random(using: &random) ? 0x8000_0000 : 0) }
            + [UInt32](repeating: .max, count: length - slots.count)
    }

    @Test(arguments: 1...30 as ClosedRange<UInt64>)
    func `marks the slots of a list as sets do`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let bound = random.number(1..<500)
        var visited = [UInt64](repeating: 0, count: 8)
        var matching = [UInt64](repeating: 0, count: 8)
        var model: Set<UInt32> = []
        var matches: Set<UInt32> = []
        for slot in 0..<UInt32(bound) where random.number(0..<3) == 0 {
            matching[Int(slot >> 6)] |= 1 << UInt64(slot & 63)
            matches.insert(slot)
        }
        for round in 0..<20 {
            let length = 40
            let slots = Array((0..<UInt32(bound)).shuffled(using: &random).prefix(random.number(0..<length)))
            let entries = list(slots, length: length, &random)
            var out = [UInt32](repeating: 0, count: length)
            var others = [UInt32](repeating: 0, count: length)
            var otherCount = 0
            let fresh = slots.filter { !model.contains($0) }
            switch round % 3 {
            case 0:
                let count = kernels_unvisited(entries, length, UInt32(bound), &visited, &out)
                #expect(Array(out.prefix(count)) == fresh)
                model.formUnion(slots)
            case 1:
                let count = kernels_unvisited_matching(
                    entries, length, UInt32(bound), &visited, matching, &out, &others, &otherCount)
                #expect(Array(out.prefix(count)) == fresh.filter(matches.contains))
                #expect(Array(others.prefix(otherCount)) == fresh.filter { !matches.contains($0) })
                model.formUnion(slots)
            default:
                let count = kernels_unvisited_only_matching(
                    entries, length, UInt32(bound), &visited, matching, &out)
                #expect(Array(out.prefix(count)) == fresh.filter(matches.contains))
                model.formUnion(slots.filter(matches.contains))
            }
            for slot in 0..<UInt32(bound) {
                #expect(visited[Int(slot >> 6)] >> UInt64(slot & 63) & 1 == (model.contains(slot) ? 1 : 0))
            }
        }
    }

    @Test func `ends a list at the first entry that is no slot`() {
        var visited = [UInt64](repeating: 0, count: 2)
        var out = [UInt32](repeating: 0, count: 4)
        #expect(kernels_unvisited([1, 100, 2, 3] as [UInt32], 4, 100, &visited, &out) == 1)
        #expect(visited == [2, 0])
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `finds the passages that a filter lets through`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let count = random.number(1..<200)
        var next = UInt32(random.number(0..<300))
        let passages = (0..<count).map { _ -> UInt32 in
            // Mostly one after the other, with gaps, none, and some that are far beyond the filter.
            switch random.number(0..<Int(seed) + 2) {
            case 0: return .max
            case 1: next += UInt32(random.number(0..<200))
            default: next += 1
            }
            return next
        }
        let words = (0..<random.number(1..<12)).map { _ in random.next() }
        let firstBit = 16 * random.number(0..<4)
        var out = [UInt64](repeating: 0, count: 6)
        let found = kernels_match(passages, count, words, words.count, &out, firstBit)
        let model = passages.map { $0 < words.count * 64 && words[Int($0 >> 6)] >> UInt64($0 & 63) & 1 == 1 }
        #expect(found == model.count { $0 })
        for bit in 0..<6 * 64 {
            let isSet = out[bit >> 6] >> UInt64(bit & 63) & 1 == 1
            let place = bit - firstBit
            #expect(isSet == (model.indices.contains(place) && model[place]))
        }
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `finds what a filter lets through of passages that follow one another`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let count = random.number(0..<300)
        let first = UInt32(random.number(0..<700))
        let passages = (0..<count).map { first + UInt32($0) }
        let words = (0..<random.number(1..<12)).map { _ in random.next() }
        let firstBit = 16 * random.number(0..<4)
        var out = [UInt64](repeating: 0, count: 6)
        var expected = out
        let found = kernels_match_run(first, count, words, words.count, &out, firstBit)
        #expect(found == kernels_match(passages, count, words, words.count, &expected, firstBit))
        #expect(out == expected)
        #expect(kernels_is_run(passages, count) == 1)
        for place in passages.indices.dropFirst().prefix(5) {
            var gap = passages
            gap[place] = random.number(0..<2) == 0 ? .max : gap[place] + 1
            #expect(kernels_is_run(gap, count) == 0)
        }
    }

    @Test(arguments: [1, 7, 33, 384])
    func `computes the products of rows in segments, and takes their numbers along`(dimension: Int) {
        var random = SplitMix(seed: UInt64(dimension))
        let (rowsPerSegment, stride, header) = (5, (dimension * 4 + 63) / 64 * 64, 44)
        let auxiliaries = header + rowsPerSegment * stride
        func floats(_ count: Int) -> [Float] {
            (0..<count).map { _ in Float.random(in: -1...1, using: &random) }
        }
        let segments = (0..<4).map { _ in floats(auxiliaries / 4 + rowsPerSegment) }
        let query = floats(dimension)
        // The header is eleven floats, so rows begin at the twelfth.
        let pointers = segments.map { segment in
            let copy = UnsafeMutablePointer<Float>.allocate(capacity: segment.count)
            copy.initialize(from: segment, count: segment.count)
            return copy
        }
        defer { for pointer in pointers { pointer.deallocate() } }
        let addresses: [UnsafeRawPointer?] = pointers.map { UnsafeRawPointer($0) }
        let slots: [UInt32] = (0..<19).map { _ in UInt32(random.number(0..<20)) }
        addresses.withUnsafeBufferPointer { base in
            var layout = kernels_segments(
                segments: base.baseAddress, rows_per_segment: 5, reciprocal: UInt64.max / 5 + 1,
                first_row: header, stride: stride, first_auxiliary: auxiliaries, dimension: dimension)
            for variant in 0..<kernels_variant_count() where kernels_variant_supported(variant) == 1 {
                for count in 0...slots.count {
                    var dots = [Float](repeating: .nan, count: slots.count + 1)
                    var numbers = dots
                    kernels_dots_f32_slots_variant(variant, &layout, query, slots, count, &dots, &numbers)
                    #expect(dots[count].isNaN && numbers[count].isNaN)
                    for (index, slot) in slots.prefix(count).enumerated() {
                        let segment = segments[Int(slot) / 5]
                        let place = Int(slot) % 5
                        let first = (header + place * stride) / 4
                        let row = Array(segment[first..<first + dimension])
                        let expected = kernels_dot_f32_variant(variant, query, row, dimension)
                        #expect(dots[index] == expected)
                        #expect(numbers[index] == segment[auxiliaries / 4 + place])
                    }
                }
            }
        }
    }
}
