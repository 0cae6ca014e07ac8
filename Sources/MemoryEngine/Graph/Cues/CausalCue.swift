/// Words by which a text says that one thing is the cause of another, and the two things. It is what the text says, not an edge:
/// a resolver may look up what the clauses speak of.
package struct CausalCue: Equatable, Sendable {
    package enum Rule: UInt8, Sendable, CaseIterable {
        case because = 0
        case dueTo, causedBy, thanksTo, since, inResponseTo, reason
        case ledTo, therefore, asAResult, soThat, so, inOrderTo, thatIsWhy, causes
        /// `Fixes #12`, `Closes: #1234`, `Fixes: <hash> ("subject")`: what is fixed is why there is a fix.
        case fixes
        /// `This reverts commit <hash>`, `Revert "subject"`.
        case reverts
        /// "Introduced in <hash>", "broken since <version>".
        case introduced
    }

    /// On which side of the cue the cause stands.
    package enum Direction: UInt8, Sendable {
        /// Effect, cue, cause: "it failed because …".
        case causeBehind = 0
        /// Cause, cue, effect: "… led to the failure".
        case causeBefore
        /// Cue, cause, effect: "because it rained, we stayed".
        case causeFirst
    }

    package var rule: Rule
    /// The bytes of the cue's words.
    package var range: Range<Int>
    /// The clauses, without the white space and signs at their ends; the effect of `fixes` and `reverts` is all that the
    /// text says before or, where that is nothing, behind the cue. Empty where the text says none.
    package var cause: Range<Int>
    package var effect: Range<Int>
    package var direction: Direction
    /// Hashes, numbers of issues, versions and quoted subjects in the two clauses, in the order of the text, at most 16.
    package var references: [CausalReference]
}

/// Something in a clause that a resolver can look up.
package struct CausalReference: Equatable, Sendable {
    package enum Kind: UInt8, Sendable {
        case commit = 0
        case issue, version
        /// The subject of a commit, in quotes.
        case subject
    }

    package var kind: Kind
    package var range: Range<Int>
    /// As `Mention.key`; of a subject, its words as they stand.
    package var key: String
    /// Whether it stands in the cause, else in the effect.
    package var isInCause: Bool
}

/// Finds what a text says about causes, by cue words, and claims nothing about them.
///
/// A clause ends with its sentence, a semicolon or a blank line; a cause that comes first ends at the first comma. "Since" is causal only
/// with a verb of the present and no time behind it ("since it is old", not "since we met" or "since May"); "due to" not
/// before a verb ("due to arrive"), "thanks to" not where someone is thanked "for" something, "caused" only as "caused by".
/// "Therefore" and its like at the start of a sentence have the sentence before as their cause.
///
/// What must stay true: the cues depend on the bytes alone; they may be stored, so a change of the rules is a
/// new `version`.
package enum CausalCues {
    /// Of these rules.
    package static let version: UInt16 = 1

    /// The cues of a text, in its order.
    ///
    /// - Parameters:
    ///   - utf8: Any bytes. Ranges lie on the bounds of scalars if it is UTF-8.
    ///   - limit: Where the reading stops.
    /// - Complexity: O(n) in the bytes; a clause has at most 200 tokens.
    package static func find(in utf8: Span<UInt8>, limit: Int = 64) -> [CausalCue] {
        var finder = CausalCueFinder(limit: limit)
        finder.scan(utf8)
        return finder.cues
    }

    /// The cues of a text.
    package static func find(in text: String, limit: Int = 64) -> [CausalCue] {
        find(in: text.utf8.span, limit: limit)
    }
}
