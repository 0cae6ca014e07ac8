/// Which of the actors of a home a question names: by the whole name, or by the first word of it.
package enum NamedActors {
    /// The most bytes of a question that are read, and of an actor's name.
    package static let maximumByteCount = 4_096

    /// The actors that the question names, in the order in which it names them.
    ///
    /// A name is compared folded (`FoldedKey`), word by word, so "ada's" names Ada and "Adam" does not. A name of several
    /// words is named by all of them in a row, or by the first one alone where no longer name matches there; two
    /// actors of one first name are then both named. A first name that is also a word ("Will", "Mark", "May") must
    /// have its capital, within a sentence.
    ///
    /// - Complexity: O(n + m) in the bytes of the question and of the names.
    package static func find(_ question: String, actors: [String]) -> [String] {
        let asked = words(of: question)
        guard !asked.isEmpty else { return [] }
        var byFirst: [String: [(words: [String], actor: Int)]] = [:]
        for (index, actor) in actors.enumerated() where actor.utf8.count <= 256 {
            let words = words(of: actor).map(\.key)
            guard let first = words.first, first.utf8.count >= 2 else { continue }
            byFirst[first, default: []].append((words, index))
        }
        var named: [Int] = []
        for index in asked.indices {
            guard let candidates = byFirst[asked[index].key] else { continue }
            let longest = candidates.map { candidate in
                zip(candidate.words, asked[index...]).prefix { $0 == $1.key }.count
            }
            let whole = candidates.indices.filter {
                longest[$0] == candidates[$0].words.count && longest[$0] > 1
            }
            // "Ada King" names her, and not another Ada.
            let length = whole.map { longest[$0] }.max() ?? 0
            let chosen = length > 0 ? whole.filter { longest[$0] == length } : Array(candidates.indices)
            for candidate in chosen where length > 0 || asked[index].isName {
                if !named.contains(candidates[candidate].actor) { named.append(candidates[candidate].actor) }
            }
        }
        return named.map { actors[$0] }
    }

    private struct Word {
        var key: String
        /// Whether it may be a name: it is no other word, or has a capital within a sentence.
        var isName: Bool
    }

    private static func words(of text: String) -> [Word] {
        let utf8 = text.utf8.span
        let span = utf8.extracting(first: maximumByteCount)
        var reader = TokenReader(ordinaryWords)
        var words: [Word] = []
        var startsSentence = true
        while let token = reader.next(in: span) {
            if token.kind == .sign {
                if token.endsSentence { startsSentence = true }
                continue
            }
            let isCapital = token.kind == .word && MentionForms.isCapital(span, token.start)
            words.append(
                Word(
                    key: FoldedKey.fold(span, token.range),
                    isName: token.tag == 0 || isCapital && !startsSentence))
            startsSentence = false
        }
        return words
    }

    /// First names that are words too.
    private static let ordinaryWords = Lexicon(
        """
        will mark may art rose hope grace faith joy bill rob pat jack frank grant chase summer autumn april june \
        august dawn drew gene guy ray rich sandy skip sue wade ward dean chip buck cash page bob ivy lily daisy \
        pearl ruby amber violet iris olive holly heather ginger basil angel king duke earl lance miles norm peg \
        van don dick jo max mat nick pip randy rusty stew trip victor wally woody misty star sky river stone \
        penny crystal destiny charity patience melody harmony honor justice major mason hunter parker taylor carter \
        cook baker smith bishop carol case clay cliff dale dot earnest eve ford forest glen herb jay josh jude lane \
        lee marina mercy nova rain reed robin sage scout sunny tab tad tam the an in is on do he my we to bot user
        """
        .split(whereSeparator: \.isWhitespace).map { (word: String($0), tag: 1) })
}
