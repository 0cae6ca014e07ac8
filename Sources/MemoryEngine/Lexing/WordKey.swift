/// A word of up to 16 bytes of UTF-8 in two numbers, in lower case, so that it is compared with two
/// instructions. Letters of ASCII and of Latin-1 are folded to lower case, accents stay: "Où" and "ou" are
/// two words. A longer word is `none`, which no table holds.
struct WordKey: Hashable, Sendable {
    /// The first eight bytes, the last one lowest.
    let low: UInt64
    /// The bytes behind them.
    let high: UInt64

    static let none = WordKey(low: 0, high: 0)
    static let maximumByteCount = 16

    @inline(__always)
    init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    init(_ word: some StringProtocol) {
        var builder = Builder()
        for byte in word.utf8 { builder.append(byte) }
        self = builder.key
    }

    /// Takes the bytes of a word one by one.
    struct Builder {
        private var low: UInt64 = 0
        private var high: UInt64 = 0
        private var count = 0
        private var last: UInt8 = 0

        init() {}

        /// Goes on behind up to eight letters of ASCII.
        @inline(__always)
        init(low: UInt64, count: Int) {
            self.low = low
            self.count = count
        }

        @inline(__always)
        mutating func append(_ byte: UInt8) {
            var folded = byte
            if byte < 0x80 {
                if byte &- UInt8(ascii: "A") < 26 { folded = byte | 0x20 }
            } else if last == 0xC3, byte &- 0x80 < 0x1F, byte != 0x97 {
                // À to Þ lie 32 below à to þ, and × is no letter.
                folded = byte | 0x20
            }
            last = byte
            if count < 8 {
                low = low << 8 | UInt64(folded)
            } else {
                high = high << 8 | UInt64(folded)
            }
            count += 1
        }

        var key: WordKey { count > maximumByteCount ? .none : WordKey(low: low, high: high) }
    }
}
