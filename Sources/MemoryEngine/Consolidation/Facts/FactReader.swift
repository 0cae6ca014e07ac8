/// Reads which facts a text states, by rules: who lives where, what something is called, costs, runs on or is set to, and
/// what no longer holds. What is asked, supposed, planned, quoted or told of others is no fact, nor is what is said of "it" or
/// "she", or of some of several.
///
/// A sentence is read in parts, from one comma to the next: a subject up to the first verb that is known, what the verb says of
/// it, and a value up to the next preposition. What stands behind it is its context.
struct FactReader {
    /// Of the actor of the text, for "I", "we" and "my".
    private let actor: String?
    /// Whether what "the limit" means need not be told by a sentence before.
    private var isFirst = true
    /// Whether the text has one sentence, and so "the default" can only be one that all know.
    private var isAlone = true
    var facts: [StatedFact] = []

    /// The facts of a text, in its order.
    ///
    /// - Complexity: O(n) in the bytes.
    static func facts(in utf8: Span<UInt8>, actor: String?) -> (facts: [StatedFact], sentenceCount: Int) {
        var reader = FactReader(actor: actor.map { FoldedKey.fold($0) })
        let sentences = FactText.sentences(of: utf8)
        reader.isAlone = sentences.count == 1
        for sentence in sentences { reader.read(sentence) }
        return (reader.facts, sentences.count)
    }

    /// Where a fact that is given by its parts belongs: the same as one that a sentence states.
    static func key(of subject: String, _ relation: String) -> (subject: String, relation: String) {
        let tokens = FactText.sentences(of: subject.utf8.span).flatMap { $0.words }
        let key = FactSubject(tokens[...], speaker: "i", hasActor: false)?.key ?? FoldedKey.fold(subject)
        let words = FoldedKey.fold(relation).split(separator: " ").map(String.init)
        let known =
            words.first.flatMap {
                FactWords.participles[$0]?.relation ?? FactWords.verbs[FactWords.base($0)]?.relation
            }
            .map { $0.hasPrefix("+") || $0.hasPrefix("!") ? String($0.dropFirst()) : $0 }
        let name =
            known
            ?? words.filter { !FactWords.articles.contains($0) }.map(FactWords.plain).joined(separator: " ")
        let isAttribute =
            known == nil || FactWords.attributes.contains(name) || FactWords.roles.contains(name)
        return isAttribute ? ("\(key) \(name)", "is") : (key, name)
    }

    private init(actor: String?) { self.actor = actor }

    private var speaker: String { actor ?? "i" }

    private mutating func read(_ sentence: FactSentence) {
        // "Hey!" tells of nothing.
        let isOpening = isFirst
        if sentence.parts.reduce(0, { $0 + $1.count }) > 2 { isFirst = false }
        guard !sentence.isQuestion, !sentence.quotes else { return }
        let words = sentence.words.map(\.text)
        guard
            !sentence.words.contains(where: {
                FactWords.hedging.contains($0.text) && !($0.text == "may" && $0.isName)
            }),
            !zip(words, words.dropFirst()).contains(where: { FactWords.hedgingPairs.contains("\($0)_\($1)") })
        else { return }
        let parts = sentence.parts.filter { !$0.isEmpty }
        var context: [String] = []
        var isChange = false
        for (place, part) in parts.enumerated() {
            let before = facts.count
            var clause = FactClause(
                part[...], speaker: speaker, hasActor: actor != nil, isFirst: isOpening, isAlone: isAlone)
            clause.isChange = isChange
            facts += clause.read()
            guard facts.count > before else {
                if place + 1 < parts.count, clause.opensWithTime {
                    isChange = true
                } else if FactWords.contextual.contains(part[0].text) {
                    context = part.map(\.text)
                }
                continue
            }
            let next = place + 1 < parts.count ? parts[place + 1] : []
            // "Berlin, Germany" is one value, "Berlin, Paris and Rome" are three.
            let isMore = !next.isEmpty && next.count <= 3 && next.allSatisfy(\.isName)
            let isList =
                next.count <= 5 && !isMore && next.contains { $0.text == "and" || $0.text == "or" }
                && !next.contains { FactWords.unclear.contains($0.text) || FactWords.be.contains($0.text) }
            if isList {
                facts.removeSubrange(before...)
                continue
            }
            for index in before..<facts.count {
                if isMore { facts[index].value.words += next.map(\.text) }
                if !context.isEmpty { facts[index].context += context.joined(separator: " ") }
                if parts.count > (isMore ? 2 : 1) || sentence.isCut || !context.isEmpty {
                    facts[index].isWhole = false
                }
            }
        }
    }
}
