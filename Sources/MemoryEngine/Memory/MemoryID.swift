/// Names one memory, in every store that it is copied to. Ids grow with time (UUID version 7,
/// RFC 9562, 2024), so that sorting by id sorts by the time of remembering.
public struct MemoryID: RawRepresentable, Hashable, Sendable, Comparable {
    public let rawValue: UInt128
    public init(rawValue: UInt128) { self.rawValue = rawValue }

    /// A new id for a memory made at `time`; its last 74 bits are random.
    public init(at time: Timestamp, using random: inout some RandomNumberGenerator) {
        let milliseconds = UInt128(max(0, time.microseconds / 1_000)) & 0xffff_ffff_ffff
        let a = UInt128(random.next() & 0xfff)
        let b = UInt128(random.next() & 0x3fff_ffff_ffff_ffff)
        rawValue = milliseconds << 80 | 7 << 76 | a << 64 | 2 << 62 | b
    }

    /// Reads the usual form, `01890a5d-ac96-774b-bcce-b302099a8057`; hyphens may be left out.
    public init?(_ text: String) {
        let digits = text.utf8.filter { $0 != UInt8(ascii: "-") }
        guard digits.count == 32, let value = UInt128(String(decoding: digits, as: UTF8.self), radix: 16),
            !digits.contains(UInt8(ascii: "+"))
        else { return nil }
        rawValue = value
    }

    public static func < (a: MemoryID, b: MemoryID) -> Bool { a.rawValue < b.rawValue }
}

extension MemoryID: CustomStringConvertible {
    public var description: String {
        let digits = Array(String(rawValue, radix: 16).utf8)
        var bytes = [UInt8](repeating: UInt8(ascii: "0"), count: 32 - digits.count) + digits
        for position in [20, 16, 12, 8] { bytes.insert(UInt8(ascii: "-"), at: position) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
