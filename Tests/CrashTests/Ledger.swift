import MemoryEngine
import Testing

@testable import crashchild

/// What a store must hold, by what children said of it.
struct Ledger {
    /// Versions by key, of what was acknowledged.
    private var versions: [String: Int] = [:]
    /// Steps that were begun, and neither acknowledged nor failed: done whole, or not at all.
    private var pending: [String] = []
    private(set) var doneCount = 0

    mutating func note(_ line: String) {
        let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return }
        switch parts[0] {
        case "begin": pending.append(parts[1])
        case "done":
            pending.removeAll { $0 == parts[1] }
            apply(parts[1])
            doneCount += 1
        case "failed": pending.removeAll { $0 == parts[1] }
        case "failure": Issue.record("the child failed: \(parts[1])")
        default: break
        }
    }

    /// A memory that the test itself remembered.
    mutating func noteRemembered(_ key: String) { versions[key] = 1 }

    private mutating func apply(_ step: String) {
        for (key, version) in Self.outcome(of: step) { versions[key] = version }
    }

    /// Keys and the versions that they have after a step; `nil` = forgotten.
    private static func outcome(of step: String) -> [(String, Int?)] {
        let parts = step.split(separator: " ").map(String.init)
        if parts[0] == "forget" { return [(parts[1], nil)] }
        guard parts.count == 4, let version = Int(parts[2]), let count = Int(parts[3]) else { return [] }
        return Workload.keys(parts[1], count: count).map { ($0, version) }
    }

    /// Compares the store with what was said, and takes up what it shows of the steps that were cut short.
    mutating func expectAgreement(with engine: Engine) async throws {
        let report = try await engine.check(in: Workload.home)
        #expect(report.problems == [])
        var found: [String: ExportedMemory] = [:]
        do {
            try await engine.export(in: Workload.home) { memory in
                guard let key = memory.key else {
                    Issue.record("\(memory.id) has no key")
                    return
                }
                if found.updateValue(memory, forKey: key) != nil { Issue.record("\(key) is there twice") }
            }
        } catch let error as EngineError where error.code == .notFound && versions.isEmpty {
            // Killed before the home was made.
        }
        for step in pending {
            let outcome = Self.outcome(of: step)
            let isDone = outcome.map { key, version in found[key].map { $0.versions.count } == version }
            if isDone.allSatisfy({ $0 }) {
                apply(step)
            } else if isDone.contains(true) {
                Issue.record("half of a batch is there: \(step)")
            }
        }
        pending = []
        #expect(Set(found.keys) == Set(versions.keys))
        for (key, count) in versions {
            guard let memory = found[key] else { continue }
            #expect(memory.versions.count == count, "\(key)")
            for (index, version) in memory.versions.enumerated() {
                let draft = Workload.draft(key, version: index + 1)
                let isWhole =
                    version.memory.content == draft.content && version.memory.tags == draft.tags
                    && version.embeddings.map(\.vector) == draft.embeddings.map(\.vector)
                    && version.attachments.values.map { $0 } == draft.attachments.map(\.data)
                if !isWhole { Issue.record("\(key)@\(index + 1) is not what was remembered") }
            }
        }
        #expect(report.memories == versions.count)
    }

    /// Writes, and finds what was written, as if nothing had happened.
    mutating func expectService(of engine: Engine, _ name: String) async throws {
        let key = "after.\(name)"
        let stored = try await engine.remember(Workload.draft(key, version: 1), in: Workload.home)
        noteRemembered(key)
        let memory = try #require(try await engine.get(key: key, in: Workload.home))
        #expect(memory.id == stored.id)
        let hits = try await engine.recall(memory.content, in: Workload.home)
        #expect(hits.first?.memory.id == stored.id)
    }
}
