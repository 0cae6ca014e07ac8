/// Walks over a text by windows of tokens, and reads the clauses around each cue.
struct CausalCueFinder {
    /// The most tokens of a clause.
    static let reach = 200

    let limit: Int
    private(set) var cues: [CausalCue] = []
    private var tokens: [TextToken] = []

    init(limit: Int) { self.limit = limit }

    mutating func scan(_ utf8: Span<UInt8>) {
        var reader = TokenReader(CueWord.lexicon)
        tokens.reserveCapacity(1_024)
        var index = 0
        while true {
            let hasEnded = reader.fill(&tokens, upTo: 1_024, from: utf8)
            let end = tokens.count - (hasEnded ? 0 : Self.reach)
            while index < end, cues.count < limit {
                index = tokens[index].tag == 0 ? index + 1 : read(at: index, utf8)
            }
            if hasEnded || cues.count >= limit { return }
            let done = max(0, index - Self.reach)
            tokens.removeFirst(done)
            index -= done
        }
    }

    private func token(_ index: Int) -> TextToken {
        index >= 0 && index < tokens.count ? tokens[index] : TextToken()
    }

    private func cue(_ index: Int) -> CueWord? { token(index).cue }

    /// A cue as it was recognised: its rule, its tokens, and the side of its cause.
    struct Sighting {
        var rule: CausalCue.Rule
        var end: Int
        var direction: CausalCue.Direction
    }

    /// Reads a cue that begins at `index`. Returns where to read on.
    private mutating func read(at index: Int, _ utf8: Span<UInt8>) -> Int {
        guard let seen = sighting(at: index) else { return index + 1 }
        guard let cue = clauses(of: seen, at: index, utf8) else { return index + 1 }
        cues.append(cue)
        return seen.end
    }

    private func sighting(at index: Int) -> Sighting? {
        func seen(_ rule: CausalCue.Rule, _ count: Int, _ direction: CausalCue.Direction) -> Sighting {
            Sighting(rule: rule, end: index + count, direction: direction)
        }
        let (first, second, third, fourth) = (cue(index), cue(index + 1), cue(index + 2), cue(index + 3))
        switch (first, second, third, fourth) {
        case (.because, .of, _, _): return seen(.because, 2, .causeBehind)
        case (.because, _, _, _): return seen(.because, 1, .causeBehind)
        case (.due, .to, _, _): return third == .infinitive ? nil : seen(.dueTo, 2, .causeBehind)
        case (.owing, .to, _, _): return seen(.dueTo, 2, .causeBehind)
        case (.on, .account, .of, _): return seen(.dueTo, 3, .causeBehind)
        case (.caused, .by, _, _), (.triggered, .by, _, _): return seen(.causedBy, 2, .causeBehind)
        case (.caused, .the, _, _), (.caused, .a, _, _), (.caused, .determiner, _, _):
            return seen(.causes, 1, .causeBefore)
        case (.resulted, .from, _, _), (.results, .from, _, _): return seen(.causedBy, 2, .causeBehind)
        case (.thanks, .to, _, _): return thanksSomeone(index + 2) ? nil : seen(.thanksTo, 2, .causeBehind)
        case (.since, _, _, _): return isCausalSince(index) ? seen(.since, 1, .causeBehind) : nil
        case (.in, .response, .to, _): return seen(.inResponseTo, 3, .causeBehind)
        case (.in, .order, .to, _): return seen(.inOrderTo, 3, .causeBefore)
        case (.for, .this, .reason, _), (.for, .that, .reason, _): return seen(.therefore, 3, .causeBefore)
        case (.as, .a, .result, .of): return seen(.asAResult, 4, .causeBehind)
        case (.as, .a, .result, _): return seen(.asAResult, 3, .causeBefore)
        case (.led, .to, _, _), (.leads, .to, _, _): return seen(.ledTo, 2, .causeBefore)
        case (.resulted, .in, _, _), (.results, .in, _, _): return seen(.ledTo, 2, .causeBefore)
        case (.therefore, _, _, _): return seen(.therefore, 1, .causeBefore)
        case (.so, .that, _, _): return seen(.soThat, 2, .causeBefore)
        case (.so, _, _, _):
            return token(index - 1).isSign(",") && second != .degree && token(index + 1).kind == .word
                ? seen(.so, 1, .causeBefore) : nil
        case (.which, .is, .why, _), (.that, .is, .why, _), (.this, .is, .why, _):
            return seen(.thatIsWhy, 3, .causeBefore)
        case (.that, _, _, _) where token(index + 1).isSign("'") && cue(index + 3) == .why:
            return seen(.thatIsWhy, 4, .causeBefore)
        case (.causes, .the, _, _), (.causes, .a, _, _), (.causes, .this, _, _), (.causes, .determiner, _, _):
            return seen(.causes, 1, .causeBefore)
        case (.this, .reverts, _, _): return seen(.reverts, third == .commit ? 3 : 2, .causeBehind)
        case (.reverts, _, _, _), (.revert, _, _, _):
            return startsLine(index) ? seen(.reverts, second == .commit ? 2 : 1, .causeBehind) : nil
        case (.fixes, _, _, _): return seen(.fixes, token(index + 1).isSign(":") ? 2 : 1, .causeBehind)
        case (.introduced, .in, _, _), (.introduced, .by, _, _), (.regression, .from, _, _),
            (.broken, .by, _, _),
            (.broken, .since, _, _), (.broken, .in, _, _):
            return seen(.introduced, 2, .causeBehind)
        default: return nil
        }
    }

