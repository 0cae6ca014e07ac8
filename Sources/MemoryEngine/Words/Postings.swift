import Store

/// The inverted index: for each term the passages that hold it, in blocks of one page.
///
/// A term is a byte for its field (words, tags, attributes) and its bytes; the dictionary gives it a
/// number. A block's key is the term's number and the first passage; all its passages lie in one range of
/// 65,536, so that two bytes are enough for each, followed by the frequencies, a byte each. Only the
/// indexer adds to blocks; `forget` takes out of them.
enum Postings {
    /// Passages in a block: 4,074 bytes with the count, so that a block is one page at most.
    static let blockCapacity = 1_358

    /// All passages of a block lie in one range of so many, which begins at a multiple of it.
    static let rangeCount = 65_536

    /// The field byte of words; tags and attributes have theirs in `FilterTerm`.
    static let wordField: UInt8 = 0x77

    static func termKey(_ term: [UInt8]) -> Key { Key(prefix: Schema.Word.term).raw(term) }
    static func wordKey(_ word: some Sequence<UInt8>) -> Key {
        Key(prefix: Schema.Word.term).u8(wordField).raw(word)
    }
    private static func blockKey(_ term: UInt32, _ first: UInt32) -> Key {
        Key(prefix: Schema.Word.posting).u32(term).u32(first)
    }

    /// The number of a term; `nil` if no folded passage has it.
    static func number(of key: Key, in transaction: borrowing ReadTransaction) throws -> UInt32? {
        guard let value = try Schema.word.get(key, in: transaction) else { return nil }
        guard value.byteCount == 4 else { throw StoreError(.corrupted, "the number of a term is not one") }
        return value.u32(at: 0)
    }

    /// Lends the blocks of a term in the order of passages: the start of the range, the count, and the
    /// payload (`passage(at:)` and `frequency(at:)` read it).
    static func forEachBlock(
        of term: UInt32, in transaction: borrowing ReadTransaction, _ body: (PostingBlock) throws -> Void
    ) throws {
        let prefix = Key(prefix: Schema.Word.posting).u32(term)
        try Schema.word.scan(prefix: prefix, in: transaction, isVerifiedOnce: true) { key, value in
            try body(try PostingBlock(key: key, value))
            return true
        }
    }

    /// The same, of one range: that which begins at `start`.
    static func forEachBlock(
        of term: UInt32, from start: UInt32, in transaction: borrowing ReadTransaction,
        _ body: (PostingBlock) throws -> Void
    ) throws {
        let prefix = Key(prefix: Schema.Word.posting).u32(term).u16(UInt16(start / UInt32(rangeCount)))
        try Schema.word.scan(prefix: prefix, in: transaction, isVerifiedOnce: true) { key, value in
            try body(try PostingBlock(key: key, value))
            return true
        }
    }

    /// Calls `body` with those of some passages that have a term, in no order.
    ///
    /// - Parameter passages: in ascending order.
    /// - Complexity: O(p log n): at most one block is read for each of the p passages.
    static func forEach(
        of passages: [UInt32], with term: UInt32, in transaction: borrowing ReadTransaction,
        _ body: (UInt32) -> Void
    ) throws {
        let prefix = Key(prefix: Schema.Word.posting).u32(term)
        var left = passages[...]
        while let last = left.last {
            let bound = last == .max ? nil : Optional(blockKey(term, last + 1))
            var isThere = false
            try Schema.word.scanBackwards(prefix: prefix, below: bound, in: transaction) { key, value in
                isThere = true
                let block = try PostingBlock(key: key, value)
                let first = key.keyU32(at: 5)
                while let passage = left.last, passage >= first {
                    if block.contains(passage) { body(passage) }
                    left.removeLast()
                }
                return false
            }
            if !isThere { return }
        }
    }

    /// Adds the postings of a term; passages ascend, and lie above all that the term has.
    static func append(
        _ postings: [Posting], to termKey: Key, _ state: inout HomeState,
        in transaction: borrowing WriteTransaction
    ) throws {
        let known = try number(of: termKey, in: transaction.snapshot)
        let term = known ?? state.nextTerm
        if known == nil {
            state.nextTerm += 1
            var writer = ByteWriter(capacity: 4)
            writer.u32(term)
            try Schema.word.put(termKey, writer.bytes, in: transaction)
        }
        // The last block, if it has room and lies in the same range.
        var pending: [Posting] = []
        var first = postings[0].passage
        let prefix = Key(prefix: Schema.Word.posting).u32(term)
        if known == nil, postings.count <= blockCapacity,
            first & ~0xffff == postings[postings.count - 1].passage & ~0xffff
        {
            return try put(postings, term, first, in: transaction)
        }
        try Schema.word.scanBackwards(prefix: prefix, in: transaction.snapshot) { key, value in
            let block = try PostingBlock(key: key, value)
            if block.count < blockCapacity, block.base == postings[0].passage & ~0xffff {
                first = key.keyU32(at: 5)
                for index in 0..<block.count {
                    pending.append(
                        Posting(passage: block.passage(at: index), frequency: block.frequency(at: index)))
                }
            }
            return false
        }
        for posting in postings {
            if pending.isEmpty {
                first = posting.passage
            } else if pending.count == blockCapacity || posting.passage & ~0xffff != first & ~0xffff {
                try put(pending, term, first, in: transaction)
                pending.removeAll(keepingCapacity: true)
                first = posting.passage
            }
            pending.append(posting)
        }
        try put(pending, term, first, in: transaction)
    }

