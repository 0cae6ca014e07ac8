import CEncoder
import Foundation
import TestSupport
import Testing

/// The variants that this processor can run.
private let variants = (0..<encoder_variant_count()).filter { encoder_variant_supported($0) == 1 }

/// Memory that begins at a multiple of 64 bytes.
private final class Aligned {
    let bytes: UnsafeMutableRawPointer
    init(_ count: Int) {
        bytes = .allocate(byteCount: max(64, count), alignment: 64)
        bytes.initializeMemory(as: UInt8.self, repeating: 0xA5, count: max(64, count))
    }
    deinit { bytes.deallocate() }
}

private func exactGELU(_ x: Double) -> Double { 0.5 * x * erfc(-x / 2.0.squareRoot()) }

@Suite struct `The encoder's kernels` {
    @Test func `end with plain C, which runs everywhere`() {
        #expect(variants.last == encoder_variant_count() - 1)
        func name(_ variant: Int32) -> String { String(cString: encoder_variant_name(variant)) }
        // Intel's processors have bfloat16 instructions that are slower than others.
        let model = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let isSlow = model.contains("GenuineIntel")
        #expect(encoder_variant_best(1) == variants.first { !isSlow || name($0) != "AVX-512 BF16" })
        #expect(encoder_variant_best(0) == variants.first { encoder_variant_rounds($0) == 0 })
    }

    @Test(arguments: variants, [1, 2, 3, 5, 6, 7, 11, 12, 13, 24, 29])
    func `multiply rows with packed weights of odd sizes`(variant: Int32, rows: Int) {
        var random = SeededRandom(seed: UInt64(rows))
        for (outputs, inputs) in [(1, 1), (7, 5), (16, 31), (33, 64), (65, 33), (96, 40)] {
            let x = random.vector(rows * inputs)
            let bias = random.vector(outputs)
            // Weights lie at an odd address, as they may in a file.
            let weights = random.vector(outputs * inputs)
            let shifted = Aligned(outputs * inputs * 4 + 1)
            weights.withUnsafeBytes {
                (shifted.bytes + 1).copyMemory(from: $0.baseAddress!, byteCount: $0.count)
            }
            let packed = Aligned(encoder_packed_bytes(variant, outputs, inputs))
            encoder_pack(variant, shifted.bytes + 1, outputs, inputs, packed.bytes)
            let scratch = Aligned(encoder_linear_scratch_bytes(variant, rows, inputs))
            for hasGELU in [Int32(0), 1] {
                // One number behind the result tells whether more was written.
                var out = [Float](repeating: -77, count: rows * outputs + 1)
                encoder_linear(
                    variant, x, rows, inputs, packed.bytes, bias, outputs, hasGELU, scratch.bytes, &out)
                #expect(out.removeLast() == -77)
                // A bfloat16 number is within 1/256 of what was rounded.
                let error = encoder_variant_rounds(variant) == 1 ? 0.01 : 2e-6
                for row in 0..<rows {
                    for output in 0..<outputs {
                        var sum = Double(bias[output])
                        var size = 1.0
                        for input in 0..<inputs {
                            let product =
                                Double(x[row * inputs + input]) * Double(weights[output * inputs + input])
                            sum += product
                            size += abs(product)
                        }
                        let expected = hasGELU == 1 ? exactGELU(sum) : sum
                        #expect(abs(Double(out[row * outputs + output]) - expected) < error * size)
                    }
                }
            }
        }
    }

    /// What a linear layer with one bias of 0 gives.
    private func product(
        _ variant: Int32, _ x: [Float], _ weights: [Float], outputs: Int, inputs: Int
    ) -> [Float] {
        let packed = Aligned(encoder_packed_bytes(variant, outputs, inputs))
        encoder_pack(variant, weights, outputs, inputs, packed.bytes)
        let rows = x.count / inputs
        let scratch = Aligned(encoder_linear_scratch_bytes(variant, rows, inputs))
        var out = [Float](repeating: -77, count: rows * outputs)
        let bias = [Float](repeating: 0, count: outputs)
        encoder_linear(variant, x, rows, inputs, packed.bytes, bias, outputs, 0, scratch.bytes, &out)
        return out
    }

