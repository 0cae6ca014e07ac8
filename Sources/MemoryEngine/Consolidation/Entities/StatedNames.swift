/// What texts say of names: which are one, which are short for another, and which are not one.
struct StatedNames {
    struct Apart: Hashable {
        var first: Int
        var second: Int
    }

    private(set) var defined: [NamePair] = []
    private(set) var joined: [NamePair] = []
    private(set) var calledSo: [NamePair] = []
    private(set) var apart: Set<Apart> = []

    private let things: NamedThings
    /// How often two stand side by side in a list.
    private var besides: [Apart: Int] = [:]

    /// The bytes that are read before and behind a name.
    private static let reach = 80

    /// - Complexity: O(n) in the bytes of the memories.
    init(_ things: NamedThings) {
        self.things = things
        var short: [Int: Set<String>] = [:]
        for (place, memory) in things.study.memories.enumerated() {
            let text = memory.content
            // "a.k.a." has the form of the name of a file.
            let mentions = Mentions.find(in: text.span, limit: Extraction.maximumCount).filter {
                $0.key != "a.k.a"
            }
            for (index, mention) in mentions.enumerated() {
                abbreviation(mention, in: text, place)
                guard index + 1 < mentions.count else { continue }
                relation(mention, mentions[index + 1], in: text, place)
            }
        }
        // A short form of two things says nothing of either.
        for pair in defined {
            short[pair.first, default: []].insert(Self.loose(things.all[pair.second].name.key))
        }
        defined.removeAll { (short[$0.first]?.count ?? 0) > 1 }
        for (pair, count) in besides where count > 1 { apart.insert(pair) }
        readCalls()
    }

    /// A name without what tells writings of one name apart.
    private static func loose(_ key: String) -> String {
        let plain = key.filter { $0.isLetter || $0.isNumber }
        return plain.hasSuffix("s") ? String(plain.dropLast()) : plain
    }

    // MARK: Short forms

    /// "Long Form (LF)" and "LF (Long Form)" (Schwartz and Hearst, 2003); both have to be names of the home.
    private mutating func abbreviation(_ mention: Mention, in text: [UInt8], _ place: Int) {
        guard [.name, .identifier, .code].contains(mention.kind), let short = things.index(of: mention)
        else { return }
        let surface = String(decoding: text[mention.range], as: UTF8.self)
        guard let form = ShortForm(surface) else { return }
        var forms: [String] = []
        var range = mention.range
        if let open = Self.openBracket(before: mention.range.lowerBound, in: text),
            Self.closes(text, mention.range.upperBound)
        {
            forms = form.longForms(
                atEndOf: String(decoding: text[max(0, open - Self.reach)..<open], as: UTF8.self))
            range = open..<mention.range.upperBound
        } else if let open = Self.opensBracket(text, mention.range.upperBound),
            let close = text[open...].prefix(Self.reach).firstIndex(of: UInt8(ascii: ")"))
        {
            let inside = String(decoding: text[open..<close], as: UTF8.self)
            if form.isShort(for: inside) { forms = [inside] }
            range = mention.range.lowerBound..<close
        }
        let names = forms.compactMap { long in
            things.index(.name, FoldedKey.fold(Self.plain(long))).map { (long: long, index: $0) }
        }
        guard let (long, index) = names.first, index != short else { return }
        if range.lowerBound < mention.range.lowerBound {
            range = max(0, range.lowerBound - long.utf8.count)..<range.upperBound
        }
        defined.append(
            NamePair(
                first: short, second: index, rule: .defined, says: "\(long), \(surface)",
                places: [NamedThing.Place(memory: place, range: range)]))
    }

    private static func plain(_ name: String) -> String {
        name.hasPrefix("the ") ? String(name.dropFirst(4)) : name
    }

    /// Where a bracket stands that opens right before `index`; spaces before it do not count.
    private static func openBracket(before index: Int, in text: [UInt8]) -> Int? {
        var index = index
        while index > 0, isQuote(text[index - 1]) { index -= 1 }
        guard index > 0, text[index - 1] == UInt8(ascii: "(") else { return nil }
        index -= 1
        while index > 0, text[index - 1] == UInt8(ascii: " ") || text[index - 1] == UInt8(ascii: "\n") {
            index -= 1
        }
        return index
    }

    private static func closes(_ text: [UInt8], _ index: Int) -> Bool {
        var index = index
        while index < text.count, isQuote(text[index]) { index += 1 }
        return index < text.count && (text[index] == UInt8(ascii: ")") || text[index] == UInt8(ascii: ","))
    }

    private static func opensBracket(_ text: [UInt8], _ index: Int) -> Int? {
        var index = index
        while index < text.count, isQuote(text[index]) { index += 1 }
        guard index + 1 < text.count, text[index] == UInt8(ascii: " "), text[index + 1] == UInt8(ascii: "(")
        else { return nil }
        return index + 2
    }