    /// "Thanks to Ada for the report" thanks Ada.
    private func thanksSomeone(_ index: Int) -> Bool {
        for position in index..<index + 12 {
            let token = token(position)
            if token.kind == .end || endsClause(position) || token.isSign(",") { return false }
            if token.cue == .for { return true }
        }
        return false
    }

    /// A verb of the present among the next words, and no point of time.
    private func isCausalSince(_ index: Int) -> Bool {
        var hasVerb = false
        // "It has been ages since": of time.
        if cue(index - 1) == .length { return false }
        for position in index + 1..<index + 6 {
            let token = token(position)
            if token.kind == .end || endsClause(position) || token.isSign(",") { break }
            if token.kind == .number { return false }
            if token.cue == .time { return false }
            // The subject comes first: "since is" and "since to" are none.
            if position > index + 1, token.cue == .present || token.cue == .is { hasVerb = true }
        }
        return hasVerb
    }

    private func startsLine(_ index: Int) -> Bool { token(index - 1).kind == .end || token(index).startsLine }

    // MARK: - Clauses

    /// Whether a sentence or a part of it ends with this token. A point within a number, a name or a path ends none.
    private func endsClause(_ index: Int) -> Bool {
        let token = token(index)
        guard token.kind == .sign else { return false }
        return token.endsSentence && !self.token(index + 1).isGlued || token.sign == UInt8(ascii: ";")
    }

    /// The first token of the clause that `index` lies in. What stands in brackets is a clause of its own.
    private func clauseStart(_ index: Int) -> Int {
        var start = index
        var depth = 0
        while start > 0, index - start < Self.reach, !endsClause(start - 1), !token(start).startsParagraph {
            if token(start - 1).isSign(")") { depth += 1 }
            if token(start - 1).isSign("(") {
                if depth == 0 { break }
                depth -= 1
            }
            start -= 1
        }
        return start
    }

    /// The token behind the clause's last one.
    private func clauseEnd(_ index: Int, isLine: Bool = false, orComma: Bool = false) -> Int {
        var end = index
        var depth = 0
        while end < tokens.count, end - index < Self.reach, !endsClause(end) {
            let token = token(end)
            if end > index, token.startsParagraph || isLine && token.startsLine { break }
            if orComma, token.isSign(",") { break }
            if token.isSign("(") { depth += 1 }
            if token.isSign(")") {
                if depth == 0 { break }
                depth -= 1
            }
            end += 1
        }
        return end
    }

    /// The bytes from one token to the one before another, without signs at the ends; empty where nothing is left.
    private func bytes(_ from: Int, _ until: Int, at place: Int) -> Range<Int> {
        var (from, until) = (from, until)
        while from < until, token(from).kind == .sign, !opens(token(from)) { from += 1 }
        while until > from, token(until - 1).kind == .sign, !closes(token(until - 1)) { until -= 1 }
        return from < until ? tokens[from].start..<tokens[until - 1].end : place..<place
    }

    private func opens(_ token: TextToken) -> Bool {
        [
            UInt8(ascii: "#"), UInt8(ascii: "\""), UInt8(ascii: "("), UInt8(ascii: "/"), UInt8(ascii: "<"),
            UInt8(ascii: "`"), UInt8(ascii: "@"),
        ]
        .contains(token.sign)
    }

