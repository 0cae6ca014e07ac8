/// What the words of a grammar are: a number for each of some hundred words, found with one multiplication
/// and, nearly always, one comparison (open addressing; at most a quarter of the slots is in use).
struct Lexicon: Sendable {
    private var keys: [WordKey]
    private var tags: [UInt16]
    private let shift: UInt64

    /// - Precondition: no word is longer than 16 bytes, no tag is 0, and no word stands there twice.
    init(_ entries: [(word: String, tag: UInt16)]) {
        var bits = 4
        while entries.count * 4 > 1 << bits { bits += 1 }
        shift = UInt64(64 - bits)
        keys = Array(repeating: .none, count: 1 << bits)
        tags = Array(repeating: 0, count: 1 << bits)
        for (word, tag) in entries {
            let key = WordKey(word)
            precondition(key != .none && tag != 0, "\"\(word)\" cannot be in a lexicon")
            var slot = slot(of: key)
            while tags[slot] != 0 {
                precondition(keys[slot] != key, "\"\(word)\" stands twice in a lexicon")
                slot = (slot + 1) & (keys.count - 1)
            }
            keys[slot] = key
            tags[slot] = tag
        }
    }

    /// The tag of a word, 0 if it is none of them.
    @inline(__always)
    func tag(of key: WordKey) -> UInt16 {
        var slot = slot(of: key)
        while tags[slot] != 0 {
            if keys[slot] == key { return tags[slot] }
            slot = (slot + 1) & (keys.count - 1)
        }
        return 0
    }

    @inline(__always)
    private func slot(of key: WordKey) -> Int {
        let mixed = (key.low ^ key.high &* 0xC2B2_AE3D_27D4_EB4F) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> shift)
    }
}
