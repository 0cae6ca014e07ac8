import Foundation
import MemoryEngine

/// Makes memories of the lines of an export again. It holds the bytes of attachments until the memory that
/// they stand before.
struct ExportReader {
    /// Why a line is refused; the message names the field.
    struct Refusal: Error {
        let message: String
    }

    private var attachments: [[UInt8]: [UInt8]] = [:]
    private var attachmentByteCount = 0

    /// As many bytes as one memory may have.
    private static let maximumAttachmentByteCount = 64 * (64 << 20)

    /// What a line holds.
    enum Line {
        case memory(ExportedMemory)
        /// With its home.
        case edge(Edge, Namespace)
    }

    /// - Returns: `nil` for a line that is a piece of an attachment.
    /// - Throws: `Refusal`.
    mutating func read(_ line: JSONValue) throws(Refusal) -> Line? {
        if let form = line["loci"], form.integer != ExportLine.form {
            throw Refusal(
                message: "`loci` is \(JSONWriter.text(of: form)): a form that this program does not know")
        }
        if let digest = line["attachment"] {
            guard let digest = digest.string.flatMap(bytes(hexadecimal:)), digest.count == 32,
                let data = line["base64"]?.string.flatMap({ Data(base64Encoded: $0) })
            else { throw Refusal(message: "an attachment needs its digest and `base64`") }
            attachmentByteCount += data.count
            guard attachmentByteCount <= Self.maximumAttachmentByteCount else {
                throw Refusal(message: "more bytes of attachments than a memory may have")
            }
            attachments[digest, default: []] += data
            return nil
        }
        if line["edge"] != nil {
            let (edge, home) = try edge(line)
            return .edge(edge, home)
        }
        defer {
            attachments = [:]
            attachmentByteCount = 0
        }
        let id: MemoryID = try id(line)
        let key = line["key"]?.string
        var versions: [ExportedMemory.Version] = []
        for (index, version) in try list("versions", line["versions"]).enumerated() {
            do {
                versions.append(try self.version(version, id: id, key: key))
            } catch {
                throw Refusal(message: "versions[\(index)]: \(error.message)")
            }
        }
        guard !versions.isEmpty else { throw Refusal(message: "`versions` is empty") }
        return .memory(ExportedMemory(id: id, key: key, versions: versions))
    }

    private func edge(_ line: JSONValue) throws(Refusal) -> (Edge, Namespace) {
        guard let id = line["edge"]?.string.flatMap({ EdgeID($0) }),
            let from = line["from"]?.string.flatMap({ MemoryID($0) }),
            let to = line["to"]?.string.flatMap({ MemoryID($0) })
        else { throw Refusal(message: "an edge needs `edge`, `from` and `to`, each an id") }
        guard let home = line["home"]?.string.flatMap({ try? Namespace(path: $0) }) else {
            throw Refusal(message: "`home` of an edge is no namespace")
        }
        var toHome: Namespace?
        if let other = line["toHome"] {
            toHome = other.string.flatMap { try? Namespace(path: $0) }
            if toHome == nil { throw Refusal(message: "`toHome` of an edge is no namespace") }
        }
        guard let name = line["kind"]?.string,
            let graph = line["graph"]?.string.flatMap({ MemoryGraph(name: $0) }),
            let kind = EdgeKind.all.first(where: { $0.name == name && $0.graph == graph })
                ?? (try? EdgeKind(name, in: graph))
        else { throw Refusal(message: "`kind` and `graph` name no kind of edge") }
        guard let weight = line["weight"]?.number else {
            throw Refusal(message: "an edge needs its `weight`")
        }
        let validFrom = try time("validFrom", line["validFrom"]) ?? .distantPast
        let validUntil = try time("validUntil", line["validUntil"]) ?? .distantFuture
        let recordedFrom = try time("recordedAt", line["recordedAt"]) ?? .distantPast
        let recordedUntil = try time("recordedUntil", line["recordedUntil"]) ?? .distantFuture
        guard validFrom <= validUntil, recordedFrom <= recordedUntil else {
            throw Refusal(message: "the edge ends before it begins")
        }
        var evidence: [Citation] = []
        for place in try list("evidence", line["evidence"]) {
            guard let namespace = place["namespace"]?.string.flatMap({ try? Namespace(path: $0) }),
                let citation = place["citation"]?.string.flatMap({ CitationArgument($0) })
            else { throw Refusal(message: "evidence[\(evidence.count)] is no citation") }
            evidence.append(citation.citation(in: namespace))
        }
        let (origin, principal) = try origin(line["origin"])
        let edge = Edge(
            id: id, kind: kind, from: from, to: to, toHome: toHome, weight: Float(weight),
            valid: validFrom..<validUntil, recorded: recordedFrom..<recordedUntil, origin: origin,
            principal: principal, evidence: evidence)
        return (edge, home)
    }

    private func id(_ line: JSONValue) throws(Refusal) -> MemoryID {
        guard let id = line["id"]?.string.flatMap({ MemoryID($0) }) else {
            throw Refusal(message: "`id` is no id of a memory")
        }
        return id
    }

