import Foundation
import Store

extension Engine {
    /// Checks a draft against all limits, as `remember` would, and stores nothing.
    ///
    /// - Throws: `EngineError`: what is wrong with it.
    /// - Complexity: O(content).
    public func validate(_ draft: MemoryDraft, in namespace: Namespace) throws {
        try checkWritable(namespace)
        guard namespace.root != .tenant else {
            throw EngineError(.invalidNamespace, "`\(namespace)` is a tenant; name one of its homes")
        }
        let preparation = DraftPreparation(
            splitter: PassageSplitter(maximumByteCount: options.passageByteCount),
            principal: options.principal, now: options.clock())
        _ = try preparation.prepare(draft, id: MemoryID(rawValue: 0), in: namespace)
    }

    /// Checks a memory of the portable form as `importMemories` would, and stores nothing. Whether its key is another
    /// memory's in the store is not looked up.
    ///
    /// - Throws: `EngineError`: what is wrong with it.
    /// - Complexity: O(content).
    public func validate(_ memory: ExportedMemory) throws {
        if let newest = memory.versions.last { try checkWritable(newest.memory.namespace.home) }
        let preparation = DraftPreparation(
            splitter: PassageSplitter(maximumByteCount: options.passageByteCount),
            principal: options.principal, now: options.clock())
        _ = try Self.restored(memory, preparation)
    }

    /// Checks an edge of the portable form as `importEdges` would, and stores nothing. Whether its ends are there is not
    /// looked up.
    ///
    /// - Throws: `EngineError`: what is wrong with it.
    public func validate(_ edge: Edge, in namespace: Namespace) throws {
        try checkWritable(namespace)
        _ = try Self.restored(edge, edge.evidence, namespace.home)
    }

    /// Looks over the file of a home wherever it lies, as `check(in:)` does; no store is needed. Beside a snapshot its
    /// manifest is compared too. Nothing is written.
    ///
    /// - Throws: `EngineError`: `notFound`, `io`. What is wrong with the file is in the report.
    /// - Complexity: O(file).
    public static func check(
        fileAt path: String, progress: (@Sendable (Int, Int) -> Void)? = nil
    ) async throws -> CheckReport {
        guard fileSize(path) != nil else { throw EngineError(.notFound, "there is no file \(path)") }
        let scratch = NSTemporaryDirectory() + "loci-check-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let engine = try Engine.open(at: scratch)
        var report = try await engine.check(file: path, progress: progress)
        await engine.close()
        let manifest = path + SnapshotManifest.fileExtension
        if FileManager.default.fileExists(atPath: manifest) {
            let found = report
            report.problems += try await engine.readers.run {
                try Self.differences(path, from: manifest, found)
            }
        }
        return report
    }

    /// How a snapshot differs from its manifest, in words.
    private static func differences(
        _ path: String, from manifest: String, _ report: CheckReport
    ) throws -> [String] {
        let said: SnapshotManifest
        do {
            said = try SnapshotManifest(contentsOf: manifest)
        } catch let error as EngineError {
            return [error.message]
        }
        if let difference = try said.difference(fromFile: path) { return ["the file \(difference)"] }
        guard report.problems.isEmpty else { return [] }
        let pairs = [
            ("home", report.home, said.home.description),
            ("sequence", "\(report.sequence)", "\(said.sequence)"),
            ("memories", "\(report.memories)", "\(said.memories)"),
            ("versions", "\(report.versions)", "\(said.versions)"),
        ]
        return pairs.filter { $0.1 != $0.2 }.map {
            "the file has the \($0.0) \($0.1), and its manifest says \($0.2)"
        }
    }
}