    @Test(arguments: variants, [384, 1_536, 40_000])
    func `add up as much as there can be, and nothing`(variant: Int32, inputs: Int) {
        // All products as large as they can be, and of one sign; then a row and an output of zeros.
        let x = [Float](repeating: 3, count: inputs) + [Float](repeating: 0, count: inputs)
        let weights = [0.5, -0.5, 0].flatMap { [Float](repeating: $0, count: inputs) }
        let sums = product(variant, x, weights, outputs: 3, inputs: inputs)
        for (sum, expected) in zip(sums, [1.5, -1.5, 0, 0, 0, 0]) {
            #expect(abs(Double(sum) / Double(inputs) - expected) < 1e-4)
        }
    }

    @Test(arguments: variants)
    func `keep what is small beside what is large`(variant: Int32) {
        // One input is 30 times as large as the others, and of no weight; outputs differ in size by a million.
        var random = SeededRandom(seed: 2)
        let inputs = 384
        var x = random.vector(inputs)
        x[7] = 30
        let rows = (0..<4).map { power in
            var row = random.vector(inputs).map { $0 * pow(100, Float(-power)) }
            row[7] = 0
            return row
        }
        let sums = product(variant, x, rows.flatMap { $0 }, outputs: 4, inputs: inputs)
        for (sum, row) in zip(sums, rows) {
            let exact = zip(x, row).reduce(0) { $0 + Double($1.0) * Double($1.1) }
            let size = zip(x, row).reduce(0) { $0 + abs(Double($1.0) * Double($1.1)) }
            #expect(abs(Double(sum) - exact) < 2e-3 * size)
        }
    }

    @Test(arguments: variants)
    func `stand weights that are next to nothing`(variant: Int32) {
        let weights = [1e-38, 1].flatMap { [Float](repeating: $0, count: 40) }
        let sums = product(variant, [Float](repeating: 1, count: 40), weights, outputs: 2, inputs: 40)
        #expect(abs(sums[0]) < 1e-30 && abs(sums[1] - 40) < 0.1)
    }

    @Test(arguments: variants, [Float.nan, .infinity])
    func `give no number where one of them is none`(variant: Int32, bad: Float) {
        for place in [0, 17, 39] {
            var x = [Float](repeating: 1, count: 80)
            let weights = [Float](repeating: 1, count: 2 * 40)
            x[place] = bad
            let sums = product(variant, x, weights, outputs: 2, inputs: 40)
            #expect(sums[..<2].allSatisfy { !$0.isFinite } && sums[2...] == [40, 40])
            var damaged = weights
            damaged[40 + place] = bad
            let found = product(variant, Array(x[40...]), damaged, outputs: 2, inputs: 40)
            #expect(found[0] == 40 && !found[1].isFinite)
        }
    }

    @Test(arguments: variants, [1, 2, 7, 12, 13, 31, 33, 65])
    func `attend among the tokens of a text`(variant: Int32, tokens: Int) {
        var random = SeededRandom(seed: UInt64(tokens))
        for (heads, width) in [(1, 1), (3, 5), (2, 32), (1, 33), (2, 64)] {
            let hidden = heads * width
            let qkv = random.vector(tokens * 3 * hidden).map { 3 * $0 }
            let scratch = Aligned(encoder_attention_scratch_bytes(variant, tokens, width))
            var out = [Float](repeating: -77, count: tokens * hidden + 1)
            encoder_attention(variant, qkv, tokens, heads, width, scratch.bytes, &out)
            #expect(out.removeLast() == -77)
            for head in 0..<heads {
                for token in 0..<tokens {
                    func row(_ token: Int, _ part: Int) -> ArraySlice<Float> {
                        let begin = token * 3 * hidden + part * hidden + head * width
                        return qkv[begin..<begin + width]
                    }
                    let scores = (0..<tokens).map { other in
                        zip(row(token, 0), row(other, 1)).reduce(0) { $0 + Double($1.0) * Double($1.1) }
                            / Double(width).squareRoot()
                    }
                    let most = scores.max() ?? 0
                    let weights = scores.map { exp($0 - most) }
                    let sum = weights.reduce(0, +)
                    for place in 0..<width {
                        let expected = (0..<tokens).reduce(0.0) {
                            $0 + weights[$1] / sum * Double(row($1, 2)[row($1, 2).startIndex + place])
                        }
                        let found = Double(out[token * hidden + head * width + place])
                        #expect(abs(found - expected) < 1e-5)
                    }
                }
            }
        }
    }