    private func version(
        _ value: JSONValue, id: MemoryID, key: String?
    ) throws(Refusal) -> ExportedMemory.Version {
        guard let object = value.object else { throw Refusal(message: "it is \(value.kindName)") }
        var fields = MemoryFields(folder: URL(fileURLWithPath: "/"), isLenient: true)
        let own: Set = [
            "version", "recordedAt", "recordedUntil", "closure", "passages", "vectors", "attachments", "key",
            "origin",
        ]
        var draft: MemoryDraft
        do {
            for member in object.members where !own.contains(member.name) {
                try fields.read(member.name, member.value)
            }
            draft = try fields.finished()
        } catch {
            throw Refusal(message: error.message)
        }
        draft.key = key
        let (origin, principal) = try origin(value["origin"])
        draft.origin = origin
        draft.attachments = try attachmentNames(value["attachments"])
        guard let number = value["version"]?.integer, let number = UInt32(exactly: number), number > 0 else {
            throw Refusal(message: "`version` is no number of a version")
        }
        guard let namespace = fields.namespace else { throw Refusal(message: "it has no `namespace`") }
        guard let closure = value["closure"]?.string.flatMap(VersionClosure.init(rawValue:)) else {
            throw Refusal(message: "`closure` is open, retracted or superseded")
        }
        guard let happened = draft.happened else { throw Refusal(message: "it has no `happenedAt`") }
        let recordedFrom = try time("recordedAt", value["recordedAt"]) ?? .distantPast
        let recordedUntil = try time("recordedUntil", value["recordedUntil"]) ?? .distantFuture
        guard recordedFrom < recordedUntil else {
            throw Refusal(message: "`recordedUntil` is not after `recordedAt`")
        }
        let memory = Memory(
            id: id, version: number, namespace: namespace, draft: draft, principal: principal,
            recorded: recordedFrom..<recordedUntil,
            valid: draft.valid ?? Timestamp.distantPast..<Timestamp.distantFuture,
            happened: happened.lowerBound..<Timestamp(microseconds: happened.upperBound.microseconds + 1),
            isCurrent: recordedUntil == .distantFuture && closure == .open)
        var kept: [[UInt8]: [UInt8]] = [:]
        for attachment in draft.attachments where attachment.address == nil {
            kept[attachment.digest] = attachments[attachment.digest] ?? []
        }
        return ExportedMemory.Version(
            memory: memory, closure: closure, passages: try passages(value["passages"]),
            embeddings: try embeddings(value["vectors"]), attachments: kept)
    }

    // MARK: Fields

    private func list(_ name: String, _ value: JSONValue?) throws(Refusal) -> [JSONValue] {
        guard let value else { return [] }
        guard let array = value.array else {
            throw Refusal(message: "`\(name)` is \(value.kindName), and should be a list")
        }
        return array
    }

    private func time(_ name: String, _ value: JSONValue?) throws(Refusal) -> Timestamp? {
        guard let value else { return nil }
        guard let time = value.string.flatMap({ Timestamp($0) }) else {
            throw Refusal(message: "`\(name)` is no time")
        }
        return time
    }

    private func range(_ name: String, _ value: JSONValue) throws(Refusal) -> Range<Int> {
        guard let pair = value.array, pair.count == 2, let from = pair[0].integer,
            let until = pair[1].integer,
            from >= 0, from <= until
        else { throw Refusal(message: "`\(name)` is not a beginning and an end") }
        return Int(from)..<Int(until)
    }

    private func passages(_ value: JSONValue?) throws(Refusal) -> [Range<Int>] {
        var passages: [Range<Int>] = []
        for element in try list("passages", value) {
            passages.append(try range("passages[\(passages.count)]", element))
        }
        return passages
    }

    private func embeddings(_ value: JSONValue?) throws(Refusal) -> [Embedding] {
        guard let value else { return [] }
        guard let spaces = value.object else { throw Refusal(message: "`vectors` is \(value.kindName)") }
        var embeddings: [Embedding] = []
        for member in spaces.members {
            guard let space = EmbeddingSpace(name: member.name), let parts = member.value.object else {
                throw Refusal(message: "`vectors.\(member.name.clipped(to: 60))` is no space with vectors")
            }
            for part in parts.members {
                guard let number = Int(part.name), number >= 0,
                    let vector = part.value.string.flatMap(ExportLine.vector(base64:)),
                    vector.count == space.dimension
                else {
                    throw Refusal(
                        message: "vector \(part.name.clipped(to: 20)) in \(space.name) is none of its numbers"
                    )
                }
                embeddings.append(Embedding(vector, in: space, part: number))
            }
        }
        return embeddings
    }

    private func origin(_ value: JSONValue?) throws(Refusal) -> (Origin, principal: String) {
        guard let value, let principal = value["principal"]?.string, !principal.isEmpty,
            let trust = value["trust"]?.string.flatMap({ Trust(name: $0) })
        else { throw Refusal(message: "`origin` needs `principal` and `trust`") }
        var origin = Origin(
            agent: value["agent"]?.string, model: value["model"]?.string, source: value["source"]?.string,
            trust: trust, mayContribute: value["mayContribute"]?.bool ?? false)
        if let digest = value["sourceDigest"] {
            guard let digest = digest.string.flatMap(bytes(hexadecimal:)), digest.count == 32 else {
                throw Refusal(message: "`origin.sourceDigest` is no SHA-256")
            }
            origin.sourceDigest = digest
        }
        if let span = value["sourceSpan"] {
            let range = try range("origin.sourceSpan", span)
            origin.sourceSpan = UInt64(range.lowerBound)..<UInt64(range.upperBound)
        }
        return (origin, principal)
    }

    private func attachmentNames(_ value: JSONValue?) throws(Refusal) -> [Attachment] {
        var attachments: [Attachment] = []
        for element in try list("attachments", value) {
            guard let name = element["name"]?.string, let mediaType = element["mediaType"]?.string,
                let digest = element["digest"]?.string.flatMap(bytes(hexadecimal:)), digest.count == 32,
                let size = element["size"]?.integer, size >= 0
            else {
                throw Refusal(
                    message:
                        "attachments[\(attachments.count)] needs `name`, `mediaType`, `digest` and `size`")
            }
            attachments.append(
                Attachment(
                    name: name, mediaType: mediaType, digest: digest, byteCount: UInt64(size),
                    address: element["address"]?.string))
        }
        return attachments
    }
}
