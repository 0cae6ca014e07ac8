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

    /// Looks over the file of a home wherever it lies, as `check(in:)` does; no store is needed.
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
        let report = try await engine.check(file: path, progress: progress)
        await engine.close()
        return report
    }
}
