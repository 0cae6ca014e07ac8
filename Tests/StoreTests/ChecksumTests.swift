import CChecksum
import Testing

/// CRC32C bit by bit, as the polynomial says it.
private func bitwiseChecksum(_ bytes: some Sequence<UInt8>, seed: UInt32 = 0) -> UInt32 {
    var remainder = ~seed
    for byte in bytes {
        remainder ^= UInt32(byte)
        for _ in 0..<8 { remainder = (remainder >> 1) ^ (remainder & 1 == 1 ? 0x82F6_3B78 : 0) }
    }
    return ~remainder
}

/// A kind of machine code for the checksum, as the C target numbers them.
private struct Variant: CustomTestStringConvertible {
    let index: Int32
    var testDescription: String { String(cString: checksum_crc32c_variant_name(index)) }

    static var supported: [Variant] {
        (0..<checksum_crc32c_variant_count())
            .filter { checksum_crc32c_variant_supported($0) != 0 }.map(Variant.init)
    }

    func checksum(_ bytes: some Collection<UInt8>, seed: UInt32 = 0) -> UInt32 {
        Array(bytes).withUnsafeBytes { checksum_crc32c_variant(index, seed, $0.baseAddress, $0.count) }
    }
}

/// Bytes that look random, the same on every run.
private func noise(_ count: Int) -> [UInt8] {
    var state: UInt32 = 12345
    return (0..<count).map { _ in
        state = state &* 1_664_525 &+ 1_013_904_223
        return UInt8(truncatingIfNeeded: state >> 24)
    }
}

@Suite struct `A checksum` {
    @Test(arguments: Variant.supported)
    private func `agrees with the vectors of RFC 3720`(variant: Variant) {
        let readCommand: [UInt8] = [
            0x01, 0xC0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0, 0, 0, 0,
            0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0,
        ]
        #expect(variant.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(variant.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(variant.checksum(Array(0...31)) == 0x46DD_794E)
        #expect(variant.checksum(Array((0...31).reversed())) == 0x113F_DB5C)
        #expect(variant.checksum(readCommand) == 0xD996_3A56)
        #expect(variant.checksum(Array("123456789".utf8)) == 0xE306_9283)
    }

    @Test(arguments: Variant.supported)
    private func `agrees with the polynomial at every length and alignment`(variant: Variant) {
        let bytes = noise(310)
        var wrong: [String] = []
        bytes.withUnsafeBytes { buffer in
            for length in 0...300 {
                let offset = length % 9
                let part = UnsafeRawBufferPointer(rebasing: buffer[offset..<offset + length])
                let seed = UInt32(length) &* 0x9E37_79B9
                let checksum = checksum_crc32c_variant(variant.index, seed, part.baseAddress, length)
                if checksum != bitwiseChecksum(part, seed: seed) { wrong.append("\(length) at \(offset)") }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test(arguments: Variant.supported, [4_080, 4_096, 12_287, 12_288, 12_289, 12_407, 40_000])
    private func `agrees with the polynomial on large blocks`(variant: Variant, length: Int) {
        let bytes = noise(length)
        #expect(variant.checksum(bytes) == bitwiseChecksum(bytes))
    }

    @Test(arguments: Variant.supported)
    private func `of a whole is that of its second part seeded with that of its first`(variant: Variant) {
        let bytes = noise(1_000)
        let whole = variant.checksum(bytes)
        let seeded = stride(from: 0, through: 1_000, by: 37).map { cut in
            variant.checksum(bytes[cut...], seed: variant.checksum(bytes[..<cut]))
        }
        #expect(seeded.allSatisfy { $0 == whole })
    }

    @Test func `uses the fastest variant that this processor has`() {
        let active = checksum_crc32c_variant_active()
        let bytes = noise(5_000)
        let checksum = bytes.withUnsafeBytes { checksum_crc32c(7, $0.baseAddress, $0.count) }
        #expect(active == Variant.supported.first?.index)
        #expect(checksum == bitwiseChecksum(bytes, seed: 7))
    }

    @Test func `changes with every single bit`() {
        var bytes = noise(200)
        let whole = bitwiseChecksum(bytes)
        var unnoticed: [Int] = []
        for bit in 0..<bytes.count * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8)
            let checksum = bytes.withUnsafeBytes { checksum_crc32c(0, $0.baseAddress, $0.count) }
            if checksum == whole { unnoticed.append(bit) }
            bytes[bit / 8] ^= 1 << (bit % 8)
        }
        #expect(unnoticed.isEmpty)
    }
}
