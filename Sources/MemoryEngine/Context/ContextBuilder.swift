/// Fills a budget of tokens with entries, the most wanted first.
struct ContextBuilder {
    let budget: Int
    let counter: TokenCounter
    private(set) var entries: [ContextPack.Entry] = []
    /// Entries that found no place.
    private(set) var omittedCount = 0

    /// A text cut shorter than this says too little.
    private static let shortestCut = 40

    init(budget: Int, counter: TokenCounter) {
        self.budget = budget
        self.counter = counter
    }

    /// The pack is filled so far that the rest is not worth a search for what fits.
    private static let fullShare = 0.95

    /// So many entries that do not fit are tried before the rest is given up.
    private static let maximumRefusedCount = 16

    /// Adds what fits of the entries, in their order; of one that does not, the beginning, up to the end of a sentence
    /// where that fills the pack, else of a word. What stays free then is less than the head of an entry and
    /// `shortestCut` bytes take.
    ///
    /// - Complexity: O(the pack), and for each entry that does not fit a few times that.
    mutating func fill(_ wanted: [ContextPack.Entry]) {
        var used = 0
        var refusedCount = 0
        for (index, entry) in wanted.enumerated() {
            // A pack's count is near the sum of its entries'; it is counted whole at the end.
            let estimate = counter.count(entry.serialized(entries.count + 1)) + 1
            if used + estimate <= budget {
                entries.append(entry)
                used += estimate
                continue
            }
            if let cut = cut(entry) {
                entries.append(cut)
                used = counter.count(text)
            }
            refusedCount += 1
            if Double(used) >= Double(budget) * Self.fullShare || refusedCount == Self.maximumRefusedCount {
                omittedCount +=
                    wanted.count - index - (entries.last?.citation.id == entry.citation.id ? 1 : 0)
                break
            }
            if entries.last?.citation.id != entry.citation.id { omittedCount += 1 }
        }
        // The counter need not count a whole as the sum of its parts.
        while counter.count(text) > budget, let last = entries.popLast() {
            if let cut = cut(last) { entries.append(cut) } else { omittedCount += 1 }
        }
    }

    var text: String { ContextPack.serialized(entries) }

    private func fits(_ entries: [ContextPack.Entry]) -> Bool {
        counter.count(ContextPack.serialized(entries)) <= budget
    }

    /// The longest beginning of an entry that fits: whole sentences if these fill the pack, else whole words.
    private func cut(_ entry: ContextPack.Entry) -> ContextPack.Entry? {
        let sentences = longest(of: entry) { $0.beginning(ofAtMost: $1) }
        if let sentences, counter.count(ContextPack.serialized(entries + [sentences])) >= fullCount {
            return sentences
        }
        return longest(of: entry) { $0.words(ofAtMost: $1) } ?? sentences
    }

    private var fullCount: Int { Int(Double(budget) * Self.fullShare) }

    /// The longest part of an entry that fits, by halving.
    private func longest(
        of entry: ContextPack.Entry, _ beginning: (ContextPack.Entry, Int) -> ContextPack.Entry?
    ) -> ContextPack.Entry? {
        var low = 0
        var high = entry.text.utf8.count
        var best: ContextPack.Entry?
        while low < high, high - low > 8 {
            let middle = (low + high + 1) / 2
            guard middle >= 4, let part = beginning(entry, middle) else {
                low = middle
                continue
            }
            if fits(entries + [part]) {
                if part.text.utf8.count >= Self.shortestCut { best = part }
                low = middle
            } else {
                high = middle - 1
            }
        }
        return best
    }
}

extension ContextPack.Entry {
    /// The entry with the beginning of its text only: whole sentences if it can be.
    func beginning(ofAtMost byteCount: Int) -> ContextPack.Entry? {
        guard byteCount < text.utf8.count else { return self }
        guard let range = PassageSplitter(maximumByteCount: byteCount).split(text).first else { return nil }
        return part(range)
    }

    /// The entry with the beginning of its text only, up to the end of a word, or of a character in a long one.
    func words(ofAtMost byteCount: Int) -> ContextPack.Entry? {
        guard byteCount < text.utf8.count else { return self }
        let bytes = Array(text.utf8)
        // Where a word ends right there, it is whole.
        var end = byteCount
        while end > 0, !Self.isSpace(bytes[end]) { end -= 1 }
        while end > 0, Self.isSpace(bytes[end - 1]) { end -= 1 }
        if end < byteCount / 2 {
            end = byteCount
            while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        }
        return end == 0 ? nil : part(0..<end)
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    /// - Parameter range: in bytes of the text.
    private func part(_ range: Range<Int>) -> ContextPack.Entry {
        let start = citation.range.lowerBound
        let bytes = Array(text.utf8)[range]
        return ContextPack.Entry(
            citation: Citation(
                namespace: citation.namespace, id: citation.id, version: citation.version,
                range: start + range.lowerBound..<start + range.upperBound),
            text: String(decoding: bytes, as: UTF8.self), happened: happened, actor: actor, kind: kind,
            score: score, note: note)
    }
}
