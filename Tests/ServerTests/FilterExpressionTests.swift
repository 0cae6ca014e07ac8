import Glibc
import TestSupport
import Testing

@testable import Server

private func expression(_ text: String) throws(FilterSyntaxError) -> FilterExpression {
    try FilterExpression(Array(text.utf8))
}

/// Whether an element with the attribute `json` passes `filter`.
private func passes(_ filter: String, _ json: String? = "{}") throws -> Bool {
    try expression(filter).matches(attribute: json.map { Array($0.utf8) })
}

/// What is said of a text that is no expression; `nil` if it is one.
private func complaint(about text: String) -> String? {
    do {
        _ = try expression(text)
        return nil
    } catch {
        return error.message
    }
}

private func syntaxError(near rest: String) -> String { "syntax error in FILTER expression near: \(rest)" }

@Suite struct `A filter expression` {
    @Test(arguments: [
        ("1", true), ("0", false), ("-1", true), ("0.0", false), ("1e-3", true), ("0e5", false),
        ("'a'", true), ("''", false), ("\"a\"", true), ("[1]", true), ("[0]", true), ("[]", false),
        ("null", false), ("0 / 0", true), ("not null", true), ("!'x'", false),
    ])
    func `is true for numbers but 0, and for strings and lists that hold something`(
        filter: String, isTrue: Bool
    ) throws {
        #expect(try passes(filter) == isTrue)
    }

    @Test(arguments: [
        "1.5e3 == 1500", "1E2 == 100", "1e+2 == 100", "-1e-2 == -0.01", "007 == 7",
        "12345678901234567890 == 12345678901234567000", "0.1 + 0.2 == 0.30000000000000004", "-0 == 0",
        "1e999 == 1 / 0", "-1 / 0 < 0", "0 / 0 != 0 / 0", "1 % 0 != 1 % 0", "-7 % 3 == -1", "7.5 % 2 == 1.5",
        "7 % -3 == 1", "2 ** 0.5 > 1.41", "0 ** 0 == 1", "(1 < 2) + 1 == 2", "(1 > 2) == 0",
    ])
    func `computes with doubles, as C does`(filter: String) throws {
        #expect(try passes(filter))
    }

