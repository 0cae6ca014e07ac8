import Foundation
import Store

/// What a snapshot is of; a JSON file beside it.
public struct SnapshotManifest: Sendable, Equatable {
    static let fileExtension = ".manifest.json"

    public let home: Namespace
    public let format: Int
    public let program: String
    public let sequence: UInt64
    public let memories: UInt64
    public let versions: UInt64
    public let taken: Timestamp
    public let byteCount: Int
    public let sha256: String

    func write(to path: String) throws {
        let object: [String: Any] = [
            "home": home.description, "format": format, "program": program, "sequence": sequence,
            "memories": memories, "versions": versions, "taken": taken.description, "bytes": byteCount,
            "sha256": sha256,
        ]
        let data = try JSONSerialization.data(withJSONObject: object, options: [.prettyPrinted, .sortedKeys])
        try data.write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    init(
        home: Namespace, format: Int, program: String, sequence: UInt64, memories: UInt64, versions: UInt64,
        taken: Timestamp, byteCount: Int, sha256: String
    ) {
        self.home = home
        self.format = format
        self.program = program
        self.sequence = sequence
        self.memories = memories
        self.versions = versions
        self.taken = taken
        self.byteCount = byteCount
        self.sha256 = sha256
    }

    /// How a file differs from what was described, in words; `nil` if it does not.
    func difference(fromFile path: String) throws -> String? {
        let size = fileSize(path) ?? 0
        guard size == byteCount else {
            return "has \(size) bytes, and its manifest says \(byteCount)"
        }
        let digest = try Engine.digest(ofFile: path)
        return digest == sha256
            ? nil : "has the SHA-256 \(digest.prefix(16))…, and its manifest says \(sha256.prefix(16))…"
    }

    /// - Throws: `EngineError`: `notFound`, `corrupted`.
    public init(contentsOf path: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw EngineError(.notFound, "the manifest \(path) is missing; it belongs beside the snapshot")
        }
        let object = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any]
        guard let object, let name = object["home"] as? String, let home = try? Namespace(path: name),
            let format = object["format"] as? Int, let program = object["program"] as? String,
            let sequence = object["sequence"] as? NSNumber, let memories = object["memories"] as? NSNumber,
            let versions = object["versions"] as? NSNumber, let taken = object["taken"] as? String,
            let time = Timestamp(taken), let byteCount = object["bytes"] as? Int,
            let sha256 = object["sha256"] as? String
        else { throw EngineError(.corrupted, "\(path) is not a manifest of a snapshot") }
        guard format <= Int(Schema.formatVersion) else {
            throw EngineError(
                .foreign, "the snapshot has format \(format); use a newer program than \(Loci.version)")
        }
        self.init(
            home: home, format: format, program: program, sequence: sequence.uint64Value,
            memories: memories.uint64Value, versions: versions.uint64Value, taken: time, byteCount: byteCount,
            sha256: sha256)
    }
}
