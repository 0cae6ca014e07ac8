/// Why a text is no expression of `FILTER`. A server sends `message` behind `ERR `.
struct FilterSyntaxError: Error, Equatable {
    let message: String
    init(_ message: String) { self.message = message }
}

/// What an expression computes with.
///
/// A string is a part of the attribute or of the expression, as long as no escape stands in it, so that most
/// values are made without a copy.
enum FilterValue: Sendable, Equatable {
    case number(Double)
    case string(ArraySlice<UInt8>)
    case list([FilterValue])
    case null
    /// A field that has not been met yet. No evaluation sees it.
    case absent
}

/// A condition on the attribute of an element, as `VSIM ... FILTER` of Redis 8 has it:
/// `.year >= 1980 and (.genre == 'action' or "war" in .title)`.
///
/// From what binds loosest to what binds tightest:
///
/// | operators | |
/// | --- | --- |
/// | `or` `\|\|` | |
/// | `and` `&&` | |
/// | `==` `!=` `>` `>=` `<` `<=` `in` | |
/// | `+` `-` | |
/// | `*` `/` `%` | the remainder has the sign of the left side |
/// | `**` | from right to left |
/// | `!` `not` | before an operand; `!.n == 1` is `(!.n) == 1`, with both spellings |
///
/// An operand is a number (`-1.5e3`), a string in either quotes (`\n`, `\r` and `\t` are what they are in C;
/// any other character behind a backslash stands for itself), a list of these (`['a', 1]`), `null`, a field of
/// the attribute's top level (`.name`, of ASCII letters, digits, `_` and `-`, so that `.a-1` is one field and
/// `.a - 1` is not), or an expression in parentheses. There is no sign before an operand other than a number's
/// own, and words are in small letters.
///
/// Comparisons and `and`, `or`, `not` give the numbers 1 and 0. True is a number other than 0, and a string or
/// a list that is not empty. `==` compares two strings byte by byte, and `null` equals only itself; all else
/// is compared as numbers, as order always is. A string counts as the number that all of it spells, otherwise
/// as 0, as do lists and `null`. `in` looks for a value in a list, or for a string within a string, and is 0 for
/// anything else. Division by zero gives infinities and NaN.
///
/// The expression is compiled once to a postfix program that has no jumps: every operand of it is evaluated,
/// and a field that is missing or unreadable (see `AttributeObject`) makes the whole false, `!` and `or`
/// notwithstanding.
///
/// Text comes from outside, so it is bounded by `maximumByteCount` and `maximumNesting`. Redis has neither.
struct FilterExpression: Sendable {
    /// The longest text, in bytes.
    static let maximumByteCount = 64 * 1024

    /// How many parentheses, `not`s and right sides of `**` may be open in one place.
    static let maximumNesting = 64

    /// One step of the program.
    enum Instruction: Sendable, Equatable {
        case push(FilterValue)
        /// Pushes the field of this index in `fieldNames`.
        case pushField(Int)
        /// Replaces one or two values on top by the result.
        case apply(Operator)
    }

    enum Operator: Sendable, Equatable {
        case or, and
        case equal, notEqual, greater, greaterOrEqual, less, lessOrEqual, within
        case plus, minus
        case times, dividedBy, remainder
        case power
        case not
    }

    /// Balanced: from an empty stack it leads to one value, and takes none from below.
    let program: [Instruction]

    /// Each field that the program asks for, once, sorted byte by byte.
    let fieldNames: [[UInt8]]

    /// The most values that the program has on its stack.
    let stackDepth: Int

    /// - Throws: `FilterSyntaxError`, whose message ends with the text from where it is wrong on.
    /// - Complexity: O(n log n) in the bytes of the text.
    init(_ text: [UInt8]) throws(FilterSyntaxError) {
        var parser = try Parser(text)
        try parser.parse()
        (program, fieldNames) = parser.programWithSortedFields()
        stackDepth = parser.stackDepth
    }
}

extension FilterExpression.Operator {
    /// The higher, the tighter it binds.
    var precedence: Int {
        switch self {
        case .or: 0
        case .and: 1
        case .equal, .notEqual, .greater, .greaterOrEqual, .less, .lessOrEqual, .within: 2
        case .plus, .minus: 3
        case .times, .dividedBy, .remainder: 4
        case .power: 5
        case .not: 6
        }
    }

    /// Whether what stands on its right can wait on the parser's stack without end.
    var nestsToTheRight: Bool { self == .power || self == .not }
}
