/// Fills a budget of tokens with entries, the most wanted first.
struct ContextBuilder {
    let budget: Int
    let counter: TokenCounter
    private(set) var entries: [ContextPack.Entry] = []
    /// Entries that found no place.
    private(set) var omittedCount = 0

    /// A text cut shorter than this says too little.
    private static let shortestCut = 40
    /// Of the best entry, less is better than another.
    private static let shortestFirstCut = 12

    init(budget: Int, counter: TokenCounter) {
        self.budget = budget
        self.counter = counter
    }

    /// The pack is filled so far that the rest is not worth a search for what fits.
    private static let fullShare = 0.95

    /// Filled less than so far, the pack gives its least wanted entry for a longer one.
    private static let leastShare = 0.9

    /// So many entries that do not fit are tried before the rest is given up.
    private static let maximumRefusedCount = 16

    /// So many of the least wanted entries are tried to be given for another.
    private static let maximumGivenCount = 3

    /// So many more of those that found no place are looked at for the exchange.
    private static let maximumOtherCount = 48

    /// Adds what fits of the entries, in their order; of one that does not, the beginning, up to the end of a sentence
    /// where that fills the pack, else of a word. What then stays free of a small budget, too little for the head of an
    /// entry, is filled by a longer entry in the place of the least wanted one, if that is neither the best nor here for
    /// the sake of another.
    ///
    /// - Complexity: O(the pack), and for each entry that does not fit a few times that.
    mutating func fill(_ wanted: [ContextPack.Entry]) {
        var used = 0
        var refused: [ContextPack.Entry] = []
        for (index, entry) in wanted.enumerated() {
            // A pack's count is near the sum of its entries'; it is counted whole at the end.
            let estimate = counter.count(entry.serialized(entries.count + 1)) + 1
            if used + estimate <= budget {
                entries.append(entry)
                used += estimate
                continue
            }
            guard refused.count < Self.maximumRefusedCount, used < count(of: Self.fullShare) else {
                refused.append(contentsOf: wanted[index...].prefix(Self.maximumOtherCount))
                break
            }
            if let cut = cut(entry, behind: entries) {
                entries.append(cut)
                used = counter.count(text)
            } else {
                refused.append(entry)
            }
        }
        // The counter need not count a whole as the sum of its parts.
        while counter.count(text) > budget, let last = entries.popLast() {
            if let cut = cut(last, behind: entries) {
                entries.append(cut)
            } else {
                refused.insert(last, at: 0)
            }
        }
        if counter.count(text) < count(of: Self.leastShare) { exchange(with: refused) }
        omittedCount = wanted.count - entries.count
    }

    /// Puts the first of `others` that fills the pack, or else the one that fills it best, in the place of one of the
    /// least wanted entries; where none does, behind a shorter part of the least wanted one.
    private mutating func exchange(with others: [ContextPack.Entry]) {
        var best = Filling(entries: entries, count: counter.count(text))
        for place in entries.indices.dropFirst().suffix(Self.maximumGivenCount).reversed()
        where entries[place].note == nil && !isSpokenOf(place) {
            var rest = entries
            rest.remove(at: place)
            if add(oneOf: others, to: rest, best: &best) { break }
        }
        if best.count < count(of: Self.leastShare), entries.count > 1, let last = entries.last,
            last.note == nil
        {
            for eighths in (1...7).reversed() {
                guard let part = last.words(ofAtMost: last.text.utf8.count * eighths / 8) else { break }
                if add(oneOf: others, to: entries.dropLast() + [part], best: &best) { break }
            }
        }
        entries = best.entries
    }

    /// Puts an entry that stands for several which found no place behind the others, or in the place of some of the least
    /// wanted ones, where the pack is filled as well with it.
    ///
    /// - Parameter given: at most so many entries are given for it.
    /// - Returns: whether it found its place.
    mutating func stand(_ entry: ContextPack.Entry, inThePlaceOfAtMost given: Int) -> Bool {
        var rest = entries
        var others: [ContextPack.Entry] = []
        while !fits(rest + [entry]) {
            guard others.count < given, rest.count > 1, let last = rest.last, last.note == nil,
                !isSpokenOf(rest.count - 1)
            else { return false }
            others.insert(rest.removeLast(), at: 0)
        }
        rest.append(entry)
        // What is free now takes what was given, as far as it goes.
        for other in others {
            if let part = fits(rest + [other]) ? other : cut(other, behind: rest) { rest.append(part) }
        }
        let filled = counter.count(ContextPack.serialized(rest))
        guard filled >= min(counter.count(text), count(of: Self.leastShare)) else { return false }
        let lost = others.count { other in !rest.contains { $0.citation.id == other.citation.id } }
        entries = rest
        omittedCount += lost
        return true
    }

    /// Whether an entry is here for the sake of the one at a place.
    private func isSpokenOf(_ place: Int) -> Bool {
        let id = entries[place].citation.id.description
        return entries.contains { $0.note?.contains(id) ?? false }
    }

    private struct Filling {
        var entries: [ContextPack.Entry]
        var count: Int
    }

    /// Whether with one of the others the pack is full enough; else the best that was seen stands in `best`.
    private func add(
        oneOf others: [ContextPack.Entry], to rest: [ContextPack.Entry], best: inout Filling
    ) -> Bool {
        for other in others {
            let whole = fits(rest + [other]) ? other : nil
            guard let part = whole ?? cut(other, behind: rest) else { continue }
            let filled = rest + [part]
            let count = counter.count(ContextPack.serialized(filled))
            if count > best.count { best = Filling(entries: filled, count: count) }
            if count >= self.count(of: Self.leastShare) { return true }
        }
        return false
    }

    private func count(of share: Double) -> Int { Int((Double(budget) * share).rounded(.up)) }

    var text: String { ContextPack.serialized(entries) }

    private func fits(_ entries: [ContextPack.Entry]) -> Bool {
        counter.count(ContextPack.serialized(entries)) <= budget
    }

    /// The longest beginning of an entry that fits: whole sentences if these fill the pack, else whole words.
    private func cut(
        _ entry: ContextPack.Entry, behind entries: [ContextPack.Entry]
    ) -> ContextPack.Entry? {
        let sentences = longest(of: entry, behind: entries) { $0.beginning(ofAtMost: $1) }
        if let sentences,
            counter.count(ContextPack.serialized(entries + [sentences])) >= count(of: Self.fullShare)
        {
            return sentences
        }
        return longest(of: entry, behind: entries) { $0.words(ofAtMost: $1) } ?? sentences
    }

    /// The longest part of an entry that fits, by halving.
    private func longest(
        of entry: ContextPack.Entry, behind entries: [ContextPack.Entry],
        _ beginning: (ContextPack.Entry, Int) -> ContextPack.Entry?
    ) -> ContextPack.Entry? {
        var low = 0
        var high = entry.text.utf8.count
        var best: ContextPack.Entry?
        let shortest = entries.isEmpty ? Self.shortestFirstCut : Self.shortestCut
        while low < high, high - low > (entries.isEmpty ? 2 : 8) {
            let middle = (low + high + 1) / 2
            guard middle >= 4, let part = beginning(entry, middle) else {
                low = middle
                continue
            }
            if fits(entries + [part]) {
                if part.text.utf8.count >= shortest { best = part }
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
            score: score, note: note, scope: scope)
    }
}
