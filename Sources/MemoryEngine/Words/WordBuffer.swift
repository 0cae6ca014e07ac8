/// The word at hand: a little more than a term may have, without any storage on the heap.
///
/// Bytes behind the capacity are not kept. A count above `Tokenizer.maximumTermByteCount` tells that
/// the term has to be cut, and what is there shows where a scalar begins.
/// It cannot be copied: it is written byte by byte, and a copy made in wide steps right behind that would
/// wait for each byte to reach the cache. So words are stemmed where they lie.
struct WordBuffer: ~Copyable, Sendable {
    static let capacity = 72

    private var bytes: InlineArray<72, UInt8> = .init(repeating: 0)
    private(set) var count = 0

    /// Where the regions of a stemmer begin: behind the first consonant that follows a vowel, and behind the
    /// first such one after that. They stay where they are while the word gets shorter.
    var r1 = 0
    var r2 = 0

    init() {}

    init(_ word: [UInt8]) {
        for byte in word { append(byte) }
    }

    var isEmpty: Bool { count == 0 }

    subscript(index: Int) -> UInt8 {
        @inline(__always) get { bytes[index] }
        @inline(__always) set { bytes[index] = newValue }
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        guard count < Self.capacity else { return }
        bytes[count] = byte
        count += 1
    }

    /// Makes the word shorter, or as much longer as bytes were written behind its end.
    @inline(__always)
    mutating func setCount(_ newCount: Int) {
        precondition(newCount >= 0 && newCount <= Self.capacity)
        count = newCount
    }

    mutating func removeAll() { count = 0 }

    mutating func assign(_ source: [UInt8], _ range: Range<Int>) {
        count = min(range.count, Self.capacity)
        for index in 0..<count { bytes[index] = source[range.lowerBound + index] }
    }

    /// Cuts a word that is longer than a term may be where its last scalar that fits ends.
    mutating func cut() {
        guard count > Tokenizer.maximumTermByteCount else { return }
        count = Tokenizer.maximumTermByteCount
        while count > 0, bytes[count] & 0xC0 == 0x80 { count -= 1 }
    }

    var isOfLowercaseASCIILetters: Bool {
        for index in 0..<count where bytes[index] &- UInt8(ascii: "a") >= 26 { return false }
        return true
    }

    var last: UInt8 { bytes[count - 1] }

    /// The last eight bytes in one number, the last one lowest; fewer where the word is shorter.
    var tail: UInt64 {
        var packed: UInt64 = 0
        for index in max(0, count - 8)..<count { packed = packed << 8 | UInt64(bytes[index]) }
        return packed
    }

    /// The first eight bytes in one number, the first one highest; zeros where the word is shorter.
    var head: UInt64 {
        var packed: UInt64 = 0
        let end = min(8, count)
        for index in 0..<end { packed = packed << 8 | UInt64(bytes[index]) }
        return end == 0 ? 0 : packed << UInt64(64 - 8 * end)
    }

    /// Lends out the bytes.
    @inline(__always)
    func lend(_ body: (Span<UInt8>) -> Void) {
        body(bytes.span.extracting(0..<count))
    }

    /// The bytes as a value.
    var array: [UInt8] { (0..<count).map { bytes[$0] } }
}
