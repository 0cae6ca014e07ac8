import MemoryEngine
import Testing

@Suite struct `The value of an attribute` {
    @Test(
        arguments: [
            ("true", .bool(true)), ("false", .bool(false)), ("0", .number(0)), ("-0.5", .number(-0.5)),
            ("42", .number(42)), ("1e3", .number(1_000)), ("2.5E-1", .number(0.25)),
            ("9007199254740992", .number(9_007_199_254_740_992)), ("1e16", .number(1e16)),
        ] as [(String, AttributeValue)])
    func `is read as what it says`(text: String, value: AttributeValue) {
        #expect(AttributeValue(reading: text) == value)
    }

    @Test(arguments: [
        "", "True", "-", ".5", "1.", "+1", "007", "-01", "0x10", "1e", "1e+", "1e400", "inf", "nan", "1 ",
        " 1",
        "1,5", "9007199254740993", "12345678901234567890", "1_000", "¼",
    ])
    func `is else itself`(text: String) {
        #expect(AttributeValue(reading: text) == .string(text))
    }
}
