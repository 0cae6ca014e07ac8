import Store
import Testing

/// A record with a field of each kind.
private struct Sample: Equatable {
    var u8: UInt8
    var flag: Bool
    var u16: UInt16
    var u32: UInt32
    var u64: UInt64
    var i64: Int64
    var f32: UInt32
    var f64: UInt64
    var u128: UInt128
    var text: String
    var blob: [UInt8]
    var floats: [Float]
    var list: [String]
    var some: UInt16?
    var none: String?

    init(_ numbers: inout CheckedHome.Numbers) {
        u8 = UInt8(truncatingIfNeeded: numbers.next())
        flag = numbers.next() & 1 == 1
        u16 = UInt16(truncatingIfNeeded: numbers.next())
        u32 = UInt32(truncatingIfNeeded: numbers.next())
        u64 = numbers.next()
        i64 = Int64(bitPattern: numbers.next())
        f32 = Float.random(in: -1e9...1e9, using: &numbers).bitPattern
        f64 = Double.random(in: -1e99...1e99, using: &numbers).bitPattern
        u128 = UInt128(numbers.next()) << 64 | UInt128(numbers.next())
        text = Self.text(&numbers)
        blob = numbers.bytes(Int.random(in: 0...40, using: &numbers))
        floats = (0..<Int.random(in: 0...9, using: &numbers)).map { _ in
            Float.random(in: -1...1, using: &numbers)
        }
        list = (0..<Int.random(in: 0...9, using: &numbers)).map { _ in Self.text(&numbers) }
        some = UInt16(truncatingIfNeeded: numbers.next())
        none = nil
    }

    private static func text(_ numbers: inout CheckedHome.Numbers) -> String {
        let characters: [Character] = ["a", "é", "漢", "🙂", "\0", "\n"]
        let count = Int.random(in: 0...12, using: &numbers)
        return String(
            (0..<count).map { _ in characters[Int.random(in: characters.indices, using: &numbers)] })
    }

    func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.u8(u8)
        writer.bool(flag)
        writer.u16(u16)
        writer.u32(u32)
        writer.u64(u64)
        writer.i64(i64)
        writer.f32(Float(bitPattern: f32))
        writer.f64(Double(bitPattern: f64))
        writer.u128(u128)
        writer.string(text)
        writer.blob(blob)
        writer.floats(floats)
        writer.list(list) { $0.string($1) }
        writer.optional(some) { $0.u16($1) }
        writer.optional(none) { $0.string($1) }
        return writer.bytes
    }

    init(decoding bytes: RawSpan) throws {
        var reader = ByteReader(bytes)
        u8 = try reader.u8()
        flag = try reader.bool()
        u16 = try reader.u16()
        u32 = try reader.u32()
        u64 = try reader.u64()
        i64 = try reader.i64()
        f32 = try reader.f32().bitPattern
        f64 = try reader.f64().bitPattern
        u128 = try reader.u128()
        text = try reader.string()
        blob = try reader.blob()
        floats = try reader.floats()
        list = try reader.list { try $0.string() }
        some = try reader.optional { try $0.u16() }
        none = try reader.optional { try $0.string() }
        try reader.finish()
    }
}

@Suite struct `A record` {
    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func `is what was encoded, and no shorter or longer`(seed: UInt64) throws {
        var numbers = CheckedHome.Numbers(state: seed)
        let sample = Sample(&numbers)
        let bytes = sample.encode()
        #expect(try Sample(decoding: bytes.span.bytes) == sample)
        for count in 0..<bytes.count {
            #expect(throws: StoreError.self) { try decode(Array(bytes[..<count])) }
        }
        #expect(throws: StoreError.self) { try decode(bytes + [0]) }
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `is a value or an error, whatever the bytes`(seed: UInt64) throws {
        var numbers = CheckedHome.Numbers(state: seed)
        let good = Sample(&numbers).encode()
        for _ in 0..<100 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &numbers) {
                bytes[Int.random(in: bytes.indices, using: &numbers)] = UInt8(
                    truncatingIfNeeded: numbers.next())
            }
            expectValueOrError(bytes)
            expectValueOrError(numbers.bytes(Int.random(in: 0...200, using: &numbers)))
        }
    }

    private func decode(_ bytes: [UInt8]) throws { _ = try Sample(decoding: bytes.span.bytes) }

    private func expectValueOrError(_ bytes: [UInt8]) {
        do {
            let sample = try Sample(decoding: bytes.span.bytes)
            // What was read says the same when it is written again.
            #expect(sample.encode() == bytes)
        } catch {
            #expect((error as? StoreError)?.code == .corrupted)
        }
    }

    @Test func `is little-endian, with lengths of 32 bits`() {
        var writer = ByteWriter()
        writer.u16(0x0102)
        writer.u32(0x0304_0506)
        writer.string("é")
        writer.f32(1)
        #expect(writer.bytes == [2, 1, 6, 5, 4, 3, 2, 0, 0, 0, 0xC3, 0xA9, 0, 0, 0x80, 0x3F])
        #expect(writer.count == 16)
    }

    @Test func `believes no length before it is compared with what is left`() {
        let huge: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 1]
        #expect(throws: StoreError.self) {
            var reader = ByteReader(huge.span.bytes)
            _ = try reader.blob()
        }
        #expect(throws: StoreError.self) {
            var reader = ByteReader(huge.span.bytes)
            _ = try reader.floats()
        }
        #expect(throws: StoreError.self) {
            var reader = ByteReader(huge.span.bytes)
            _ = try reader.list { try $0.u8() }
        }
        #expect(throws: StoreError.self) {
            var reader = ByteReader(huge.span.bytes)
            _ = try reader.string()
        }
    }
}
