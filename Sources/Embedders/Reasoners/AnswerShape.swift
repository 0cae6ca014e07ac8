/// The form of an answer: what a service is told of it as JSON Schema, and what the answer is held to.
///
/// The schema has types, names and choices only, because services refuse or ignore bounds of lengths and counts. These are told in
/// words, and checked here.
indirect enum AnswerShape: Sendable {
    /// So many bytes of UTF-8, without control characters; of several lines if that is said.
    case text(ClosedRange<Int>, hasLines: Bool = false)
    case choice([String])
    /// From 0 to 1.
    case share
    case list(AnswerShape, maximumCount: Int)
    /// Each field must be there, and no other.
    case record([Field])

    struct Field: Sendable {
        let name: String
        let shape: AnswerShape

        init(_ name: String, _ shape: AnswerShape) { (self.name, self.shape) = (name, shape) }
    }

    /// As JSON Schema, in the subset that OpenAI's and Anthropic's structured answers take.
    var schema: ServiceField {
        switch self {
        case .text(let bytes, _):
            .object([
                "type": .string("string"),
                "description": .string("\(bytes.lowerBound) to \(bytes.upperBound) bytes"),
            ])
        case .choice(let names):
            .object(["type": .string("string"), "enum": .list(names.map(ServiceField.string))])
        case .share: .object(["type": .string("number"), "description": .string("from 0 to 1")])
        case .list(let item, let maximumCount):
            .object([
                "type": .string("array"), "items": item.schema,
                "description": .string("at most \(maximumCount)"),
            ])
        case .record(let fields):
            .object([
                "type": .string("object"), "additionalProperties": .flag(false),
                "required": .list(fields.map { .string($0.name) }),
                "properties": .object(
                    Dictionary(
                        fields.map { ($0.name, $0.shape.schema) }, uniquingKeysWith: { first, _ in first })),
            ])
        }
    }

    /// What is wrong with a value, in words that hold nothing of it; `nil` = it has this form.
    ///
    /// - Parameter path: where the value stands, as `links[2].to`.
    func complaint(about value: AnswerValue, at path: String = "") -> String? {
        let place = path.isEmpty ? "the answer" : path
        switch (self, value) {
        case (.text(let bytes, let hasLines), .text(let text)):
            guard bytes.contains(text.utf8.count) else {
                return
                    "\(place) has \(text.utf8.count) bytes and not \(bytes.lowerBound) to \(bytes.upperBound)"
            }
            let isPlain = text.unicodeScalars.allSatisfy { scalar in
                scalar.properties.generalCategory != .control
                    || hasLines && ["\n", "\r", "\t"].contains(scalar)
            }
            return isPlain ? nil : "\(place) has a control character"
        case (.choice(let names), .text(let text)):
            return names.contains(text) ? nil : "\(place) is none of \(names.joined(separator: ", "))"
        case (.share, .number(let number)):
            return (0...1).contains(number) ? nil : "\(place) is not from 0 to 1"
        case (.list(let item, let maximumCount), .list(let values)):
            guard values.count <= maximumCount else {
                return "\(place) has \(values.count) items and may have \(maximumCount)"
            }
            for (index, value) in values.enumerated() {
                if let complaint = item.complaint(about: value, at: "\(path)[\(index)]") { return complaint }
            }
            return nil
        case (.record(let fields), .record(let values)):
            for field in fields {
                guard let value = values[field.name] else { return "\(place) lacks \(field.name)" }
                let inner = path.isEmpty ? field.name : "\(path).\(field.name)"
                if let complaint = field.shape.complaint(about: value, at: inner) { return complaint }
            }
            return values.count == fields.count ? nil : "\(place) has a field that was not asked for"
        default: return "\(place) is not \(kind)"
        }
    }

    private var kind: String {
        switch self {
        case .text, .choice: "a string"
        case .share: "a number"
        case .list: "an array"
        case .record: "an object"
        }
    }
}
