/// Whether a text asks something, and by what that shows. The turn behind a question is likely its answer.
package enum QuestionForm: UInt8, Sendable {
    /// It asks nothing.
    case none = 0
    /// "Tell me about it", "let me know".
    case request
    /// "do you know that one": a verb before its subject, without a question mark.
    case inversion
    /// "what did she say", without a question mark.
    case questionWord
    /// A question mark that ends a sentence or a part of one.
    case mark

    /// Of these rules.
    package static let version: UInt16 = 1

    /// The surest form that a text has.
    ///
    /// On LoCoMo's development half a recall's R@10 is 71.2 with every turn taken for a question, 67.9 with none, and 74.1 with
    /// `mark`; the other forms neither add to that nor take from it, so that who needs one bit takes `mark`.
    ///
    /// A question mark counts where a word may end: not within a URL, a path or a name ("a?b"). Without one, a sentence asks if it begins with a
    /// question word and an auxiliary ("what is"), with an auxiliary and a personal pronoun ("did you"), or as a request.
    ///
    /// - Parameter utf8: Any bytes.
    /// - Complexity: O(n) in the bytes.
    package static func read(_ utf8: Span<UInt8>) -> QuestionForm {
        if hasMark(utf8) { return .mark }
        var reader = TokenReader(QuestionWord.lexicon)
        var best = QuestionForm.none
        // The first words of a sentence; what stands before a comma there is passed over ("Hey Mel, what are you doing").
        var place = 0
        var first: QuestionWord?
        var second: QuestionWord?
        var isLetMeKnow = false
        while let token = reader.next(in: utf8) {
            if token.kind != .word {
                if token.endsSentence || token.isSign(",") || token.isSign(":") || token.startsLine {
                    place = 0
                    (first, second) = (nil, nil)
                }
                continue
            }
            if token.startsLine {
                place = 0
                (first, second) = (nil, nil)
            }
            let word = QuestionWord(rawValue: token.tag)
            // "And what is it", "So do you know".
            if place == 0, word == .interjection { continue }
            place += 1
            switch place {
            case 1: first = word
            case 2:
                second = word
                switch (first, word) {
                case (.question, .auxiliary), (.question, .about): return .questionWord
                case (.auxiliary, .pronoun), (.auxiliary, .it), (.action, .pronoun):
                    best = max(best, .inversion)
                case (.tell, .me): best = max(best, .request)
                default: break
                }
            case 3: isLetMeKnow = first == .let && second == .me && word == .know
            case 4:
                // "Let me know if you need help" offers.
                if isLetMeKnow, word == .question || word == .the || word == .about {
                    best = max(best, .request)
                }
            default: break
            }
            if best == .inversion { return best }
        }
        return best
    }

    /// The surest form that a text has.
    package static func read(_ text: String) -> QuestionForm { read(text.utf8.span) }

    /// Whether a question mark stands where a word ends: of ASCII, Arabic or full width.
    private static func hasMark(_ utf8: Span<UInt8>) -> Bool {
        for index in 0..<utf8.count {
            let byte = utf8[index]
            if byte == UInt8(ascii: "?") {
                guard index > 0, utf8[index - 1] > 0x20 else { continue }
                if index + 1 == utf8.count { return true }
                let next = utf8[index + 1]
                if !MentionForms.isNameByte(next), next != UInt8(ascii: "/"), next != UInt8(ascii: "&"),
                    next != UInt8(ascii: "="),
                    next != UInt8(ascii: ":"), next != UInt8(ascii: "-"),
                    next != UInt8(ascii: ".") || index + 2 == utf8.count
                        || utf8[index + 2] == UInt8(ascii: ".")
                {
                    return true
                }
            } else if byte == 0xEF, index + 2 < utf8.count, utf8[index + 1] == 0xBC, utf8[index + 2] == 0x9F {
                return true
            } else if byte == 0xD8, index + 1 < utf8.count, utf8[index + 1] == 0x9F {
                return true
            }
        }
        return false
    }
}

extension QuestionForm: Comparable {
    package static func < (a: QuestionForm, b: QuestionForm) -> Bool { a.rawValue < b.rawValue }
}

/// What a word is to the rules of questions.
enum QuestionWord: UInt16 {
    case question = 1
    case auxiliary
    /// Auxiliaries that are orders too ("do it", "have a look"): only a person behind them asks.
    case action
    case pronoun, it, about, tell, me, `let`, know, the, interjection

    static let lexicon: Lexicon = {
        var entries: [(word: String, tag: UInt16)] = []
        for (kind, words) in [
            (.question, "what why who where how whom whose"),
            (
                .auxiliary,
                "is are was were does did has can could will would should shall am isn aren wasn doesn didn couldn wouldn"
            ),
            (.action, "do have had may might don haven"),
            (.pronoun, "you we they he she i anyone anybody someone your"),
            (.it, "it there this that these those"),
            (.about, "about come"), (.tell, "tell show remind give explain wonder"), (.me, "me us"),
            (.let, "let"), (.know, "know"), (.the, "the when which"),
            (.interjection, "and so but hey well oh also ok okay btw hi anyway then yeah yes wow please"),
        ] as [(QuestionWord, String)] {
            for word in words.split(separator: " ") { entries.append((String(word), kind.rawValue)) }
        }
        return Lexicon(entries)
    }()
}