    @Test(arguments: [
        (#"'a"b' == .s"#, #"{"s":"a\"b"}"#), (#""a\"b" == .s"#, #"{"s":"a\"b"}"#),
        (#"'O\'Brien' == .s"#, #"{"s":"O'Brien"}"#), (#"'x\\y' == .s"#, #"{"s":"x\\y"}"#),
        (#"'1\n2\t3\r' == .s"#, #"{"s":"1\n2\t3\r"}"#), (#"'\a\%' == 'a%'"#, "{}"),
        (#"'é中👍' == .s"#, #"{"s":"\u00e9\u4E2d\ud83d\udc4d"}"#), (#"'/' == .s"#, #"{"s":"\/"}"#),
        (#".s in ['zzz', 'a\'b']"#, #"{"s":"a'b"}"#),
        // Half a pair of surrogates is no character.
        ("'\u{FFFD}!' == .s", #"{"s":"\ud800!"}"#), ("'\u{FFFD}' == .s", #"{"s":"\udc00"}"#),
        ("'\u{FFFD}A' == .s", #"{"s":"\ud800\u0041"}"#),
    ])
    func `reads strings in either quotes, with escapes`(filter: String, json: String) throws {
        #expect(try passes(filter, json))
    }

    // MARK: Operators

    @Test(arguments: [
        ("!.n == 1", false), ("not .n == 1", false), ("!!.n == 1", true), ("not not .n == 1", true),
        ("!(.n == 1)", true), ("!.zero ** 2 == 1", true), ("2 ** 3 ** 2 == 512", true),
        ("(2 ** 3) ** 2 == 64", true), ("-2 ** 2 == 4", true), ("2 * 3 ** 2 == 18", true),
        ("2 ** 2 * 3 == 12", true), ("8 / 4 / 2 == 1", true), ("7 % 4 * 2 == 6", true),
        ("2 + 3 * 4 == 14", true), ("(2 + 3) * 4 == 20", true), ("10 - 3 - 2 == 5", true),
        ("1 + 1 in [2]", true), ("3 > 2 > 1", false), ("3 > 2 == 1", true), ("1 == 1 in [1]", true),
        ("1 < 2 and 2 < 3", true), ("1 or 0 and 0", true), ("(1 or 0) and 0", false),
        ("0 and 0 or 1", true), ("0 && 1 || 1", true), ("1 and not 0", true), ("!0 && !'' || 0", true),
    ])
    func `binds its operators as Redis does`(filter: String, isTrue: Bool) throws {
        #expect(try passes(filter, #"{"n":5,"zero":0}"#) == isTrue)
    }

    @Test(arguments: [
        ".n+1==6", ".n*2>=10", "5-3==2", ".n -3 == 2", "5--3==8", "!(.n!=5)", "(.n)==5&&1", "'a'in'ab'",
        "1and(2)or'x'", "not(0)", "\t.n\n==\r5\u{B}\u{C}", "((((.n))))", ".n==5||0", "[1,2]==0", "1 in[1]",
        "2 in [ 1 , 2 ]", "-1 in [-1,null]", ".n-1 == 7", "._a1-B == 8", ".5 == 9",
    ])
    func `needs no space, but behind a name that a minus would go on`(filter: String) throws {
        #expect(try passes(filter, #"{"n":5,"n-1":7,"_a1-B":8,"5":9}"#))
    }

    @Test(arguments: [
        (".n == '3'", true), (".n == 'three'", false), (".zero == 'three'", true), ("'3' == '3.0'", false),
        ("3 == ' 3.0'", true), ("3 == '3x'", false), ("'16' == 16", true), (".s > 'x3'", false),
        (".s >= 'x3'", true), ("'10' > '9'", true), ("'0300' > 25", true), ("'b' > 'a'", false),
        ("'1e2' > 99", true), ("'3' + 2 == 5", true), ("'a' + 2 == 2", true), (".yes == 1", true),
        (".yes", true), (".no", false), (".no == 0", true), (".none == null", true), (".none", false),
        (".n != null", true), (".none == 0", false), (".none != 0", true), ("null < 1", true),
        ("[1] < 1", true), ("null == null", true), ("'' == null", false),
    ])
    func `compares two strings as they are, and all else as numbers`(filter: String, isTrue: Bool) throws {
        let json = #"{"n":3,"zero":0,"s":"x4","yes":true,"no":false,"none":null}"#
        #expect(try passes(filter, json) == isTrue)
    }

    @Test(arguments: [
        (".age in [25, 35]", true), (".age in [26]", false), (".age in ['25']", true), (".age in []", false),
        (".name in [\"Alice\", 'Bob']", true), ("'lic' in .name", true), ("'Ali' in .name", true),
        ("'ice' in .name", true), ("'Alice' in .name", true), ("'Alicea' in .name", false),
        ("'xyz' in .name", false), ("'' in .name", true), (".name in ''", false), ("'' in ''", true),
        ("3 in '123'", false), ("'1' in 123", false), ("'b' in .tags", true), ("2 in .tags", true),
        ("1 in .tags", true), ("null in .tags", true), ("7 in .tags", false), ("'b' in .none", false),
        ("'a' in .empty", false), (".empty", false), (".tags", true),
    ])
    func `looks with in for members of lists and for parts of strings`(filter: String, isTrue: Bool) throws {
        let json = #"{"age":25,"name":"Alice","tags":["a","b",2,true,null],"none":null,"empty":[]}"#
        #expect(try passes(filter, json) == isTrue)
    }

    // MARK: Attributes

    @Test(arguments: [
        ".x == 1", ".x != 1", "!.x", "not (.x == 1)", ".a or .x", "1 or .x", ".x in [1]", ".x == null",
        "0 and .x",
    ])
    func `is false for a missing field, whatever is asked of it`(filter: String) throws {
        for json in ["", #""b":{"x":1},"#, #""x":{"x":1},"#, #""x":[1,[2]],"#] {
            #expect(try !passes(filter, "{\(json)\"a\":1}"))
        }
        #expect(try !passes(filter, nil))
    }

    @Test(arguments: [
        "", " ", "invalid json", "{", "{}x", "{,}", "{\"a\":1,}", "{\"a\"}", "{\"a\":}", "{a:1}",
        "{\"a\":tru}",
        "{\"a\":1 \"b\":2}", "[1]", "\"a\"", "1", "null", "{\"a\":[}", "{\"a\":\"x}", "{\"a\":\"x\\",
        "{\"a\":-}",
        "{\"a\":1e}", "{\"a\":+1}", "{\"\\x\":1}", "{\"\\u12g4\":1}", "{\"\\", "{\"a\":[1", "{\"a\":{\"b\"",
    ])
    func `is false where the attribute is no JSON object`(json: String) throws {
        #expect(try !passes("1", json))
        #expect(try !passes("!.nowhere", json))
    }

    @Test(arguments: [
        #"{"n":1}"#, " {\t\"n\" :\r\n1 } ", #"{"m":{"n":2,"x":[{"}":"]\"}"}]},"n":1}"#,
        #"{"m":[[[[]]],{}],"n":1}"#, #"{"a":"\"n\":2","n":1}"#, #"{"nn":3,"":2,"n":1}"#, #"{"n":1,"n":2}"#,
        #"{"\u006e":1}"#, #"{"n":true}"#, #"{"n":1.0}"#, #"{"n":10e-1}"#, #"{"n":"1"}"#,
        #"{"x":-1.5e+3,"y":null,"z":false,"n":1}"#,
    ])
    func `finds a field of the top level among others`(json: String) throws {
        #expect(try passes(".n == 1", json))
    }

    @Test func `reads an attribute no further than it must`() throws {
        #expect(try passes(".n == 1", #"{"n":1,"#))
        #expect(try passes(".a + .n == 3", #"{"n":1,"a":2 and so on"#))
        #expect(try !passes(".a + .n == 3", #"{"n":1,oops,"a":2}"#))
        #expect(try passes(".a + .n == 3", #"{"n":1,"n":7,"a":2}"#))
    }

    @Test func `reads lists up to their limit`() throws {
        func attribute(_ count: Int) -> String {
            "{\"a\":[" + String(repeating: "1,", count: count - 1) + "1]}"
        }
        #expect(try passes("1 in .a", attribute(AttributeObject.maximumListCount)))
        #expect(try !passes("1 in .a", attribute(AttributeObject.maximumListCount + 1)))
    }

    @Test func `steps over a nested value of any depth`() throws {
        let deep = String(repeating: "[", count: 200_000) + String(repeating: "]", count: 200_000)
        #expect(try passes(".n", "{\"deep\":\(deep),\"n\":1}"))
    }

    @Test func `asks for many fields in one pass`() throws {
        let names = (0..<60).map { "f\($0)" }
        let filter = names.map { ".\($0)" }.joined(separator: " + ") + " == \(60 * 61 / 2)"
        let json = names.enumerated().reversed().map { "\"\($1)\":\($0 + 1)" }.joined(separator: ",")
        #expect(try passes(filter, "{\(json)}"))
        #expect(try !passes(filter, "{\(json.dropLast(7))}"))
    }

    // MARK: What is no expression

    @Test(arguments: [
        ("", ""), ("   ", ""), (".a.b == 1", ".b == 1"), ("true", "true"), (".a == false", "false"),
        ("foo > 1", "foo > 1"), (".a ==", ""), ("== 1", "== 1"), (".a 1", "1"), (".a .b", ".b"),
        ("(1", "(1"), ("1)", ")"), ("()", ")"), ("1 + * 2", "* 2"), ("1 = 1", "= 1"), ("1 & 1", "& 1"),
        ("1 | 1", "| 1"), ("1 !", "!"), ("'abc", "'abc"), ("'abc\\", "'abc\\"),
        ("'a\\' == 1", "'a\\' == 1"), (".", "."), (". a", ". a"), ("-.a", "-.a"), ("+1", "+1"),
        ("- 1", "- 1"), ("1.", "."), ("1.2.3", ".3"), ("1e", "e"), ("0x10", "x10"), ("[1", ""),
        ("[1,]", "]"), ("[1 2]", "2]"), ("[[1]]", "[1]]"), ("[.a]", ".a]"), ("[,1]", ",1]"),
        (".a AND 1", "AND 1"), (".a notin [1]", "notin [1]"), (".a not in [1]", "not in [1]"),
        ("nulls", "nulls"), ("not", ""), ("1 and", ""), ("1 ; 2", "; 2"), ("{}", "{}"), ("1 é", "é"),
        ("NULL", "NULL"), ("1 ** ** 2", "** 2"), ("1 andor 2", "andor 2"), ("longword", "longword"),
    ])
    func `is told from other texts, with what stands where it goes wrong`(text: String, rest: String) {
        #expect(complaint(about: text) == syntaxError(near: rest))
    }

    @Test func `has at most 64 KiB`() {
        let longest = FilterExpression.maximumByteCount
        #expect(complaint(about: "1" + String(repeating: " ", count: longest - 1)) == nil)
        #expect(
            complaint(about: "1" + String(repeating: " ", count: longest))
                == "FILTER expression is longer than 65536 bytes")
    }

    @Test(arguments: [("(", ")"), ("!", ""), ("not ", ""), ("2 ** ", ""), ("!(", ")"), ("1 - (", ")")])
    func `is nested at most 64 deep`(before: String, behind: String) throws {
        let levels = before == "!(" ? 2 : 1
        func nested(_ depth: Int) -> String {
            String(repeating: before, count: depth) + "1" + String(repeating: behind, count: depth)
        }
        #expect(complaint(about: nested(64 / levels)) == nil)
        for depth in [64 / levels + 1, 10_000] {
            #expect(complaint(about: nested(depth)) == "FILTER expression is nested deeper than 64 levels")
        }
        // Levels that are closed do not count.
        #expect(complaint(about: Array(repeating: nested(10), count: 100).joined(separator: " + ")) == nil)
    }

    @Test func `refuses 20,000 nested parentheses at once`() {
        let text = String(repeating: "(", count: 20_000) + "1" + String(repeating: ")", count: 20_000)
        let time = ContinuousClock().measure {
            #expect(complaint(about: text) == "FILTER expression is nested deeper than 64 levels")
        }
        #expect(time < .milliseconds(500))
    }

    @Test func `takes no longer for parts that nearly fit`() throws {
        // Trying everywhere would compare two thousand million bytes.
        let part = String(repeating: "a", count: 20_000) + "b"
        let whole = String(repeating: "a", count: 200_123)
        let filter = try expression("'\(part)' in .s")
        let time = ContinuousClock().measure {
            #expect(!filter.matches(attribute: Array("{\"s\":\"\(whole)\"}".utf8)))
            #expect(filter.matches(attribute: Array("{\"s\":\"\(whole)b\"}".utf8)))
        }
        #expect(time < .seconds(10))
    }

    // MARK: By property

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `agrees with a naive evaluation of the same tree`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<50 {
            let tree = Tree.random(depth: Int.random(in: 0...6, using: &random), with: &random)
            let text = tree.text(with: &random)
            let filter = try expression(text)
            for _ in 0..<4 {
                let fields = Model.randomFields(with: &random)
                let json = Model.json(fields, with: &random)
                let expected = tree.value(fields)?.isTrue ?? false
                #expect(filter.matches(attribute: Array(json.utf8)) == expected, "\(text) on \(json)")
            }
        }
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `is made of any bytes, or they are refused`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let pieces = [
            "(", ")", "!", "not ", ".a", ".", "1", "-", "**", "*", "'", "\"", "\\", "[", "]", ",", " in ",
            "==", "null", "and ", " or ", "=", "e5", "\0", "\u{FF}", "%",
        ]
        for _ in 0..<200 {
            var text: [UInt8]
            switch Int.random(in: 0..<3, using: &random) {
            case 0:
                let count = Int.random(in: 0..<40, using: &random)
                text = (0..<count).map { _ in .random(in: 0...255, using: &random) }
            case 1:
                let count = Int.random(in: 0..<20, using: &random)
                text = (0..<count).flatMap { _ in pieces.randomElement(using: &random)?.utf8.map(\.self) ?? []
                }
            default:
                text = Array(Tree.random(depth: 4, with: &random).text(with: &random).utf8)
                damage(&text, with: &random)
            }
            var attribute = Array(Model.json(Model.randomFields(with: &random), with: &random).utf8)
            damage(&attribute, with: &random)
            do {
                let filter = try FilterExpression(text)
                let first = filter.matches(attribute: attribute)
                #expect(filter.matches(attribute: attribute) == first)
            } catch {
                // Compared by bytes: a combining mark would join the space before it.
                let beginning = Array(syntaxError(near: "").utf8)
                let message = Array(error.message.utf8)
                #expect(message.starts(with: beginning))
                let ends = (0...text.count).map { String(decoding: text[$0...], as: UTF8.self).utf8 }
                #expect(ends.contains { message.dropFirst(beginning.count).elementsEqual($0) })
            }
        }
    }
}

/// Changes, removes or repeats some bytes.
private func damage(_ bytes: inout [UInt8], with random: inout SeededRandom) {
    for _ in 0..<Int.random(in: 0..<4, using: &random) where !bytes.isEmpty {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[index] = .random(in: 0...255, using: &random)
        case 1: bytes.remove(at: index)
        case 2: bytes.removeLast(Int.random(in: 0...min(10, bytes.count), using: &random))
        default: bytes.insert(contentsOf: bytes[index...].prefix(10), at: index)
        }
    }
}

/// A value as a reader of the documentation would have it.
private indirect enum Model {
    case number(Double)
    case string(String)
    case list([Model])
    case null

    var isTrue: Bool {
        switch self {
        case .number(let number): number != 0
        case .string(let string): !string.isEmpty
        case .list(let list): !list.isEmpty
        case .null: false
        }
    }

    var number: Double {
        switch self {
        case .number(let number): number
        case .string(let string): Double(string) ?? 0
        case .list, .null: 0
        }
    }

    func equals(_ other: Model) -> Bool {
        switch (self, other) {
        // Strings of Swift are equal when their characters are, so their bytes are compared.
        case (.string(let a), .string(let b)): Array(a.utf8) == Array(b.utf8)
        case (.null, .null): true
        case (.null, _), (_, .null): false
        default: number == other.number
        }
    }

    func isWithin(_ other: Model) -> Bool {
        switch (self, other) {
        case (_, .list(let list)): return list.contains { equals($0) }
        case (.string(let part), .string(let whole)):
            let part = Array(part.utf8)
            let whole = Array(whole.utf8)
            return whole.count >= part.count
                && (0...(whole.count - part.count)).contains { Array(whole[$0..<($0 + part.count)]) == part }
        default: return false
        }
    }

    /// The last two are longer than what is tried everywhere, and the first of them is in the second.
    private static let strings =
        ["", "a", "ab", "cab", "3", "-1.5", "1e3", "x3", "é", "\"", "'", "\\", "\n", "b\tab"]
        + [17, 18].map { String(repeating: "ab", count: $0) + "c" }

    static func randomScalar(with random: inout SeededRandom) -> Model {
        switch Int.random(in: 0..<9, using: &random) {
        case 0...3: .number(Double(Int.random(in: -3...6, using: &random)))
        case 4: .number(Double(Int.random(in: -999...999, using: &random)) / 8)
        case 5: .number(Double.random(in: -1e30...1e30, using: &random))
        case 6...7: .string(strings.randomElement(using: &random) ?? "")
        default: .null
        }
    }

    static func random(with random: inout SeededRandom) -> Model {
        guard Int.random(in: 0..<6, using: &random) == 0 else { return randomScalar(with: &random) }
        return .list((0..<Int.random(in: 0..<5, using: &random)).map { _ in randomScalar(with: &random) })
    }

    /// As JSON, or as a literal of an expression.
    func text(isJSON: Bool) -> String {
        switch self {
        case .number(let number):
            isJSON && number == 1 ? "true" : isJSON && number == 0 ? "false" : "\(number)"
        case .list(let list): "[" + list.map { $0.text(isJSON: isJSON) }.joined(separator: ", ") + "]"
        case .null: "null"
        case .string(let string):
            string.reduce(into: isJSON ? "\"" : "'") { text, character in
                switch character {
                case "\\", isJSON ? "\"" : "'": text += "\\\(character)"
                case "\n": text += "\\n"
                case "\t": text += isJSON ? "\\u0009" : "\\t"
                default: text.append(character)
                }
            } + (isJSON ? "\"" : "'")
        }
    }

    static func randomFields(with random: inout SeededRandom) -> [String: Model] {
        var fields: [String: Model] = [:]
        for name in ["a", "b_1", "c-d", "E"] where Int.random(in: 0..<12, using: &random) > 0 {
            fields[name] = .random(with: &random)
        }
        return fields
    }

    /// An object with these fields, and others that nobody asks for.
    static func json(_ fields: [String: Model], with random: inout SeededRandom) -> String {
        // Sorted, since the order of a dictionary is another in every process.
        var members = fields.sorted { $0.key < $1.key }.map { "\"\($0)\":\($1.text(isJSON: true))" }
        members += ["\"aa\":{\"a\":[1,{}]}", "\"\":\"}\\\"\"", "\"x\":[[],{\"b_1\":\"]\"}]", "\"y\":true"]
            .filter { _ in Bool.random(using: &random) }
        members.shuffle(using: &random)
        return "{" + members.joined(separator: [",", " ,\n"].randomElement(using: &random) ?? ",") + "}"
    }
}

/// An expression as its parts.
private indirect enum Tree {
    case value(Model)
    case field(String)
    case not(Tree)
    case pair(String, Tree, Tree)

    private static let precedences: [(level: Int, operators: [String])] = [
        (0, ["or", "||"]), (1, ["and", "&&"]), (2, ["==", "!=", "<", "<=", ">", ">=", "in"]),
        (3, ["+", "-"]), (4, ["*", "/", "%"]), (5, ["**"]),
    ]

    static func random(depth: Int, with random: inout SeededRandom) -> Tree {
        guard depth > 0 else {
            return Bool.random(using: &random)
                ? .value(.random(with: &random))
                : .field(["a", "b_1", "c-d", "E"].randomElement(using: &random) ?? "a")
        }
        if Int.random(in: 0..<6, using: &random) == 0 {
            return .not(.random(depth: depth - 1, with: &random))
        }
        let level = precedences.randomElement(using: &random)?.operators ?? ["or"]
        return .pair(
            level.randomElement(using: &random) ?? "or",
            .random(depth: Int.random(in: 0..<depth, using: &random), with: &random),
            .random(depth: Int.random(in: 0..<depth, using: &random), with: &random))
    }

    private var level: Int {
        switch self {
        case .value, .field: 7
        case .not: 6
        case .pair(let name, _, _): Self.precedences.first { $0.operators.contains(name) }?.level ?? 0
        }
    }

    /// With no more parentheses than are needed, but for a few.
    func text(with random: inout SeededRandom) -> String {
        func space() -> String { ["", "", " ", "\n"].randomElement(using: &random) ?? "" }
        func part(_ tree: Tree, isBare: Bool) -> String {
            let text = tree.text(with: &random)
            return isBare && Int.random(in: 0..<10, using: &random) > 0 ? text : "(" + space() + text + ")"
        }
        switch self {
        case .value(let value): return value.text(isJSON: false)
        case .field(let name): return ".\(name)"
        case .not(let tree):
            return (Bool.random(using: &random) ? "!" : "not ") + part(tree, isBare: tree.level >= 6)
        case .pair(let name, let left, let right):
            let isPower = name == "**"
            let leftText = part(left, isBare: isPower ? left.level > level : left.level >= level)
            let rightText = part(right, isBare: isPower ? right.level >= level : right.level > level)
            return leftText + " " + space() + name + space() + " " + rightText
        }
    }

    /// `nil` where a field is missing.
    func value(_ fields: [String: Model]) -> Model? {
        switch self {
        case .value(let value): return value
        case .field(let name): return fields[name]
        case .not(let tree): return tree.value(fields).map { .number($0.isTrue ? 0 : 1) }
        case .pair(let name, let left, let right):
            guard let a = left.value(fields), let b = right.value(fields) else { return nil }
            let result: Double =
                switch name {
                case "or", "||": a.isTrue || b.isTrue ? 1 : 0
                case "and", "&&": a.isTrue && b.isTrue ? 1 : 0
                case "==": a.equals(b) ? 1 : 0
                case "!=": a.equals(b) ? 0 : 1
                case "<": a.number < b.number ? 1 : 0
                case "<=": a.number <= b.number ? 1 : 0
                case ">": a.number > b.number ? 1 : 0
                case ">=": a.number >= b.number ? 1 : 0
                case "in": a.isWithin(b) ? 1 : 0
                case "+": a.number + b.number
                case "-": a.number - b.number
                case "*": a.number * b.number
                case "/": a.number / b.number
                case "%": fmod(a.number, b.number)
                default: pow(a.number, b.number)
                }
            return .number(result)
        }
    }
}