    private static func isQuote(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "`") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
    }

    // MARK: What stands between two names

    private mutating func relation(_ a: Mention, _ b: Mention, in text: [UInt8], _ place: Int) {
        let between = a.range.upperBound..<b.range.lowerBound
        guard between.count <= Self.reach, !between.isEmpty, let first = things.index(of: a),
            let second = things.index(of: b), first != second, !Self.goesOn(text, b)
        else { return }
        let gap = Self.folded(text[between])
        let before = { Self.folded(text[max(0, a.range.lowerBound - 40)..<a.range.lowerBound]) }
        let behind = { Self.folded(text[b.range.upperBound..<min(text.count, b.range.upperBound + 40)]) }
        switch NameRelation(gap, before: before, behind: behind) {
        case .one where !isRole(second) && !isRole(first):
            joined.append(pair(first, second, says: gap, a.range.lowerBound..<b.range.upperBound, place))
        case .formerly where !isRole(second) && mayBeRenamed(first):
            joined.append(pair(first, second, says: gap, a.range.lowerBound..<b.range.upperBound, place))
        case .apart: apart.insert(ordered(first, second))
        case .beside: besides[ordered(first, second), default: 0] += 1
        default: break
        }
    }

    /// Whether a capital follows, so that the name is longer than it was read: "Research In Motion".
    private static func goesOn(_ text: [UInt8], _ mention: Mention) -> Bool {
        let next = mention.range.upperBound
        return mention.kind == .name && next + 1 < text.count && text[next] == UInt8(ascii: " ")
            && text[next + 1] &- UInt8(ascii: "A") < 26
    }

    private func pair(_ a: Int, _ b: Int, says: String, _ range: Range<Int>, _ place: Int) -> NamePair {
        NamePair(
            first: a, second: b, rule: .stated, says: says.filter { !"(),:".contains($0) }.trimmed,
            places: [NamedThing.Place(memory: place, range: range)])
    }

    private func ordered(_ a: Int, _ b: Int) -> Apart { Apart(first: min(a, b), second: max(a, b)) }

    /// "Ada (formerly IBM)" tells where somebody was, and no name: a bare "formerly" is believed of single words and code only.
    private func mayBeRenamed(_ index: Int) -> Bool {
        let thing = things.all[index]
        guard thing.name.sort == .name else { return true }
        return thing.words.count == 1 && !GivenNames.contains(thing.words[0])
            && things.index(.actor, thing.name.key) == nil
    }

    /// What somebody is, and not how it is called.
    private func isRole(_ index: Int) -> Bool {
        things.all[index].words.contains { Self.roles.contains($0) }
    }

    private static let roles: Set<Substring> = [
        "ceo", "cto", "cfo", "coo", "cio", "president", "director", "minister", "professor", "secretary",
        "manager", "chair", "chairman", "head", "vp", "phd",
    ]

    /// In lower case, without quotes; any white space is one space.
    private static func folded(_ bytes: ArraySlice<UInt8>) -> String {
        var folded: [UInt8] = []
        for byte in bytes where !isQuote(byte) && byte != UInt8(ascii: "*") {
            if byte > 0x20 {
                folded.append(byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte)
            } else if folded.last != 0x20 {
                folded.append(0x20)
            }
        }
        return String(decoding: folded, as: UTF8.self)
    }

    // MARK: Calls

    /// "Hey Mel!" by one of two who talk names the other, where it is the beginning of the other's name.
    private mutating func readCalls() {
        var actors: [UInt32: Set<String>] = [:]
        for memory in things.study.memories where memory.series != 0 {
            if let actor = memory.actor, (actors[memory.series]?.count ?? 0) < 3 {
                actors[memory.series, default: []].insert(actor.lowercased())
            }
        }
        var meant: [Int: Set<String>] = [:]
        var pairs: [NamePair] = []
        for (index, thing) in things.all.enumerated() where thing.name.sort == .name {
            guard thing.words.count == 1, thing.name.key.utf8.count >= 3,
                things.index(.actor, thing.name.key) == nil
            else { continue }
            for place in thing.places {
                let memory = things.study.memories[place.memory]
                guard let names = actors[memory.series], names.count == 2,
                    let actor = memory.actor?.lowercased(),
                    let other = names.first(where: { $0 != actor }), other.hasPrefix(thing.name.key),
                    other.split(separator: " ").first.map({ $0.count > thing.name.key.count }) ?? false,
                    Self.isCall(memory.content, place.range), let second = things.index(.actor, other)
                else { continue }
                if meant[index, default: []].insert(other).inserted {
                    pairs.append(
                        NamePair(first: index, second: second, rule: .calledSo, says: nil, places: [place]))
                }
            }
        }
        calledSo = pairs.filter { meant[$0.first]?.count == 1 }
    }

    private static let greetings: Set<Substring> = [
        "hey", "hi", "hello", "thanks", "thank", "you", "morning", "evening", "congrats", "wow", "dear", "oh",
        "yeah", "yes", "no", "sure", "bye", "night", "afternoon", "yep", "nope", "thx", "absolutely",
    ]

    /// Whether a name is said to whom it names: behind a greeting, or between commas.
    private static func isCall(_ text: [UInt8], _ range: Range<Int>) -> Bool {
        let before = folded(text[max(0, range.lowerBound - 24)..<range.lowerBound])
        let sign = range.upperBound < text.count ? text[range.upperBound] : UInt8(ascii: ".")
        guard ".!?,".utf8.contains(sign) else { return false }
        if before.hasSuffix(", ") { return true }
        return before.split(separator: " ").last.map(greetings.contains) ?? false
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
