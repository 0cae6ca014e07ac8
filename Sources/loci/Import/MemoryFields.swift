import Foundation
import MemoryEngine

/// A memory as JSON gives it, field by field.
struct MemoryFields {
    /// Why a field is refused; the message names it.
    struct Refusal: Error {
        let message: String
    }

    private(set) var namespace: Namespace?
    /// Of the memory that the line was made of, in whatever store.
    private(set) var id: MemoryID?
    private(set) var files: [ImportFile] = []
    private var draft = MemoryDraft("")
    private var hasContent = false
    private var validFrom: Timestamp?
    private var validUntil: Timestamp?
    private let folder: URL
    private let isLenient: Bool

    init(folder: URL, isLenient: Bool) {
        self.folder = folder
        self.isLenient = isLenient
    }

    /// - Throws: `Refusal` for a wrong kind or value, and for a name that nobody knows.
    mutating func read(_ name: String, _ value: JSONValue) throws(Refusal) {
        switch name {
        case "content":
            draft.content = try string(name, value)
            hasContent = true
        case "id": id = try MemoryID(string(name, value))
        case "key": draft.key = try string(name, value)
        case "namespace":
            do {
                namespace = try Namespace(path: try string(name, value))
            } catch {
                throw error as? Refusal ?? Refusal(message: "\(error)")
            }
        case "kind": draft.kind = MemoryKind(rawValue: try string(name, value))
        case "actor": draft.actor = try string(name, value)
        case "thread": draft.thread = try string(name, value)
        case "happenedAt": draft.happened = try happened(value)
        case "validFrom": validFrom = try time(name, value)
        case "validUntil": validUntil = try time(name, value)
        case "expiresAt": draft.expires = try time(name, value)
        case "tags": draft.tags = try strings(name, value)
        case "keywords": draft.keywords = try strings(name, value)
        case "attributes": draft.attributes = try attributes(value)
        case "importance": draft.importance = Float(try number(name, value))
        case "pinned": draft.isPinned = try bool(name, value)
        case "origin": draft.origin = try origin(value)
        case "vectors": draft.embeddings = try vectors(value)
        case "attachments": try readAttachments(value)
        default: try unknown(name)
        }
    }

    /// The draft, after all fields.
    ///
    /// - Throws: `Refusal` where there is nothing to be remembered.
    func finished() throws(Refusal) -> MemoryDraft {
        var draft = draft
        guard hasContent || !draft.embeddings.isEmpty || !draft.attachments.isEmpty || !files.isEmpty else {
            throw Refusal(message: "it has no `content`")
        }
        if validFrom != nil || validUntil != nil {
            let from = validFrom ?? .distantPast
            let until = validUntil ?? .distantFuture
            guard from < until else { throw Refusal(message: "`validUntil` is not after `validFrom`") }
            draft.valid = from..<until
        }
        return draft
    }

    // MARK: Kinds of value

    private func unknown(_ name: String) throws(Refusal) {
        guard isLenient else { throw Refusal(message: "there is no field `\(name.clipped(to: 60))`") }
    }

    private func wrong(_ name: String, _ value: JSONValue, _ expected: String) -> Refusal {
        Refusal(message: "`\(name.clipped(to: 60))` is \(value.kindName), and should be \(expected)")
    }

    private func string(_ name: String, _ value: JSONValue) throws(Refusal) -> String {
        guard let string = value.string else { throw wrong(name, value, "a string") }
        return string
    }

    private func number(_ name: String, _ value: JSONValue) throws(Refusal) -> Double {
        guard let number = value.number else { throw wrong(name, value, "a number") }
        return number
    }

    private func bool(_ name: String, _ value: JSONValue) throws(Refusal) -> Bool {
        guard let bool = value.bool else { throw wrong(name, value, "true or false") }
        return bool
    }

    private func object(_ name: String, _ value: JSONValue) throws(Refusal) -> JSONObject {
        guard let object = value.object else { throw wrong(name, value, "an object") }
        return object
    }

    private func strings(_ name: String, _ value: JSONValue) throws(Refusal) -> [String] {
        guard let array = value.array else { throw wrong(name, value, "a list of strings") }
        var strings: [String] = []
        for element in array { strings.append(try string("\(name)[\(strings.count)]", element)) }
        return strings
    }

