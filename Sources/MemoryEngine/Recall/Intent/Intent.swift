/// What a question wants to know, in the words of MAGMA's router (arXiv 2601.03236) and of grammar.
public enum Intent: UInt8, Sendable, CaseIterable {
    /// A cause or a reason.
    case why = 0
    /// A time, or how long something took.
    case when
    /// A person.
    case who
    /// A place.
    case `where`
    /// A thing or a fact.
    case what
    /// A number of things.
    case howMany
    /// Anything else: how, whether, "tell me about".
    case open

    public var name: String {
        switch self {
        case .why: "why"
        case .when: "when"
        case .who: "who"
        case .where: "where"
        case .what: "what"
        case .howMany: "howMany"
        case .open: "open"
        }
    }

    public init?(name: String) {
        guard let intent = Intent.allCases.first(where: { $0.name == name }) else { return nil }
        self = intent
    }
}

/// An intent and what it rests on.
package struct IntentReading: Equatable, Sendable {
    package var intent: Intent
    /// From 0 to 1, an order of the rules and no probability: .95 for a question word at the start, .9 for a phrase that
    /// says it ("what year"), .8 for a question word further in, .5 and less for what only hints.
    package var confidence: Float
    /// The rule that fired: its language and its words, as "en: how many"; "none" if none did.
    package var rule: String
}

/// Reads the intent of a question from tables of words, one for each language.
package enum IntentRules {
    /// Of the tables.
    package static let version: UInt16 = 1
    /// How much of a question is read.
    package static let maximumByteCount = 4_096

    /// The intent of a question.
    ///
    /// The language is that whose small words the question has most of; among equals, the first in the list. In its
    /// table the earliest phrase wins, and of those that begin at one word the longest. Hints count where no
    /// question word stands.
    ///
    /// - Complexity: O(n) in the bytes that are read, for each table.
    package static func classify(_ question: String, tables: [IntentTable] = IntentTable.all) -> IntentReading
    {
        let words = QuestionWords(question, maximumByteCount: maximumByteCount)
        var best: (score: Int, table: IntentTable)?
        for table in tables {
            let score = words.keys.count { table.marks.contains($0) }
            if score > best?.score ?? -1 { best = (score, table) }
        }
        // A question without any small word may be in any language: "Pourquoi?"
        let candidates =
            best.map { best in [best.table] + tables.filter { $0.language != best.table.language } } ?? []
        for table in best?.score == 0 ? candidates : Array(candidates.prefix(1)) {
            if let reading = table.read(words) { return reading }
        }
        return IntentReading(intent: .open, confidence: 0, rule: "none")
    }
}

/// The words of a question, and where its sentences begin.
struct QuestionWords {
    private(set) var keys: [WordKey] = []
    private(set) var startsClause: [Bool] = []

    init(_ text: String, maximumByteCount: Int) {
        let utf8 = text.utf8.span
        let span = utf8.extracting(first: maximumByteCount)
        var reader = TokenReader(Self.noWords)
        var starts = true
        while let token = reader.next(in: span) {
            switch token.kind {
            case .word:
                keys.append(token.key)
                startsClause.append(starts)
                starts = false
            case .sign:
                if token.endsSentence || token.sign == UInt8(ascii: ",") || token.sign == UInt8(ascii: ":") {
                    starts = true
                }
            case .number, .end: starts = false
            }
        }
    }

    private static let noWords = Lexicon([])
}
