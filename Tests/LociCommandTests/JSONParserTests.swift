import Testing

@testable import loci

@Suite struct `A JSON parser` {
    @Test func `reads every kind of value`() throws {
        let text = #" {"a": [1, -2.5, 1e3, 0], "b": {"c": null, "d": true, "e": false}, "": "x\ty"} "#
        let value = try JSONParser.parse(text)
        #expect(value == ["a": [1, -2.5, 1_000, 0], "b": ["c": nil, "d": true, "e": false], "": "x\ty"])
        #expect(value["b"]?["d"]?.bool == true)
        #expect(value["a"]?.array?[0].integer == 1)
        #expect(value["a"]?.array?[1].integer == nil)
        #expect(value["z"] == nil)
    }

    @Test func `reads escapes, and pairs of surrogates`() throws {
        #expect(
            try JSONParser.parse(#""\"\\\/\b\f\n\r\t\u00e9\u4E2d\ud83d\udc4D!""#)
                == "\"\\/\u{8}\u{C}\n\r\té中👍!")
    }

    @Test(arguments: [
        ("", "ends where a value"), ("{", "name should be"), ("[1,]", "`]` where a value"),
        ("[1 2]", "`2` where `,` or `]`"), ("{\"a\" 1}", "`1` where `:`"), ("{\"a\":1,}", "`}` where a name"),
        ("{'a':1}", "`'` where a name"), ("01", "begins with 0"), ("1.", "the end where a digit"),
        ("-", "the end where a digit"), ("1e", "the end where a digit"), ("+1", "`+` where a value"),
        (".5", "`.` where a value"), ("NaN", "`N` where a value"), ("tru", "`t` where a value"),
        ("1 1", "`1` after the end"), ("\"a", "without an end"), ("\"\\x\"", "no such escape"),
        ("\"\\ud800\"", "half of a pair"), ("\"\\ud800\\u0041\"", "half of a pair"),
        ("\"\\udc00\"", "half of a pair"),
        ("\"\\u12\"", "four hexadecimal"), ("\"a\nb\"", "`\\u000a`"), ("1e999", "too large"),
        ("{\"a\":1,\"a\":2}", "`a` stands twice"), ("// x\n1", "`/` where a value"),
        ("\u{FEFF}1", "byte 239"),
    ])
    func `refuses what is no JSON, and says where and why`(text: String, message: String) {
        let error = #expect(throws: JSONError.self) { try JSONParser.parse(text) }
        #expect(error?.message.contains(message) == true, "\(text): \(error?.message ?? "")")
    }

    @Test func `counts bytes in its messages from one`() {
        let error = #expect(throws: JSONError.self) { try JSONParser.parse("{\"content\": nul}") }
        #expect(error?.description == "at byte 13: `n` where a value should be")
    }

    @Test func `refuses strings that are not UTF-8`() {
        for wrong: [UInt8] in [
            [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82], [0xF5, 0x80, 0x80, 0x80],
        ] {
            let error = #expect(throws: JSONError.self) { try JSONParser.parse([0x22] + wrong + [0x22]) }
            #expect(error?.message == "a string that is not UTF-8")
            #expect(throws: JSONError.self) { try JSONParser.parse([0x22] + wrong + Array("\\n\"".utf8)) }
        }
    }

    @Test func `bounds the nesting`() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(throws: Never.self) { try JSONParser.parse(nested(JSONParser.maximumDepth)) }
        let error = #expect(throws: JSONError.self) {
            try JSONParser.parse(nested(JSONParser.maximumDepth + 1))
        }
        #expect(error?.message.contains("deep") == true)
        #expect(throws: JSONError.self) {
            try JSONParser.parse(String(repeating: "{\"a\":", count: 1_000_000))
        }
    }

    @Test func `refuses a name that stands twice in a large object`() {
        let members = (0..<40).map { "\"m\($0)\":0" }
        #expect(throws: Never.self) { try JSONParser.parse("{\(members.joined(separator: ","))}") }
        for name in ["m3", "m30"] {
            #expect(throws: JSONError.self) {
                try JSONParser.parse("{\(members.joined(separator: ",")),\"\(name)\":1}")
            }
        }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `gives a value or an error for any bytes`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let base = Array(
            #"{"content":"a \"b\" \u00e9 é","n":[0,-1.5e-7,123456789012345678],"o":{"t":true,"z":null}}"#.utf8
        )
        for _ in 0..<500 {
            let bytes = random.damaged(base)
            guard let value = try? JSONParser.parse(bytes) else { continue }
            // What was read can be written and read again.
            #expect((try? JSONParser.parse(JSONWriter.text(of: value))) == value)
        }
    }
}

@Suite struct `A JSON number` {
    private func parsed(_ text: String) throws -> Double? { try JSONParser.parse(text).number }

    @Test(arguments: [
        "0", "-0", "0.0", "1", "-1", "0.1", "0.3", "123456789012345680000", "9007199254740993",
        "9007199254740992",
        "1e22", "1e23", "1e-22", "1e-23", "8.5e-27", "1.7976931348623157e308", "5e-324",
        "2.2250738585072011e-308",
        "0.1000000000000000055511151231257827021181583404541015625", "1e-400", "0.10000000149011612",
        "18446744073709551615", "18446744073709551616", "0.000000000000000000000000001", "1E+2",
        "1e0000000000005",
        "179769313486231570000000000000000000000000000000000000000000",
    ])
    func `is the nearest double`(text: String) throws {
        let value = try #require(try parsed(text))
        #expect(value.bitPattern == Double(text)?.bitPattern)
    }

    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func `agrees with the standard library for random digits`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for _ in 0..<2_000 {
            var text = random.number(below: 2) == 0 ? "-" : ""
            text += String(random.next() >> UInt64(random.number(below: 64)))
            if random.number(below: 3) > 0 {
                text += "." + String(repeating: "0", count: random.number(below: 8))
                text += String(random.next() >> UInt64(random.number(below: 64)))
            }
            if random.number(below: 3) == 0 { text += "e\(random.number(below: 60) - 30)" }
            let value = try #require(try parsed(text))
            #expect(value.bitPattern == Double(text)?.bitPattern, "\(text)")
        }
    }

    @Test func `is right halfway between two doubles`() throws {
        // Digits that lie exactly between, and one unit of the nineteenth digit to either side.
        for text in ["9007199254740993", "9007199254740995", "4503599627370496.5", "4503599627370497.5"] {
            #expect(try parsed(text)?.bitPattern == Double(text)?.bitPattern)
        }
        for tail in ["499", "500", "501"] {
            let text = "4503599627370496.\(tail)"
            #expect(try parsed(text)?.bitPattern == Double(text)?.bitPattern)
        }
    }
}