    @Test(arguments: variants, [1, 3, 4, 7, 8, 15, 16, 17, 33, 384])
    func `norm, weigh and bend rows of any width`(variant: Int32, width: Int) {
        var random = SeededRandom(seed: UInt64(width))
        let (x, added) = (random.vector(3 * width), random.vector(3 * width))
        let (gain, shift) = (random.vector(width), random.vector(width))
        for isAdded in [false, true] {
            var out = x + [-77]
            encoder_add_norm(variant, &out, isAdded ? added : nil, 3, width, gain, shift, 1e-5)
            #expect(out.removeLast() == -77)
            for row in 0..<3 {
                let values = (row * width..<(row + 1) * width).map {
                    Double(x[$0]) + (isAdded ? Double(added[$0]) : 0)
                }
                let mean = values.reduce(0, +) / Double(width)
                let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
                for (place, value) in values.enumerated() {
                    let expected =
                        (value - mean) / (variance + 1e-5).squareRoot() * Double(gain[place])
                        + Double(shift[place])
                    #expect(abs(Double(out[row * width + place]) - expected) < 1e-5 * (1 + abs(expected)))
                }
            }
        }
        var scores = random.vector(width).map { 40 * $0 } + [-77]
        let exact = scores.dropLast().map { exp(Double($0 - (scores.dropLast().max() ?? 0)) * 0.5) }
        encoder_softmax(variant, &scores, width, 0.5)
        #expect(scores.removeLast() == -77)
        for (found, expected) in zip(scores, exact) {
            #expect(abs(Double(found) - expected / exact.reduce(0, +)) < 1e-6)
        }
        var bent = random.vector(width).map { 6 * $0 } + [-77]
        let expected = bent.dropLast().map { exactGELU(Double($0)) }
        encoder_gelu(variant, &bent, width)
        #expect(bent.removeLast() == -77)
        for (found, expected) in zip(bent, expected) { #expect(abs(Double(found) - expected) < 1e-6) }
    }

    @Test(arguments: variants)
    func `bend by the exact error function over all of its range`(variant: Int32) {
        let numbers = (-4_000...4_000).map { Float($0) / 250 }
        var bent = numbers
        encoder_gelu(variant, &bent, bent.count)
        for (number, found) in zip(numbers, bent) {
            #expect(abs(Double(found) - exactGELU(Double(number))) <= 3e-7 * Double(max(1, abs(number))))
        }
    }

    @Test func `give a mean of length 1, and refuse what has none`() {
        var out = [Float](repeating: 0, count: 3)
        #expect(encoder_unit_mean([1, 2, 2, 3, 6, 6], 2, 3, &out) == 1)
        let length = out.reduce(0) { $0 + $1 * $1 }
        #expect(abs(length - 1) < 1e-6 && abs(out[1] / out[0] - 2) < 1e-6)
        #expect(encoder_unit_mean([0, 0, 0], 1, 3, &out) == 0)
        #expect(encoder_unit_mean([1, .nan, 0], 1, 3, &out) == 0)
        #expect(encoder_unit_mean([1, .infinity, 0], 1, 3, &out) == 0)
    }

    @Test func `tell bytes from the same with one bit changed, or one byte less`() {
        var random = SeededRandom(seed: 3)
        func digest(_ bytes: [UInt8]) -> [UInt64] {
            var out: [UInt64] = [0, 0]
            encoder_digest(bytes, bytes.count, &out)
            return out
        }
        // The same on every machine: names of spaces are made of it.
        #expect(digest(Array("loci".utf8)) == [10_206_061_602_474_771_850, 6_726_516_799_962_416_142])
        for count in [1, 8, 63, 64, 65, 200] {
            var bytes = random.bytes(count)
            let before = digest(bytes)
            #expect(before[0] != before[1])
            #expect(digest(Array(bytes.dropLast())) != before)
            for _ in 0..<20 {
                let (place, bit) = (random.below(count), UInt8(1) << UInt8(random.below(8)))
                bytes[place] ^= bit
                #expect(digest(bytes) != before)
                bytes[place] ^= bit
            }
        }
    }
}
