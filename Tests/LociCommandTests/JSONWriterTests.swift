import Testing

@testable import loci

@Suite struct `A JSON writer` {
    @Test func `keeps the order, and puts commas and colons`() {
        var json = JSONWriter()
        json.beginObject()
        json.name("b")
        json.write(1)
        json.name("a")
        json.beginArray()
        json.write("x")
        json.write(true)
        json.writeNull()
        json.beginObject()
        json.endObject()
        json.endArray()
        json.name("c")
        json.write([0.1, -1] as [Float])
        json.endObject()
        #expect(json.text == #"{"b":1,"a":["x",true,null,{}],"c":[0.1,-1]}"#)
        json.removeAll()
        json.write("y")
        #expect(json.text == "\"y\"")
    }

    @Test func `escapes what ends a string, a line or a terminal's patience`() throws {
        let text = "\"\\\n\r\t\u{0}\u{1B}[31m\u{7F}\u{9B}\u{2028}é€👍/"
        let written = JSONWriter.text(of: .string(text))
        #expect(written == #""\"\\\n\r\t\u0000\u001b[31m\u007f\u009b\u2028é€👍/""#)
        #expect(try JSONParser.parse(written) == .string(text))
        // Each alone, as the writer first looks whether there is any.
        for scalar in "\"\\\n\u{0}\u{1F}\u{7F}\u{80}\u{9F}\u{2028}\u{2029}".unicodeScalars {
            #expect(JSONWriter.text(of: .string("a\(scalar)")).hasPrefix(#""a\"#))
        }
    }

    @Test func `writes numbers with the fewest digits`() {
        for (value, text): (JSONValue, String) in [
            (1, "1"), (-0.5, "-0.5"), (1e20, "1e+20"), (1e-7, "1e-07"), (0.1, "0.1"), (.number(-0.0), "-0"),
            (.number(.infinity), "null"), (.number(.nan), "null"),
            (9_007_199_254_740_991, "9007199254740991"),
        ] {
            #expect(JSONWriter.text(of: value) == text)
        }
        var json = JSONWriter()
        json.write(Int64.min)
        #expect(json.text == "-9223372036854775808")
    }

    private func value(_ random: inout SplitMix64, depth: Int = 0) -> JSONValue {
        switch random.number(below: depth < 6 ? 7 : 5) {
        case 0: return .null
        case 1: return .bool(random.number(below: 2) == 0)
        case 2:
            return .number(
                Double(random.number(below: 2_000_000) - 1_000_000) / random.choice([1, 8, 1_000]))
        case 3:
            let value = Double(bitPattern: random.next())
            return .number(value.isFinite ? value : 0)
        case 4: return .string(random.text())
        case 5: return .array((0..<random.number(below: 6)).map { _ in value(&random, depth: depth + 1) })
        default:
            var object = JSONObject()
            for _ in 0..<random.number(below: 20) {
                let name = random.text()
                if object[name] == nil {
                    object.members.append(.init(name: name, value: value(&random, depth: depth + 1)))
                }
            }
            return .object(object)
        }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `writes what the parser reads back`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for _ in 0..<200 {
            let value = value(&random)
            #expect(try JSONParser.parse(JSONWriter.text(of: value)) == value)
        }
    }

    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func `writes floats that read back to the same bits`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var floats = (0..<2_000).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: random.next())) }
        floats.removeAll { !$0.isFinite }
        var json = JSONWriter()
        json.write(floats)
        let read = try #require(try JSONParser.parse(json.text).array).compactMap(\.number).map { Float($0) }
        #expect(read.map(\.bitPattern) == floats.map(\.bitPattern))
    }
}
