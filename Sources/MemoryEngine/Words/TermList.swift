/// The distinct terms of one passage with their frequencies, sorted by hash and then by bytes, in the
/// compact form that is stored.
///
/// The layout, all numbers little-endian, is
///
///     count       u16            distinct terms
///     length      u32            terms of the passage, repetitions included
///     hashes      u32 × count    `TermHash` of each term
///     frequencies u8 × count     1 to 255; 255 stands for anything from there on
///     lengths     u8 × count     bytes of each term, 1 to 64
///     bytes                      the terms, one behind the other
///
/// What must stay true: the terms are strictly ascending by (hash, bytes), each hash is that of its term,
/// the lengths add up to the bytes that follow, and the frequencies to `length` (unless one is 255, or the
/// list was cut at 65,535 terms, which no passage of up to 64 KiB can reach). So one list has one form, and
/// lists are equal if their bytes are.
package struct TermList: Equatable, Sendable {
    /// The bytes of the layout.
    package let encoded: [UInt8]

    /// A list without terms.
    package init() {
        encoded = [0, 0, 0, 0, 0, 0]
    }

    fileprivate init(encoded: [UInt8]) {
        self.encoded = encoded
    }

    /// Reads a list from the bytes of the layout, and checks all of it. Any bytes at all give a list or an
    /// error.
    ///
    /// - Throws: `TermListError`, if there is anything in the bytes that `encode` does not write.
    /// - Complexity: O(n) in the bytes.
    package init(decoding bytes: Span<UInt8>) throws(TermListError) {
        try TermListView(checking: bytes).validate(bytes)
        var encoded: [UInt8] = []
        encoded.reserveCapacity(bytes.count)
        for index in bytes.indices { encoded.append(bytes[index]) }
        self.encoded = encoded
    }

    /// Appends the bytes of the layout.
    package func encode(into bytes: inout [UInt8]) {
        bytes.append(contentsOf: encoded)
    }

    /// How many distinct terms there are.
    package var count: Int { Int(encoded[0]) | Int(encoded[1]) << 8 }

    package var isEmpty: Bool { count == 0 }

    /// How many terms the passage has, repetitions included: its length for BM25.
    package var length: UInt32 { view.length }

    /// The places in `encoded`.
    package var view: TermListView { TermListView(of: self) }

    /// How often the term occurs; 0 if it does not, and 255 if it is 255 times or more.
    ///
    /// - Complexity: O(log count) for a term that is not there; O(count) additions for one that is.
    package func frequency(of term: [UInt8]) -> UInt8 {
        view.frequency(ofHash: TermHash.hash(term), bytes: term.span, in: encoded.span)
    }

    /// Calls `body` with the bytes and the frequency of each term, in the order of the list.
    package func forEach(_ body: (Span<UInt8>, UInt8) throws -> Void) rethrows {
        try view.forEach(in: encoded.span) { _, bytes, frequency in try body(bytes, frequency) }
    }

    /// The terms and their frequencies, as values.
    package var terms: [(term: [UInt8], frequency: UInt8)] {
        var terms: [(term: [UInt8], frequency: UInt8)] = []
        terms.reserveCapacity(count)
        forEach { bytes, frequency in
            terms.append((bytes.indices.map { bytes[$0] }, frequency))
        }
        return terms
    }
}

/// The bytes are no list of terms.
package struct TermListError: Error, Equatable, Sendable {
    /// What is wrong with them, for a person.
    package let message: String
}

