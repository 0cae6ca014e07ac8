/// Names one memory, in every store that it is copied to. Ids grow with time (UUID version 7,
/// RFC 9562, 2024), so that sorting by id sorts by the time of remembering.
public struct MemoryID: RawRepresentable, Hashable, Sendable, Comparable {
    public let rawValue: UInt128
    public init(rawValue: UInt128) { self.rawValue = rawValue }

    /// A new id for a memory made at `time`; its last 74 bits are random.
    public init(at time: Timestamp, using random: inout some RandomNumberGenerator) {
        self.init(at: time, random.next(), random.next())
    }

    /// The same, with random bits of the system's.
    public init(at time: Timestamp) {
        let bits = UInt128.random()
        self.init(at: time, UInt64(truncatingIfNeeded: bits >> 64), UInt64(truncatingIfNeeded: bits))
    }

    private init(at time: Timestamp, _ a: UInt64, _ b: UInt64) {
        let milliseconds = UInt128(max(0, time.microseconds / 1_000)) & 0xffff_ffff_ffff
        rawValue =
            milliseconds << 80 | 7 << 76 | UInt128(a & 0xfff) << 64 | 2 << 62
            | UInt128(b & 0x3fff_ffff_ffff_ffff)
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
        var bytes: [UInt8] = []
        bytes.reserveCapacity(36)
        write(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the description.
    package func write(into bytes: inout [UInt8]) {
        let high = UInt64(truncatingIfNeeded: rawValue >> 64)
        let low = UInt64(truncatingIfNeeded: rawValue)
        func write(_ half: UInt64, from first: UInt64, digits: UInt64) {
            for place in 0..<digits {
                let digit = UInt8(truncatingIfNeeded: half >> (first - place * 4)) & 0xf
                bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            }
        }
        write(high, from: 60, digits: 8)
        bytes.append(UInt8(ascii: "-"))
        write(high, from: 28, digits: 4)
        bytes.append(UInt8(ascii: "-"))
        write(high, from: 12, digits: 4)
        bytes.append(UInt8(ascii: "-"))
        write(low, from: 60, digits: 4)
        bytes.append(UInt8(ascii: "-"))
        write(low, from: 44, digits: 12)
    }
}

extension UInt128 {
    /// Random bits of the system's, which name an operation.
    ///
    /// No generic function of ours takes a `SystemRandomNumberGenerator`: it has no bytes, so the compiler hands
    /// on an address that means nothing, and ThreadSanitizer notes an access there (Swift 6.3.1). `TidyTests`
    /// keeps that type out of the sources.
    static func random() -> UInt128 { random(in: .min ... .max) }
}
