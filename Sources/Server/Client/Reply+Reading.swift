import MemoryEngine

/// What a client reads of a reply.
extension Reply {
    /// The value of a member of a map.
    package subscript(name: String) -> Reply? { entries.first { $0.key.string == name }?.value }

    package var entries: [Entry] {
        guard case .map(let entries) = self else { return [] }
        return entries
    }

    package var elements: [Reply] {
        guard case .array(let elements) = self else { return [] }
        return elements
    }

    package var string: String? {
        switch self {
        case .simple(let text), .verbatim(let text), .text(let text): text
        case .bulk(let bytes): String(decoding: bytes, as: UTF8.self)
        default: nil
        }
    }

    package var whole: Int? {
        guard case .integer(let number) = self else { return nil }
        return number
    }

    package var number: Double? {
        switch self {
        case .double(let number): number
        case .integer(let number): Double(number)
        default: nil
        }
    }

    package var flag: Bool? {
        guard case .boolean(let flag) = self else { return nil }
        return flag
    }

    package var isNull: Bool { self == .null || self == .nullArray }

    /// Why a command was refused; `nil` = it was not. What the engine of the server refused has its code here too.
    package var refusal: EngineError? {
        guard case .error(let text) = self else { return nil }
        let word = text.prefix { $0 != " " }
        let message = text.dropFirst(word.count + 1)
        let code: EngineError.Code? =
            switch word {
            case "ERR": .invalid
            case "NAMESPACE": .invalidNamespace
            case "WRONGTYPE": .wrongKind
            case "VECTOR": .invalidVector
            case "NOTFOUND": .notFound
            case "CONFLICT": .conflict
            case "TOOLARGE": .tooLarge
            case "NOPERM", "NOAUTH", "WRONGPASS": .forbidden
            case "GAP": .gap
            case "DEADLINE": .deadline
            case "FULL": .full
            case "READONLY": .readOnly
            default: nil
            }
        // A word that says more than the code is kept.
        return code.map { EngineError($0, String(message)) }
            ?? EngineError(.io, "the server refuses: \(text)")
    }
}