    // MARK: Times

    /// RFC 3339, or a day; as a number seconds since 1970, from 100,000,000,000 on milliseconds (what would
    /// be the year 5138 in seconds is 1973 in milliseconds).
    private func time(_ name: String, _ value: JSONValue) throws(Refusal) -> Timestamp {
        let time: Timestamp?
        switch value {
        case .string(let text): time = Timestamp(text)
        case .number(let number):
            let microseconds = (number * (abs(number) < 1e11 ? 1e6 : 1e3)).rounded()
            time = Int64(exactly: microseconds).map { Timestamp(microseconds: $0) }
        default: throw wrong(name, value, "a time")
        }
        guard let time, Timestamp.allowed.contains(time) else {
            let given = JSONWriter.text(of: value).clipped(to: 60)
            throw Refusal(
                message:
                    "`\(name)` is \(given), and no time: write `2026-11-23T08:30:00Z`, a day, or seconds since 1970"
            )
        }
        return time
    }

    private func happened(_ value: JSONValue) throws(Refusal) -> ClosedRange<Timestamp> {
        guard let interval = value.object else {
            let time = try time("happenedAt", value)
            return time...time
        }
        for member in interval.members where member.name != "from" && member.name != "until" {
            try unknown("happenedAt.\(member.name)")
        }
        guard let from = interval["from"], let until = interval["until"] else {
            throw Refusal(message: "`happenedAt` needs `from` and `until`")
        }
        let begin = try time("happenedAt.from", from)
        let end = try time("happenedAt.until", until)
        guard begin <= end else { throw Refusal(message: "`happenedAt` ends before it begins") }
        return begin...end
    }

    // MARK: Objects

    private func attributes(_ value: JSONValue) throws(Refusal) -> [String: AttributeValue] {
        var attributes: [String: AttributeValue] = [:]
        for member in try object("attributes", value).members {
            switch member.value {
            case .string(let text): attributes[member.name] = .string(text)
            case .number(let number): attributes[member.name] = .number(number)
            case .bool(let flag): attributes[member.name] = .bool(flag)
            default:
                throw wrong("attributes.\(member.name)", member.value, "a string, a number, or true or false")
            }
        }
        return attributes
    }

    /// Who wrote it elsewhere does not become who writes it here: `principal` is kept as the source where
    /// there is no other.
    private func origin(_ value: JSONValue) throws(Refusal) -> Origin {
        var origin = Origin()
        var principal: String?
        for member in try object("origin", value).members {
            let name = "origin.\(member.name)"
            switch member.name {
            case "agent": origin.agent = try string(name, member.value)
            case "model": origin.model = try string(name, member.value)
            case "source": origin.source = try string(name, member.value)
            case "principal": principal = try string(name, member.value)
            case "mayContribute": origin.mayContribute = try bool(name, member.value)
            case "trust":
                guard let trust = Trust(name: try string(name, member.value)) else {
                    throw Refusal(message: "`\(name)` is untrusted, known or verified")
                }
                origin.trust = trust
            default: try unknown(name)
            }
        }
        if origin.source == nil, let principal { origin.source = "principal:\(principal)" }
        return origin
    }

    /// By the space's name: a list of numbers, or a list of such lists, one for each passage. A name may lack
    /// the dimension; the vector has it.
    private func vectors(_ value: JSONValue) throws(Refusal) -> [Embedding] {
        var embeddings: [Embedding] = []
        for member in try object("vectors", value).members {
            let name = "vectors.\(member.name)"
            guard let elements = member.value.array, let first = elements.first else {
                throw Refusal(message: "`\(name.clipped(to: 60))` should be a list of numbers, and not empty")
            }
            let isByPart = first.array != nil
            for (part, vector) in (isByPart ? elements : [member.value]).enumerated() {
                guard let components = vector.array else {
                    throw wrong("\(name)[\(part)]", vector, "a list of numbers")
                }
                var floats: [Float] = []
                floats.reserveCapacity(components.count)
                for component in components {
                    guard let number = component.number else {
                        throw wrong("\(name)[\(floats.count)]", component, "a number")
                    }
                    floats.append(Float(number))
                }
                let given = EmbeddingSpace(name: member.name)
                guard let space = given ?? EmbeddingSpace(name: "\(member.name)/\(floats.count)") else {
                    throw Refusal(
                        message:
                            "`\(member.name.clipped(to: 60))` is no space: write `model@revision/dimension/metric`, "
                            + "the dimension 1 to \(EmbeddingSpace.maximumDimension), the metric "
                            + EmbeddingMetric.allCases.map(\.rawValue).joined(separator: ", "))
                }
                guard space.dimension == floats.count else {
                    throw Refusal(
                        message:
                            "`\(name.clipped(to: 60))` has \(floats.count) numbers, and its space \(space.dimension)"
                    )
                }
                embeddings.append(Embedding(floats, in: space, part: isByPart ? part : nil))
            }
        }
        return embeddings
    }
}

