import Foundation

/// JSON of a model's answer.
enum AnswerValue: Sendable, Equatable, Decodable {
    case nothing
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([AnswerValue])
    case record([String: AnswerValue])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .nothing
        } else if let flag = try? value.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([AnswerValue].self) {
            self = .list(list)
        } else {
            self = .record(try value.decode([String: AnswerValue].self))
        }
    }

    /// - Returns: `nil` for what is not JSON.
    init?(json: String) {
        guard let value = try? JSONDecoder().decode(AnswerValue.self, from: Data(json.utf8)) else {
            return nil
        }
        self = value
    }

    var text: String? { if case .text(let text) = self { text } else { nil } }
    var number: Double? { if case .number(let number) = self { number } else { nil } }
    /// Empty where it is none.
    var list: [AnswerValue] { if case .list(let list) = self { list } else { [] } }

    subscript(name: String) -> AnswerValue? {
        if case .record(let fields) = self { fields[name] } else { nil }
    }

    /// The texts of a list that has this name.
    func texts(_ name: String) -> [String] { self[name]?.list.compactMap(\.text) ?? [] }
}
