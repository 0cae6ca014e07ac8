/// A JSON text (RFC 8259, 2017) as a value. Members of an object stay in their order.
enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// What it is, for a message: "a number".
    var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "true or false"
        case .number: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }

    /// The string; `nil` for another kind.
    var string: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    /// The number; `nil` for another kind.
    var number: Double? {
        guard case .number(let value) = self else { return nil }
        return value
    }

    /// The number where it is a whole one that a `Double` holds exactly.
    var integer: Int64? {
        guard case .number(let value) = self, abs(value) <= 9_007_199_254_740_992 else { return nil }
        return Int64(exactly: value)
    }

    /// True or false; `nil` for another kind.
    var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    /// The elements; `nil` for another kind.
    var array: [JSONValue]? {
        guard case .array(let value) = self else { return nil }
        return value
    }

    /// The members; `nil` for another kind.
    var object: JSONObject? {
        guard case .object(let value) = self else { return nil }
        return value
    }

    /// The member of this name; `nil` where there is none, and for what is no object.
    subscript(name: String) -> JSONValue? { object?[name] }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
    ExpressibleByNilLiteral
{
    init(stringLiteral value: String) { self = .string(value) }
    init(floatLiteral value: Double) { self = .number(value) }
    init(integerLiteral value: Int) { self = .number(Double(value)) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements.map { JSONObject.Member(name: $0, value: $1) }))
    }
    init(nilLiteral: ()) { self = .null }
}

/// The members of a JSON object, in their order, each name once.
struct JSONObject: Equatable, Sendable {
    struct Member: Equatable, Sendable {
        let name: String
        var value: JSONValue
    }

    var members: [Member]

    init(_ members: [Member] = []) { self.members = members }

    /// The member's value. Objects here have some twenty members, so that looking is as quick as hashing.
    ///
    /// - Complexity: O(n)
    subscript(name: String) -> JSONValue? {
        members.first { $0.name == name }?.value
    }
}
