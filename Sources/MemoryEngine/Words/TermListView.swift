/// A list of terms read where it lies: the number and the places of what `TermList` describes, without a copy
/// of it. Each method takes the bytes again, and reads nothing else.
///
/// The places are checked when the view is made, so that no later look runs out of the bytes, whatever
/// they hold. Everything else is checked by `validate`; without it, damaged bytes give wrong frequencies and
/// nothing worse, so leave it out only where a checksum vouches for them.
package struct TermListView: Sendable {
    /// How many distinct terms there are.
    package let count: Int
    /// How many terms the passage has, repetitions included.
    package let length: UInt32

    private static let headerByteCount = 6
    private var frequencies: Int { Self.headerByteCount + 4 * count }
    private var lengths: Int { frequencies + count }
    private var terms: Int { lengths + count }

    /// Finds the places in the bytes of a list.
    ///
    /// - Throws: `TermListError`, if the lengths in the bytes do not add up to their number.
    /// - Complexity: O(`count`) additions.
    package init(checking bytes: Span<UInt8>) throws(TermListError) {
        guard bytes.count >= Self.headerByteCount else {
            throw TermListError(
                message: "a list of terms has \(bytes.count) bytes, and its header \(Self.headerByteCount)")
        }
        count = Int(bytes[0]) | Int(bytes[1]) << 8
        length = Self.number(in: bytes, at: 2)
        guard bytes.count >= terms else {
            throw TermListError(message: "a list of \(count) terms has only \(bytes.count) bytes")
        }
        let end = terms + Self.sum(bytes, lengths..<terms)
        guard bytes.count == end else {
            throw TermListError(message: "a list of terms has \(bytes.count) bytes, and says \(end)")
        }
    }

    init(of list: TermList) {
        count = list.count
        length = Self.number(in: list.encoded.span, at: 2)
    }

    /// Checks what the initializer leaves: the order, the hashes, the frequencies and the length.
    ///
    /// - Throws: `TermListError`, which names the first thing that is wrong.
    /// - Complexity: O(n) in the bytes.
    package func validate(_ bytes: Span<UInt8>) throws(TermListError) {
        var start = terms
        var previous = 0..<0
        var total = 0
        var isExact = count < Int(UInt16.max)
        for index in 0..<count {
            let byteCount = Int(bytes[lengths + index])
            guard (1...Tokenizer.maximumTermByteCount).contains(byteCount) else {
                throw TermListError(message: "term \(index) has \(byteCount) bytes")
            }
            let range = start..<start + byteCount
            let hash = self.hash(at: index, in: bytes)
            guard TermHash.hash(bytes.extracting(range)) == hash else {
                throw TermListError(message: "the hash of term \(index) is not that of its bytes")
            }
            if index > 0 {
                let before = self.hash(at: index - 1, in: bytes)
                guard before < hash || (before == hash && Self.precedes(previous, range, in: bytes)) else {
                    throw TermListError(message: "term \(index) is out of order")
                }
            }
            let frequency = bytes[frequencies + index]
            guard frequency > 0 else { throw TermListError(message: "the frequency of term \(index) is 0") }
            if frequency == .max { isExact = false }
            total += Int(frequency)
            previous = range
            start = range.upperBound
        }
        guard isExact ? total == Int(length) : total <= Int(length) else {
            throw TermListError(message: "the frequencies add up to \(total), and the length is \(length)")
        }
    }

    /// How often a term occurs; 0 if it does not, and 255 if it is 255 times or more.
    ///
    /// - Parameters:
    ///   - hash: The `TermHash` of the term, so that a query computes it once for all passages.
    ///   - term: The term.
    ///   - bytes: The bytes that the view was made of.
    /// - Complexity: O(log `count`) for a term that is not there; O(`count`) additions for one that is.
    package func frequency(ofHash hash: UInt32, bytes term: Span<UInt8>, in bytes: Span<UInt8>) -> UInt8 {
        var index = lowerBound(of: hash, in: bytes)
        guard index < count, self.hash(at: index, in: bytes) == hash else { return 0 }
        var start = terms + Self.sum(bytes, lengths..<lengths + index)
        while index < count, self.hash(at: index, in: bytes) == hash {
            let byteCount = Int(bytes[lengths + index])
            if byteCount == term.count, Self.isEqual(term, bytes.extracting(start..<start + byteCount)) {
                return bytes[frequencies + index]
            }
            start += byteCount
            index += 1
        }
        return 0
    }

    /// Calls `body` with the hash, the bytes and the frequency of each term, in the order of the list.
    package func forEach(
        in bytes: Span<UInt8>, _ body: (UInt32, Span<UInt8>, UInt8) throws -> Void
    ) rethrows {
        var start = terms
        for index in 0..<count {
            let end = start + Int(bytes[lengths + index])
            try body(hash(at: index, in: bytes), bytes.extracting(start..<end), bytes[frequencies + index])
            start = end
        }
    }

    /// The first index whose hash is not below `hash`.
    private func lowerBound(of hash: UInt32, in bytes: Span<UInt8>) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self.hash(at: middle, in: bytes) < hash { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func hash(at index: Int, in bytes: Span<UInt8>) -> UInt32 {
        Self.number(in: bytes, at: Self.headerByteCount + 4 * index)
    }

    private static func number(in bytes: Span<UInt8>, at offset: Int) -> UInt32 {
        UInt32(bytes[offset]) | UInt32(bytes[offset + 1]) << 8 | UInt32(bytes[offset + 2]) << 16
            | UInt32(bytes[offset + 3]) << 24
    }

    private static func sum(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        let part = bytes.extracting(range)
        var sum = 0
        for index in part.indices { sum &+= Int(part[index]) }
        return sum
    }

    private static func isEqual(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
        for index in a.indices where a[index] != b[index] { return false }
        return true
    }

    private static func precedes(_ a: Range<Int>, _ b: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        for offset in 0..<min(a.count, b.count) {
            let (x, y) = (bytes[a.lowerBound + offset], bytes[b.lowerBound + offset])
            if x != y { return x < y }
        }
        return a.count < b.count
    }
}

/// The same for the bytes of a stored record, as the store lends them.
extension TermListView {
    /// Finds the places in the bytes of a list.
    ///
    /// - Throws: `TermListError`, if the lengths in the bytes do not add up to their number.
    package init(checking bytes: RawSpan) throws(TermListError) {
        try self.init(checking: Span<UInt8>(_bytes: bytes))
    }

    /// How often a term occurs.
    package func frequency(ofHash hash: UInt32, bytes term: [UInt8], in bytes: RawSpan) -> UInt8 {
        frequency(ofHash: hash, bytes: term.span, in: Span<UInt8>(_bytes: bytes))
    }

    /// Calls `body` with the hash, the bytes and the frequency of each term, in the order of the list.
    package func forEach(
        in bytes: RawSpan, _ body: (UInt32, Span<UInt8>, UInt8) throws -> Void
    ) rethrows {
        try forEach(in: Span<UInt8>(_bytes: bytes), body)
    }
}