extension MemoryFields {
    // MARK: Attachments

    /// A list of paths, and of objects with `name`, `mediaType` and either `path`, `base64`, or `address` with
    /// `digest` (SHA-256 in hexadecimal) and `size`.
    private mutating func readAttachments(_ value: JSONValue) throws(Refusal) {
        guard let list = value.array else { throw wrong("attachments", value, "a list") }
        for (index, element) in list.enumerated() {
            let name = "attachments[\(index)]"
            if case .string(let path) = element {
                files.append(try file(path, name: nil, mediaType: nil))
                continue
            }
            let object = try object(name, element)
            var texts: [String: String] = [:]
            var byteCount: UInt64?
            for member in object.members {
                switch member.name {
                case "name", "mediaType", "path", "base64", "address", "digest":
                    texts[member.name] = try string("\(name).\(member.name)", member.value)
                case "size":
                    guard let size = member.value.integer, size >= 0 else {
                        throw wrong("\(name).size", member.value, "a number of bytes")
                    }
                    byteCount = UInt64(size)
                default: try unknown("\(name).\(member.name)")
                }
            }
            switch (texts["path"], texts["base64"], texts["address"]) {
            case (let path?, nil, nil):
                files.append(try file(path, name: texts["name"], mediaType: texts["mediaType"]))
            case (nil, let base64?, nil):
                guard let data = Data(base64Encoded: base64) else {
                    throw Refusal(message: "`\(name).base64` is not base64")
                }
                guard let fileName = texts["name"] else { throw Refusal(message: "`\(name)` has no `name`") }
                files.append(
                    ImportFile(name: fileName, mediaType: texts["mediaType"], source: .bytes([UInt8](data))))
            case (nil, nil, let address?):
                guard let digest = texts["digest"].flatMap(Self.digest), let byteCount else {
                    throw Refusal(
                        message:
                            "`\(name)` has an `address`, and needs `digest` (64 hexadecimal digits) and `size`"
                    )
                }
                draft.attachments.append(
                    Attachment(
                        name: texts["name"] ?? String(address.split(separator: "/").last ?? "attachment"),
                        mediaType: texts["mediaType"] ?? "application/octet-stream", digest: digest,
                        byteCount: byteCount, address: address))
            default: throw Refusal(message: "`\(name)` needs one of `path`, `base64` and `address`")
            }
        }
    }

    /// A file beside the one that names it, or below: whoever wrote the lines may not read other files of the
    /// machine that they are imported on.
    private func file(_ path: String, name: String?, mediaType: String?) throws(Refusal) -> ImportFile {
        let top = folder.resolvingSymlinksInPath().standardizedFileURL.path
        let file = folder.appendingPathComponent(path).resolvingSymlinksInPath().standardizedFileURL
        guard !path.isEmpty, !path.hasPrefix("/"), !path.utf8.contains(0),
            file.path.hasPrefix(top == "/" ? top : top + "/")
        else {
            throw Refusal(
                message:
                    "attachment `\(path.clipped(to: 100))` does not lie in the folder of the file that names it"
            )
        }
        return ImportFile(
            name: name ?? file.lastPathComponent, mediaType: mediaType, source: .path(file.path))
    }

    private static func digest(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: 64, by: 2) {
            guard let high = Character(Unicode.Scalar(digits[index])).hexDigitValue,
                let low = Character(Unicode.Scalar(digits[index + 1])).hexDigitValue
            else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        return bytes
    }
}
