/// Cuts text into the terms that it is indexed by, and found by. Passages and questions go through the same
/// rules, so that what looks alike to a reader is the same bytes:
///
/// - Words end where Unicode's rules end them (UAX #29), and are folded: lower case, without accents, `ß`
///   as `ss`, full-width letters as ASCII, digits of any script as ASCII digits, `1,000` as `1000`.
/// - In English, words of ASCII letters (after folding) are stemmed by Porter2, stop words are left out
///   (but a text of nothing else keeps them), and so are the endings 's, 'm, 're, 've, 'll, 'd and negated
///   auxiliaries ("don't"). With `Language.none` words stay as they are.
/// - What is joined without a space is an identifier: `snake_case_name`, `libfoo-dev`, `v1.2.3`,
///   `CVE-2024-1234`, `foo::bar`, `/usr/lib/x.so`, `#12345`, `a.b@example.org`, `parseHTTPHeader`, and
///   "well-known" too. It gives itself as a whole, unstemmed; then the identifiers in it (`x.so` of the
///   path), and then its parts as words, cut at punctuation, underscores, digits, and where the case
///   changes. A whole of letters only (`YouTube`) is a word like any other, for a question may write it in
///   lower case.
/// - Hexadecimal digits of at least seven with a letter and a number among them are not cut (hashes).
/// - Han, Kana, Hangul, Thai, Lao, Khmer, Myanmar and their like give the overlapping pairs of signs of
///   each run; a run of one sign gives that sign.
/// - Composed and decomposed forms of a text (NFC and NFD) give the same terms, but for eleven letters of
///   Balinese, Kaithi, Tamil and Burmese. Other compatibility forms (NFKC) than full width, half width and
///   the ligatures of f stay as they are.
/// - Emoji, symbols and punctuation give nothing. Bytes that are not UTF-8 separate words.
///
/// A term has 1 to 64 bytes. A longer one is cut at the last scalar that fits, so that two very long words
/// with the same beginning are one term.
///
/// What must stay true: the terms of a text depend on its bytes and the language alone; the index holds
/// them, so a change of the rules is a new version of the index of words.
package struct Tokenizer: Sendable {
    /// Whose words are stemmed and whose stop words are left out.
    package enum Language: UInt8, Sendable {
        /// No language: folded words as they are.
        case none = 0
        /// Porter2 stems and 126 stop words.
        case english = 1
    }

    /// The most bytes that a term has.
    package static let maximumTermByteCount = 64

    package let language: Language

    package init(language: Language = .english) {
        self.language = language
    }

    /// Calls `body` with the bytes of each term of the text, in the order of the text, repetitions included.
    ///
    /// - Parameters:
    ///   - utf8: Any bytes; those that are not well-formed UTF-8 separate words.
    ///   - body: Gets 1 to 64 bytes, which are lent for the call.
    /// - Complexity: O(n) in the bytes; a text of stop words only is read twice.
    package func forEachTerm(in utf8: Span<UInt8>, _ body: (Span<UInt8>) -> Void) {
        var scanner = TermScanner(language: language)
        scanner.scan(utf8, body)
        if scanner.isOnlyStopWords {
            scanner.keepsStopWords = true
            scanner.scan(utf8, body)
        }
    }

    /// The distinct terms of a text with their frequencies.
    ///
    /// - Complexity: O(n + t log t) in its n bytes and t terms.
    package func terms(in utf8: Span<UInt8>) -> TermList {
        var builder = TermListBuilder(expectedByteCount: utf8.count)
        forEachTerm(in: utf8) { builder.append($0) }
        return builder.finish()
    }

    /// The distinct terms of a text with their frequencies.
    package func terms(in text: String) -> TermList {
        terms(in: text.utf8.span)
    }
}

/// What a question asks the index of words for.
package struct QueryTerms: Equatable, Sendable {
    /// A word that was written with a `*` behind it.
    package struct Prefix: Hashable, Sendable {
        /// The folded word, unstemmed: 1 to 64 bytes. It stands for every term of the index that begins with
        /// these bytes. The index holds stems and whole identifiers. So `deploy*` finds deploy, deployed
        /// and deployment, and `parse_h*` finds `parse_header`; but `organizatio*` meets no stem (that is
        /// "organiz").
        package let bytes: [UInt8]
        /// The term that the word itself has in the index. It belongs to the same group of
        /// alternatives, so that a complete word with a star finds at least itself.
        package let term: [UInt8]
    }

    /// The terms of all words without a star.
    package let terms: TermList
    /// The words with a star, without repetitions, in the order of the question.
    package let prefixes: [Prefix]
}

extension Tokenizer {
    /// The terms of a question: the same as of a text, but a word or identifier with a `*` right behind it
    /// is a prefix, and gives no other term. A star elsewhere separates words. Behind a run of signs that
    /// is indexed by pairs a star changes nothing, for the pairs are found within longer runs; behind a
    /// single such sign it finds every pair that begins with the sign.
    ///
    /// - Complexity: O(n + t log t) in its n bytes and t terms.
    package func query(_ text: String) -> QueryTerms {
        var scanner = TermScanner(language: language)
        scanner.prefixes = []
        var builder = TermListBuilder(expectedByteCount: text.utf8.count)
        scanner.scan(text.utf8.span) { builder.append($0) }
        let prefixes = scanner.prefixes ?? []
        if scanner.isOnlyStopWords, prefixes.isEmpty {
            scanner.keepsStopWords = true
            scanner.scan(text.utf8.span) { builder.append($0) }
        }
        var seen: Set<QueryTerms.Prefix> = []
        return QueryTerms(terms: builder.finish(), prefixes: prefixes.filter { seen.insert($0).inserted })
    }
}
