/// Something that a text names, found by its form alone. Whether two mentions mean one entity is for others
/// to say; that they have one key is evidence.
package struct Mention: Equatable, Sendable {
    package enum Kind: UInt8, Sendable, CaseIterable {
        /// A capitalised phrase: a person, a place, a product, an acronym.
        case name = 0
        /// `snake_case`, `camelCase`, `foo::bar`, `os.path.join`, `gcc-12`, `call()`.
        case identifier
        /// `--force`.
        case flag
        /// What stands between backticks.
        case code
        /// `/usr/lib/x.so`, `src/main.c`, `README.md`.
        case path
        /// With a scheme, or a host that begins with `www.` or ends in a usual domain.
        case url
        /// `@ada`.
        case handle
        /// `ada@example.org`.
        case address
        /// `#12`, `bug 1234`, `owner/repo#12`, `CVE-2024-1234`.
        case issue
        /// `1.2.3-4`, `v2.0`.
        case version
        /// 7 to 40 hexadecimal digits.
        case commit
    }

    /// The bytes of the text: the surface form.
    package var range: Range<Int>
    package var kind: Kind
    /// What the entity is found by: folded (`FoldedKey`), without what belongs to the sentence. An issue is `#12` however
    /// it is written, a version has no `v`, a URL no scheme and no slash at its end; paths keep their case.
    package var key: String
    /// A single capitalised word at the start of a sentence, which may be a name or any word. It is one if the text
    /// has it elsewhere too; else a caller may take it for one that he knows.
    package var isTentative = false
}

/// Finds what a text names: capitalised phrases, and what is not prose (identifiers, paths, addresses, numbers of
/// issues, versions, hashes).
///
/// Capitalised phrases join words by single spaces, "of", "de", "von" and their like. Words of grammar, days,
/// months and greetings are no names and begin none; a capital at the start of a sentence says little, so a
/// single word there is tentative. Phrases of over six words are headlines.
///
/// What must stay true: the mentions depend on the bytes alone; they are stored, so a change of the rules is a
/// new `version`. Mentions do not overlap and stand in the order of the text.
package enum Mentions {
    /// Of these rules.
    package static let version: UInt16 = 1

    /// The most bytes of a mention; a URL may have more.
    package static let maximumByteCount = 120
    package static let maximumURLByteCount = 1_000

    /// The mentions of a text.
    ///
    /// - Parameters:
    ///   - utf8: Any bytes. Ranges lie on the bounds of scalars if it is UTF-8.
    ///   - limit: Where the reading stops.
    /// - Complexity: O(n) in the bytes.
    package static func find(in utf8: Span<UInt8>, limit: Int = 256) -> [Mention] {
        var scanner = MentionScanner(limit: limit)
        scanner.scan(utf8)
        return scanner.finish()
    }

    /// The mentions of a text.
    package static func find(in text: String, limit: Int = 256) -> [Mention] {
        find(in: text.utf8.span, limit: limit)
    }
}