    private func closes(_ token: TextToken) -> Bool {
        [
            UInt8(ascii: "\""), UInt8(ascii: ")"), UInt8(ascii: ">"), UInt8(ascii: "`"), UInt8(ascii: "%"),
            UInt8(ascii: "'"),
        ].contains(token.sign)
    }

    private func clauses(of seen: Sighting, at index: Int, _ utf8: Span<UInt8>) -> CausalCue? {
        let range = tokens[index].start..<tokens[min(seen.end, tokens.count) - 1].end
        var cue = CausalCue(
            rule: seen.rule, range: range, cause: range.upperBound..<range.upperBound,
            effect: range.lowerBound..<range.lowerBound,
            direction: seen.direction, references: [])
        switch seen.rule {
        case .fixes, .reverts, .introduced:
            return withReferences(cue, at: index, seen.end, utf8)
        default: break
        }
        let start = clauseStart(index)
        let before = bytes(start, index, at: range.lowerBound)
        let end = clauseEnd(seen.end)
        let behind = bytes(seen.end, end, at: range.upperBound)
        switch seen.direction {
        case .causeBehind, .causeFirst:
            if before.isEmpty {
                // "Because it rained, we stayed."
                let comma = clauseEnd(seen.end, orComma: true)
                cue.cause = bytes(seen.end, comma, at: range.upperBound)
                cue.effect = bytes(comma, end, at: range.upperBound)
                cue.direction = .causeFirst
                // A cue that answers a question has its effect in that question.
                if cue.effect.isEmpty {
                    cue.effect = bytes(
                        clauseStart(max(0, start - 1)), max(0, start - 1), at: range.lowerBound)
                }
            } else {
                (cue.cause, cue.effect) = (behind, before)
            }
            // What is not there cannot be the cause.
            if cue.cause.isEmpty { return nil }
        case .causeBefore:
            (cue.cause, cue.effect) = (before, behind)
            let isPurpose = seen.rule == .inOrderTo || seen.rule == .soThat
            if isPurpose, before.isEmpty {
                // "In order to be safe, we lock it."
                let comma = clauseEnd(seen.end, orComma: true)
                cue.effect = bytes(seen.end, comma, at: range.upperBound)
                cue.cause = bytes(comma, end, at: range.upperBound)
            } else if seen.rule == .therefore, !before.isEmpty, start > 0, token(index - 1).kind == .word,
                self.cue(index - 1) != .and
            {
                // "It is therefore late": the sentence before is the cause.
                cue.cause = range.lowerBound..<range.lowerBound
            }
            if cue.cause.isEmpty, !isPurpose, start > 0 {
                cue.cause = bytes(clauseStart(start - 1), start - 1, at: range.lowerBound)
            }
            if cue.effect.isEmpty { return nil }
        }
        cue.references = references(in: cue, utf8)
        return cue
    }

    /// Fixes, reverts and introductions are cues only if they name what they speak of, and soon.
    private func withReferences(
        _ cue: CausalCue, at index: Int, _ end: Int, _ utf8: Span<UInt8>
    ) -> CausalCue? {
        // Whatever can be looked up has a digit or a quote: nearly all that "fixes" something ends here.
        guard (end..<end + 8).contains(where: { token($0).kind == .number || token($0).isSign("\"") }) else {
            return nil
        }
        var cue = cue
        let last = clauseEnd(end, isLine: true)
        // Only what stands near: "fixes a bug in the parser" speaks of nothing that has a name.
        let near = bytes(end, min(last, end + 60), at: cue.range.upperBound)
        let hash = Self.hashBehind(near, utf8, isCommit: cue.rule == .reverts)
        var found = Self.references(utf8, near, isInCause: true, hash: hash)
        let other: CausalReference.Kind = cue.rule == .introduced ? .issue : .version
        found = found.filter { $0.kind != other }
        // A quote is a commit's subject behind its hash, and what is reverted.
        guard let first = found.first, first.kind != .subject || cue.rule == .reverts,
            first.range.lowerBound - cue.range.upperBound <= 24
        else { return nil }
        var until = max(near.lowerBound, found.last?.range.upperBound ?? 0)
        while until < near.upperBound, [UInt8(ascii: "\""), UInt8(ascii: ")")].contains(utf8[until]) {
            until += 1
        }
        let cause = min(near.lowerBound, first.range.lowerBound)..<until
        cue.cause = cause
        let start = clauseStart(index)
        cue.effect = bytes(start, index, at: cue.range.lowerBound)
        if cue.effect.isEmpty, start > 0 {
            cue.effect = bytes(clauseStart(start - 1), start - 1, at: cue.range.lowerBound)
        }
        if cue.effect.isEmpty, last < tokens.count {
            let next = endsClause(last) ? last + 1 : last
            cue.effect = bytes(next, clauseEnd(next), at: cue.range.upperBound)
        }
        cue.references = Array(
            (Self.references(utf8, cue.effect, isInCause: false) + found).sorted {
                $0.range.lowerBound < $1.range.lowerBound
            }.prefix(16))
        return cue
    }

