/// What a fact gives its subject: a name, a number with its unit, a time, or other words. Two values are compared only where
/// they are of one sort: that a meeting is on Tuesday does not deny that it is at ten.
struct FactValue: Sendable, Equatable {
    enum Sort: Hashable, Sendable {
        /// Words that begin with capitals, or codes.
        case name
        /// A country or a state, of which a town may be a part.
        case country
        /// A number; with what it counts or measures.
        case number(of: String)
        /// Of the day, in minutes.
        case clock
        case weekday
        case date
        /// One of some states that exclude each other (`FactWords.states`).
        case state
        /// A thing in which or on which others lie, a numbered room, a floor.
        case place
        case words
    }

    var sort: Sort
    /// The words without articles, in lower case, numbers as digits.
    var words: [String]
    /// Of a number, in the least unit of its kind; of a time of day, in minutes.
    var number: Double?

    var text: String { words.joined(separator: " ") }

    /// Whether nothing has both values, so that who says the one takes the other back. What is only more precise does not.
    func excludes(_ other: FactValue) -> Bool {
        guard sort == other.sort, words != other.words else { return false }
        switch sort {
        case .number, .clock: return number != other.number
        case .weekday: return true
        case .state: return FactWords.excludes(text, other.text)
        case .date: return differsInDate(from: other)
        case .name, .country, .place, .words:
            let (mine, theirs) = (Set(words), Set(other.words))
            if mine.isSubset(of: theirs) || theirs.isSubset(of: mine) { return false }
            return !isShort(of: other) && !other.isShort(of: self)
        }
    }

    /// The same, by other words or in another unit at most.
    func equals(_ other: FactValue) -> Bool {
        words == other.words || sort == other.sort && number != nil && number == other.number
    }

    /// "Postgres" of "PostgreSQL", "NYC" of "New York City".
    private func isShort(of other: FactValue) -> Bool {
        guard words.count == 1, let word = words.first else { return false }
        if other.words.count == 1, word.count >= 5, other.words[0].hasPrefix(word) { return true }
        return other.words.count > 1 && word == String(other.words.compactMap(\.first))
    }

    private func differsInDate(from other: FactValue) -> Bool {
        let (mine, theirs) = (FactWords.dateParts(words), FactWords.dateParts(other.words))
        return mine.contains { part, value in theirs[part].map { $0 != value } ?? false }
    }
}

extension FactValue {
    /// The longest value in words.
    static let maximumCount = 8

    /// - Returns: `nil` where it is none, is several things, or is said to be about right.
    init?(_ tokens: ArraySlice<FactToken>) {
        let said = tokens.map { FactWords.numbers[$0.text].map(String.init) ?? $0.text }
        let content = zip(said, tokens).filter { !FactWords.articles.contains($0.0) }
        words = content.map(\.0)
        guard !words.isEmpty, words.count <= Self.maximumCount, tokens.last?.isSign != true,
            !words.contains(where: FactWords.notInValue.contains)
        else { return nil }
        sort = .words
        if words.first == "version" || words.first == "port", words.count > 1 { words.removeFirst() }
        if FactWords.isState(text) {
            sort = .state
        } else if words.count == 1, FactWords.weekdays[words[0]] != nil {
            sort = .weekday
        } else if let minutes = FactWords.clock(words) {
            (sort, number) = (.clock, minutes)
        } else if !FactWords.dateParts(words).isEmpty {
            sort = .date
        } else if let (value, unit) = FactWords.measure(words) {
            (sort, number) = (.number(of: unit), value)
        } else if FactWords.countries.contains(text) {
            sort = .country
        } else if FactWords.isPlace(words) {
            sort = .place
        } else if content.allSatisfy({ $0.1.isName || FactWords.inName.contains($0.0) }) {
            sort = .name
        }
    }

    /// A value as a caller gives it.
    init?(given text: String) {
        let tokens = FactText.sentences(of: text.utf8.span).flatMap { $0.words }
        guard let value = FactValue(tokens[...]) else {
            let folded = FoldedKey.fold(text)
            if folded.isEmpty { return nil }
            self.init(sort: .words, words: folded.split(separator: " ").map(String.init))
            return
        }
        self = value
        if sort == .name { sort = .words }
    }

    init(sort: Sort, words: [String]) {
        self.sort = sort
        self.words = words
    }
}
