import Foundation
import MemoryEngine
import Store

/// Valid encodings to start from: the records of a small home that is really written, its mutations and pages.
struct Corpus: Sendable {
    /// By the name of the decoder.
    var records: [String: [[UInt8]]] = [:]
    /// The bytes of a whole home file.
    var file: [UInt8] = []

    /// Writes a home into a directory that is removed again.
    static func make(seed: UInt64) async throws -> Corpus {
        let directory = NSTemporaryDirectory() + "/loci-fuzz-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var options = Engine.Options()
        options.durability = .none
        options.quotaBytes = 1 << 30
        options.passageByteCount = 128
        let engine = try Engine.open(at: directory, embedder: FirstLetters(), options: options)
        let mutations = MutationLog()
        let home = Namespace.project("corpus")
        try await write(engine, home, mutations)
        var corpus = Corpus()
        let copy = directory + "/copy"
        _ = try await engine.snapshot(of: home, to: copy)
        await engine.close()
        corpus.file = [UInt8](try Data(contentsOf: URL(fileURLWithPath: copy)))
        corpus.records = try records(ofFile: copy)
        corpus.records["mutation"] = mutations.all
        corpus.records["vectorSet"] = [
            VectorSetRecord(
                id: 1, name: Array("set".utf8), dimension: 3, inputDimension: 5, quantization: .int8, m: 16,
                space: 1
            ).encode()
        ]
        var element = VectorSetElement(ordinal: 7)
        corpus.records["vectorSetElement"] = [element.encode()]
        element.attribute = Array("{}".utf8)
        corpus.records["vectorSetElement"]?.append(element.encode())
        corpus.records["vectorSetSpace"] = [VectorSetSpace(number: 1, dimension: 3, set: 1).encode()]
        corpus.records["terms"] = [
            "some words of a passage, some twice", "", "snake_case_name CVE-2024-1234 東京都庁",
        ].map {
            Tokenizer().terms(in: $0).encoded
        }
        return corpus
    }

    private static func write(_ engine: Engine, _ home: Namespace, _ mutations: MutationLog) async throws {
        try await engine.remember("The first of them", in: home)
        try await engine.observeMutations(of: home) { mutations.append($0) }
        var draft = MemoryDraft(String(repeating: "A long text of several passages. ", count: 200))
        draft.key = "key"
        draft.actor = "ada"
        draft.thread = "thread"
        draft.tags = ["a", "b"]
        draft.keywords = ["more"]
        draft.attributes = ["text": "value", "number": 2.5, "flag": true]
        draft.origin = Origin(agent: "agent", model: "model", source: "log:81", trust: .verified)
        draft.expires = Timestamp("2999-01-01")
        draft.embeddings = [
            Embedding([1, 2, 3], in: EmbeddingSpace(model: "m", revision: "r", dimension: 3), part: 2)
        ]
        draft.attachments = [
            MemoryEngine.Attachment(
                name: "file", mediaType: "text/plain", digest: SHA256.digest(of: [1, 2, 3]), byteCount: 3,
                address: nil,
                data: [1, 2, 3])
        ]
        let id = try await engine.remember(draft, in: home.session("s")).id
        let other = try await engine.remember("What did Ada say?", in: home).id
        try await engine.update(id, in: home) { $0.content = "A short text" }
        try await engine.promote(id, from: home.session("s"), to: home)
        let third = try await engine.remember("The third of them", in: home).id
        try await engine.supersede(third, by: id, in: home)
        try await engine.remember("Grace Hopper broke it in 1234567890abcdef, see `make check`", in: home)
        _ = try await engine.remember((0..<1_500).map { MemoryDraft("number \($0) of a row") }, in: home)
        var query = RecallQuery("what did ada say", in: home)
        query.keepReceipt = true
        let recall = try await engine.recall(query)
        try await engine.record(.success, of: recall.id, in: home)
        // Folds what is long enough, so that there are columns and postings.
        _ = try await engine.vacuum(in: home)
        try await engine.remember("One more stays in the tail", in: home)
        try await engine.forget(.id(other), under: home)
        try await engine.record(.failure, of: try await engine.recall(query).id, in: home)
        try await engine.consolidate(in: home)
    }

    private static func records(ofFile path: String) throws -> [String: [[UInt8]]] {
        var options = Environment.Options()
        options.isReadOnly = true
        options.mapSizeBytes = 1 << 30
        let environment = try Environment.open(path: path, tables: Schema.all, options: options)
        defer { environment.close() }
        var records: [String: [[UInt8]]] = [:]
        for decoder in RecordDecoder.all {
            guard let (table, prefix) = decoder.place else { continue }
            let values = try environment.read { transaction in
                var values: [[UInt8]] = []
                try table.scan(prefix: prefix.map { Key(prefix: $0) } ?? Key(), in: transaction) { _, value in
                    let bytes = value.array
                    // Heads, versions and pages of content share a table: those that decode are the decoder's.
                    do {
                        _ = try decoder.decode(bytes)
                        values.append(bytes)
                    } catch {}
                    return values.count < 200
                }
                return values
            }
            records[decoder.name] = values
        }
        return records
    }
}

/// Words that begin alike mean alike.
private struct FirstLetters: Embedder {
    let space = EmbeddingSpace(model: "first-letters", dimension: 4)

    func embed(_ inputs: [EmbeddingInput], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        inputs.map { input in
            guard case .text(let text) = input else { return [1, 0, 0, 0] }
            let bytes = Array(text.utf8.prefix(4))
            return (0..<4).map { $0 < bytes.count ? Float(bytes[$0]) - 100 : 1 }
        }
    }
}

/// Mutations as they were applied.
private final class MutationLog: Sendable {
    private let bytes = Mutex<[[UInt8]]>([])
    var all: [[UInt8]] { bytes.withLock { $0 } }
    func append(_ mutation: [UInt8]) { bytes.withLock { $0.append(mutation) } }
}
