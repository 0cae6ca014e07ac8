/// What the words between two names, and those before and behind them, say of both.
enum NameRelation: Equatable {
    /// They are one.
    case one
    /// "X (formerly Y)", which tells of a name or of a place of work.
    case formerly
    /// They are two.
    case apart
    /// They stand beside each other in a list.
    case beside

    /// - Parameters: all in lower case, without quotes, with single spaces.
    init?(_ gap: String, before: () -> String, behind: () -> String) {
        var words = gap
        for article in [" the ", " a ", " an "] where words.hasSuffix(article) {
            words = String(words.dropLast(article.utf8.count - 1))
        }
        let isSetOff = words.hasPrefix(",") || words.hasPrefix(" (") || words.hasPrefix(" -")
        let phrase = String(
            words.drop { " ,(-".contains($0) }.reversed().drop { " :".contains($0) }.reversed())
        if Self.same.contains(phrase) || isSetOff && Self.sameWhereSetOff.contains(phrase) {
            self = .one
        } else if isSetOff, Self.bare.contains(phrase) {
            self = .formerly
        } else if phrase == "or", behind().hasPrefix(" for short") {
            self = .one
        } else if ["to", "into", "as"].contains(phrase), Self.renames(before()) {
            self = .one
        } else if Self.differing.contains(phrase) {
            self = .apart
        } else if words == ", " || ["and", "or", "nor", "&", "/", "+"].contains(phrase) {
            self = phrase == "nor" || Self.setsApart(before(), behind()) ? .apart : .beside
        } else {
            return nil
        }
    }

    private static let same: Set<String> = [
        "also known as", "aka", "a.k.a.", "a.k.a", "better known as", "formerly known as", "formerly called",
        "formerly named", "previously known as", "previously called", "previously named", "originally called",
        "originally named", "originally known as", "now known as", "is now called", "is now known as",
        "is now named", "was renamed to", "was renamed as", "has been renamed to", "got renamed to",
        "is renamed to", "renamed to", "renamed from", "was renamed from", "is short for", "stands for",
        "stand for", "short for", "is an alias for", "is an alias of", "an alias for", "alias",
        "is another name for", "is also known as", "is also called", "was formerly known as",
        "was formerly called", "was previously called", "was previously known as", "is abbreviated as",
        "is abbreviated to", "abbreviated as", "is the new name of", "is the old name of", "formerly aka",
    ]

    /// What says so behind a comma or a bracket alone: "she also called Ada" is of a telephone.
    private static let sameWhereSetOff: Set<String> = [
        "also called", "also named", "also spelled", "also written", "now called", "now named",
        "now renamed to", "nicknamed", "since renamed to", "later renamed to", "abbreviated",
    ]

    private static let bare: Set<String> = ["formerly", "previously", "originally"]

    private static let differing: Set<String> = [
        "not", "is not", "isnt", "isn't", "are not", "is no", "rather than", "instead of", "unlike", "vs",
        "vs.",
        "versus", "differs from", "is different from", "but not", "and not", "as opposed to", "nor",
        "is not the same as", "has nothing to do with", "in contrast to", "and never", "which is not",
        "or rather not", "is unlike", "was not", "is distinct from", "than",
    ]

    /// Whether it ends in "rename", or in that and a word or two for what is renamed.
    private static func renames(_ before: String) -> Bool {
        before.split(separator: " ").suffix(3).contains {
            ["rename", "renames", "renamed", "renaming"].contains($0)
        }
    }

    private static func setsApart(_ before: String, _ behind: String) -> Bool {
        if let last = before.split(separator: " ").last, ["both", "either", "neither"].contains(last) {
            return true
        }
        return [
            " are different", " differ", " are distinct", " are not ", " are two ", " are separate",
            " aren't ", " have nothing in common", " are unlike", " are unrelated",
        ].contains { behind.hasPrefix($0) }
    }
}