    /// Takes a passage out of a term's postings, and the term out of the dictionary with its last one.
    static func remove(
        _ passage: UInt32, from termKey: Key, in transaction: borrowing WriteTransaction
    ) throws {
        guard let term = try number(of: termKey, in: transaction.snapshot) else { return }
        let prefix = Key(prefix: Schema.Word.posting).u32(term)
        var first: UInt32?
        var rest: [Posting] = []
        let bound = passage == .max ? nil : Optional(blockKey(term, passage + 1))
        try Schema.word.scanBackwards(prefix: prefix, below: bound, in: transaction.snapshot) { key, value in
            let block = try PostingBlock(key: key, value)
            first = key.keyU32(at: 5)
            for index in 0..<block.count where block.passage(at: index) != passage {
                rest.append(Posting(passage: block.passage(at: index), frequency: block.frequency(at: index)))
            }
            if rest.count == block.count { first = nil }
            return false
        }
        guard let first else { return }
        if rest.isEmpty {
            try Schema.word.remove(blockKey(term, first), in: transaction)
            var isLast = true
            try Schema.word.scan(prefix: prefix, in: transaction.snapshot) { _, _ in
                isLast = false
                return false
            }
            if isLast { try Schema.word.remove(termKey, in: transaction) }
        } else {
            // A block is named by its first passage.
            if rest[0].passage != first { try Schema.word.remove(blockKey(term, first), in: transaction) }
            try put(rest, term, rest[0].passage, in: transaction)
        }
    }

    private static func put(
        _ postings: [Posting], _ term: UInt32, _ first: UInt32, in transaction: borrowing WriteTransaction
    ) throws {
        var writer = ByteWriter(capacity: 2 + postings.count * 3)
        writer.u16(UInt16(postings.count))
        for posting in postings { writer.u16(UInt16(truncatingIfNeeded: posting.passage)) }
        for posting in postings { writer.u8(posting.frequency) }
        try Schema.word.put(blockKey(term, first), writer.bytes, in: transaction)
    }
}

/// A passage that holds a term, and how often.
struct Posting: Equatable, Sendable {
    var passage: UInt32
    var frequency: UInt8
}

/// A block of postings, still in its page.
struct PostingBlock: ~Escapable {
    /// The first passage of the range that the block lies in.
    let base: UInt32
    let count: Int
    private let bytes: RawSpan

    @_lifetime(copy bytes)
    init(key: RawSpan, _ bytes: RawSpan) throws {
        guard key.byteCount == 9, bytes.byteCount >= 2, bytes.byteCount == 2 + 3 * Int(bytes.u16(at: 0)),
            bytes.byteCount > 2
        else { throw StoreError(.corrupted, "a block of postings has \(bytes.byteCount) bytes") }
        base = key.keyU32(at: 5) & ~0xffff
        count = Int(bytes.u16(at: 0))
        self.bytes = bytes
    }

    func passage(at index: Int) -> UInt32 { base | UInt32(bytes.u16(at: 2 + index * 2)) }
    func frequency(at index: Int) -> UInt8 { bytes.u8(at: 2 + count * 2 + index) }

    /// - Complexity: O(log n): its passages ascend.
    func contains(_ passage: UInt32) -> Bool {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self.passage(at: middle) < passage { low = middle + 1 } else { high = middle }
        }
        return low < count && self.passage(at: low) == passage
    }

    /// How many of its passages are in a set.
    ///
    /// - Complexity: O(passages), or less where nearly all between its first and its last are in the set.
    func count(in set: PassageSet) -> Int {
        let (first, last) = (passage(at: 0), passage(at: count - 1))
        guard first <= last, last < set.capacity else { return countOneByOne(in: set) }
        let missing = set.missing(first...last, atMost: count / 16)
        guard let missing else { return countOneByOne(in: set) }
        return missing.reduce(count) { contains($1) ? $0 - 1 : $0 }
    }

    private func countOneByOne(in set: PassageSet) -> Int {
        var found = 0
        for index in 0..<count where set.contains(passage(at: index)) { found += 1 }
        return found
    }
}