/// Collects terms with their repetitions, and makes a list of them.
package struct TermListBuilder {
    private var bytes: [UInt8] = []
    /// Of each occurrence, the hash in the upper half and its number in the lower, so that sorting
    /// numbers sorts by hash.
    private var keys: [UInt64] = []
    /// Where the bytes of each occurrence end.
    private var ends: [Int] = []

    /// - Parameter expectedByteCount: The size of the text that the terms are from.
    package init(expectedByteCount: Int) {
        let byteCount = min(expectedByteCount, 1 << 20)
        bytes.reserveCapacity(byteCount)
        keys.reserveCapacity(byteCount / 5)
        ends.reserveCapacity(byteCount / 5)
    }

    /// Adds an occurrence of a term.
    ///
    /// - Precondition: the term has 1 to 64 bytes, and there are fewer than 2³² occurrences.
    package mutating func append(_ term: Span<UInt8>) {
        precondition(
            (1...Tokenizer.maximumTermByteCount).contains(term.count), "a term of \(term.count) bytes")
        precondition(keys.count < UInt32.max, "too many terms")
        bytes.append(addingCapacity: term.count) { output in
            for index in term.indices { output.append(term[index]) }
        }
        keys.append(UInt64(TermHash.hash(term)) << 32 | UInt64(keys.count))
        ends.append(bytes.count)
    }

    /// The list of all that was added.
    ///
    /// - Complexity: O(t log t) in the t occurrences.
    package consuming func finish() -> TermList {
        let length = keys.count
        keys.sort()
        sortWithinEqualHashes()
        let (firsts, frequencies) = mergeEqualTerms()
        let count = min(firsts.count, Int(UInt16.max))
        var encoded: [UInt8] = []
        let termByteCount = firsts.prefix(count).reduce(0) { $0 + range(of: $1).count }
        encoded.reserveCapacity(6 + 6 * count + termByteCount)
        for shift in stride(from: 0, to: 16, by: 8) {
            encoded.append(UInt8(truncatingIfNeeded: count >> shift))
        }
        for shift in stride(from: 0, to: 32, by: 8) {
            encoded.append(UInt8(truncatingIfNeeded: length >> shift))
        }
        for key in firsts.prefix(count) {
            for shift: UInt64 in [32, 40, 48, 56] { encoded.append(UInt8(truncatingIfNeeded: key >> shift)) }
        }
        encoded.append(contentsOf: frequencies.prefix(count))
        for key in firsts.prefix(count) { encoded.append(UInt8(range(of: key).count)) }
        for key in firsts.prefix(count) {
            for index in range(of: key) { encoded.append(bytes[index]) }
        }
        return TermList(encoded: encoded)
    }

    private func range(of key: UInt64) -> Range<Int> {
        let number = Int(key & 0xFFFF_FFFF)
        return (number == 0 ? 0 : ends[number - 1])..<ends[number]
    }

    private func isEqual(_ a: UInt64, _ b: UInt64) -> Bool {
        guard a >> 32 == b >> 32 else { return false }
        let (a, b) = (range(of: a), range(of: b))
        guard a.count == b.count else { return false }
        for offset in 0..<a.count where bytes[a.lowerBound + offset] != bytes[b.lowerBound + offset] {
            return false
        }
        return true
    }

    /// Sorts the occurrences of different terms that happen to share a hash by their bytes.
    private mutating func sortWithinEqualHashes() {
        var start = 0
        while start < keys.count {
            var end = start + 1
            var isMixed = false
            while end < keys.count, keys[end] >> 32 == keys[start] >> 32 {
                if !isEqual(keys[start], keys[end]) { isMixed = true }
                end += 1
            }
            if isMixed {
                let sorted = keys[start..<end].sorted { a, b in
                    bytes[range(of: a)].lexicographicallyPrecedes(bytes[range(of: b)])
                }
                keys.replaceSubrange(start..<end, with: sorted)
            }
            start = end
        }
    }

    /// The first occurrence of each term, and the number of its occurrences up to 255.
    private func mergeEqualTerms() -> (firsts: [UInt64], frequencies: [UInt8]) {
        var firsts: [UInt64] = []
        var frequencies: [UInt8] = []
        firsts.reserveCapacity(keys.count)
        frequencies.reserveCapacity(keys.count)
        for key in keys {
            if let previous = firsts.last, isEqual(previous, key) {
                let last = frequencies.count - 1
                if frequencies[last] < .max { frequencies[last] += 1 }
            } else {
                firsts.append(key)
                frequencies.append(1)
            }
        }
        return (firsts, frequencies)
    }
}
