/// The phrases of one language that tell what a question wants.
package struct IntentTable: Sendable {
    /// A phrase, what it tells, and how surely.
    struct Rule: Sendable {
        var words: [WordKey]
        var text: String
        var intent: Intent
        var strength: Strength
    }

    enum Strength: Float, Sendable {
        /// A question word: .95 at the start of a clause, else .8.
        case word = 0.95
        /// A phrase of several words that leaves no doubt.
        case phrase = 0.9
        /// Counts only where nothing else stands.
        case hint = 0.5
    }

    /// As ISO 639-1 has it.
    package let language: String
    /// Small words by which the language is known; no word of one language that begins questions in another.
    let marks: Set<WordKey>
    private let rules: [WordKey: [Rule]]

    init(
        _ language: String, marks: String, _ entries: [(intent: Intent, strength: Strength, phrases: String)]
    ) {
        self.language = language
        self.marks = Set(marks.split(whereSeparator: \.isWhitespace).map { WordKey($0) })
        var rules: [WordKey: [Rule]] = [:]
        for entry in entries {
            for phrase in entry.phrases.split(separator: ",") {
                let words = phrase.split(whereSeparator: \.isWhitespace)
                let keys = words.map { WordKey($0) }
                guard let first = keys.first else { continue }
                rules[first, default: []].append(
                    Rule(
                        words: keys, text: words.joined(separator: " "), intent: entry.intent,
                        strength: entry.strength))
            }
        }
        self.rules = rules.mapValues { rules in rules.sorted { $0.words.count > $1.words.count } }
    }

    /// The reading of the earliest, longest phrase; of a hint only if there is no other.
    func read(_ words: QuestionWords) -> IntentReading? {
        var hint: IntentReading?
        for index in words.keys.indices {
            guard let rules = rules[words.keys[index]] else { continue }
            let rest = words.keys[index...]
            guard let rule = rules.first(where: { rest.starts(with: $0.words) }) else { continue }
            var reading = IntentReading(
                intent: rule.intent, confidence: rule.strength.rawValue, rule: "\(language): \(rule.text)")
            switch rule.strength {
            case .phrase: return reading
            case .word:
                if !words.startsClause[index] { reading.confidence = 0.8 }
                return reading
            case .hint: if hint == nil { hint = reading }
            }
        }
        return hint
    }
}

extension IntentTable {
    package static let all = [english, german, spanish, french]

    package static let english = IntentTable(
        "en",
        marks:
            "the is are did does do has have had a an and of to in on it you we they he she for with my your",
        [
            (.why, .word, "why"),
            (
                .why, .phrase,
                """
                how come, what caused, what causes, what is the cause, what was the cause, what made, what led to, \
                what leads to, what prompted, what motivated, what inspired, what triggered, for what reason, \
                for what reasons, what reason, what reasons, what is the reason, what was the reason, what were the reasons, \
                what are the reasons, what drove, what broke, explain why, because of what
                """
            ),
            (.when, .word, "when"),
            (
                .when, .phrase,
                """
                what time, what day, what date, what year, what month, what week, which day, which date, which year, \
                which month, which week, what weekend, which weekend, what season, how long, how long ago, how soon, how recently, \
                since when, until when, at what age, how old
                """
            ),
            (.who, .word, "who, whom, whose"),
            (
                .who, .phrase,
                """
                which person, which people, which friend, which friends, which user, which developer, which author, what person, \
                which colleague, which member, which of the people
                """
            ),
            (.where, .word, "where"),
            (
                .where, .phrase,
                """
                what place, what places, which place, which places, what city, which city, which cities, what country, which country, \
                which countries, what countries, what state, which state, which us state, which us states, which town, what town, \
                which file, what file, which directory, what location, which location
                """
            ),
            (
                .howMany, .phrase,
                "how many, how much, how often, what number, what is the number, how many times, what percentage"
            ),
            (.what, .word, "what, which"),
            (.open, .word, "how"),
            (
                .open, .hint,
                "tell me, describe, summarize, summarise, list, explain, show me, give me, compare, remind me"
            ),
            (
                .open, .hint,
                "is, are, was, were, do, does, did, has, have, had, can, could, will, would, should, might, may"
            ),
        ])

    package static let german = IntentTable(
        "de",
        marks:
            "der die das den dem ist sind hat haben wurde war nicht wir ich und ein eine einen im zu er sie es mit von auf hast du ihr",
        [
            (.why, .word, "warum, wieso, weshalb, wozu, weswegen"),
            (
                .why, .phrase,
                "aus welchem grund, was war der grund, was ist der grund, wie kam es, wie kommt es, was hat dazu geführt"
            ),
            (.when, .word, "wann"),
            (
                .when, .phrase,
                "seit wann, bis wann, wie lange, an welchem tag, in welchem jahr, in welchem monat, welches jahr, um wie viel uhr, wie alt"
            ),
            (.who, .word, "wer, wen, wem, wessen"),
            (.where, .word, "wo, wohin, woher"),
            (.where, .phrase, "in welcher stadt, in welchem land, an welchem ort"),
            (.howMany, .word, "wieviele, wieviel"),
            (.howMany, .phrase, "wie viele, wie viel, wie oft"),
            (.what, .word, "was, welche, welcher, welches, welchen, welchem, womit, worüber, wofür"),
            (.open, .word, "wie"),
            (.open, .hint, "erzähl, erzähle, beschreibe, erkläre, zeig, zeige, fasse"),
        ])

    package static let spanish = IntentTable(
        "es", marks: "el los las es son y un una fue no se su con para al del lo está han ha por",
        [
            (
                .why, .phrase,
                "por qué, por que, a qué se debe, cuál fue la causa, cuál es la razón, qué causó"
            ),
            (.when, .word, "cuándo, cuando"),
            (.when, .phrase, "desde cuándo, cuánto tiempo, qué día, en qué año, qué mes, a qué hora"),
            (.who, .word, "quién, quiénes, quien"),
            (.where, .word, "dónde, adónde, donde"),
            (.where, .phrase, "en qué ciudad, en qué país"),
            (.howMany, .word, "cuántos, cuántas, cuánto, cuánta, cuantos, cuantas"),
            (.what, .word, "qué, cuál, cuáles, que"),
            (.open, .word, "cómo, como"),
            (.open, .hint, "cuéntame, describe, explica"),
        ])

    package static let french = IntentTable(
        "fr",
        marks:
            "le les est et une il elle des du au aux a ont été sont ce dans pour avec sur ne pas nous vous je",
        [
            (.why, .word, "pourquoi"),
            (.why, .phrase, "pour quelle raison, à cause de quoi, quelle est la cause, quelle est la raison"),
            (.when, .word, "quand"),
            (
                .when, .phrase,
                "depuis quand, combien de temps, quel jour, en quelle année, quel mois, à quelle heure"
            ),
            (.who, .word, "qui"),
            (.who, .phrase, "à qui, avec qui"),
            (.where, .word, "où"),
            (.where, .phrase, "dans quelle ville, dans quel pays, d où"),
            (.howMany, .word, "combien"),
            // "Qui est-ce que" and "quand est-ce que" ask by their first word.
            (.what, .word, "que, quoi, quel, quelle, quels, quelles, qu"),
            (.open, .word, "comment"),
            (.open, .hint, "raconte, décris, explique"),
        ])
}