    /// The hash right behind a cue, also one that elsewhere would be a number: all digits but an `e`, or digits only
    /// where a subject follows or a commit is reverted.
    private static func hashBehind(_ near: Range<Int>, _ utf8: Span<UInt8>, isCommit: Bool) -> Range<Int>? {
        var start = near.lowerBound
        while start < near.upperBound, utf8[start] == UInt8(ascii: " ") { start += 1 }
        let word = Array("commit ".utf8)
        if near.upperBound - start > word.count, word.indices.allSatisfy({ utf8[start + $0] == word[$0] }) {
            start += word.count
        }
        var end = start
        var letters = 0
        while end < near.upperBound, end - start <= 40 {
            let byte = utf8[end]
            let isLetter = (byte | 0x20) &- UInt8(ascii: "a") < 6
            guard isLetter || byte &- UInt8(ascii: "0") < 10 else { break }
            letters += isLetter ? 1 : 0
            end += 1
        }
        guard (7...40).contains(end - start), end - start > letters else { return nil }
        if end < utf8.count {
            let byte = utf8[end]
            let isWord =
                byte >= 0x80 || (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10
            if isWord || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") { return nil }
        }
        let subject = Array(" (\"".utf8)
        let hasSubject =
            end + subject.count <= utf8.count && subject.indices.allSatisfy { utf8[end + $0] == subject[$0] }
        return letters > 0 || hasSubject || isCommit ? start..<end : nil
    }

    private func references(in cue: CausalCue, _ utf8: Span<UInt8>) -> [CausalReference] {
        let found =
            Self.references(utf8, cue.cause, isInCause: true)
            + Self.references(utf8, cue.effect, isInCause: false)
        return Array(found.sorted { $0.range.lowerBound < $1.range.lowerBound }.prefix(16))
    }

    /// What some bytes refer to; `hash` is known to be a commit's.
    private static func references(
        _ utf8: Span<UInt8>, _ range: Range<Int>, isInCause: Bool, hash: Range<Int>? = nil
    ) -> [CausalReference] {
        guard !range.isEmpty else { return [] }
        var found: [CausalReference] = []
        for mention in Mentions.find(in: utf8.extracting(range), limit: 64) {
            let kind: CausalReference.Kind
            switch mention.kind {
            case .commit: kind = .commit
            case .issue: kind = .issue
            case .version: kind = .version
            default: continue
            }
            let place =
                mention.range.lowerBound + range.lowerBound..<mention.range.upperBound + range.lowerBound
            found.append(CausalReference(kind: kind, range: place, key: mention.key, isInCause: isInCause))
        }
        if let hash {
            found.removeAll { $0.range.overlaps(hash) }
            found.append(
                CausalReference(
                    kind: .commit, range: hash, key: MentionForms.text(utf8, hash).lowercased(),
                    isInCause: isInCause))
        }
        // A subject stands in double quotes and brackets behind its hash: 66ee8f2 ("Read it twice"); or it is all.
        let hashes = Set(found.filter { $0.kind == .commit }.map(\.range.upperBound))
        var index = range.lowerBound
        var open: Int?
        while index < range.upperBound {
            if utf8[index] == UInt8(ascii: "\"") {
                if let start = open {
                    let isBehindHash = (start - 4...start - 2).contains { hashes.contains($0) }
                    if index - start >= 4, index - start <= 200, isBehindHash || start - 1 == range.lowerBound
                    {
                        found.append(
                            CausalReference(
                                kind: .subject, range: start..<index,
                                key: MentionForms.text(utf8, start..<index), isInCause: isInCause))
                    }
                    open = nil
                } else {
                    open = index + 1
                }
            }
            index += 1
        }
        return found.sorted { $0.range.lowerBound < $1.range.lowerBound }
    }
}
