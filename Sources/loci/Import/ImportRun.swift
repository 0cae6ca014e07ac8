import Foundation
import MemoryEngine

/// Puts what a source gives into the store, batch by batch; each is durable when it is reported.
///
/// A memory without a key gets one of its line's bytes, so that a source that is imported again, or after a
/// kill, brings nothing twice. (Two lines that are alike are one memory.) What is there under such a key stays
/// as it is, also when it was updated since. So does the memory of which `loci export` of a server made a line.
struct ImportRun {
    enum ErrorPolicy: String, CaseIterable, Sendable {
        /// What is wrong is left out, and said.
        case skip
        /// The first thing that is wrong ends it.
        case stop
    }

    /// What came of a source.
    struct Outcome: Sendable, Equatable {
        /// The last line that is dealt with: what it says is durable, or left out.
        var line = 0
        var new = 0
        var known = 0
        /// Left out.
        var failed = 0
        /// New ones that have no vector yet, which a server makes up for.
        var waiting = 0
        /// Messages of conversations that stand on other branches than the one that was last shown.
        var branched = 0
        /// Memories that name a namespace of their own, and not the one of the command.
        var elsewhere = 0
        var isInterrupted = false

        /// Memories, and edges, that are in the store.
        var committed: Int { new + known }
    }

    /// What is put into one transaction of a home at most.
    private static let maximumBatchByteCount = 32 << 20
    /// Lines that are complained of one by one; of the rest the number.
    private static let maximumComplaintCount = 20

    let store: any MemoryStore
    /// The files, where it is not a server that is asked: they take exports, and can be asked what they would refuse.
    private var engine: Engine? { store as? Engine }
    /// Where lines go that name no namespace.
    let namespace: Namespace?
    let policy: ErrorPolicy
    let batchCount: Int
    /// Called after each commit.
    let report: (Outcome) -> Void
    /// Called for each line that is left out, and for what is left out of a memory.
    let complain: (String) -> Void

    /// A line that is read and not yet stored.
    private struct Draft {
        var draft: MemoryDraft
        /// Of the memory that the line was made of.
        var id: MemoryID?
        var contentDigest: [UInt8]
        var line: Int
        var unit: String
        var namespace: Namespace
    }

    private struct Batch {
        var drafts: [Draft] = []
        var exported: [(memory: ExportedMemory, line: Int)] = []
        var edges: [(edge: Edge, home: Namespace, line: Int)] = []
        var lastLine = 0
        var byteCount = 0
        var failed = 0
        var count: Int { drafts.count + exported.count + edges.count + failed }
    }

    /// Reads a whole source and stores nothing.
    ///
    /// - Parameter known: the memories of the sources before; those of this one are added.
    /// - Throws: `ImportError` for the first thing that is wrong with it.
    func validate(
        _ source: ImportSource, _ known: inout KnownMemories, progress: (ImportProgress) -> Void
    ) async throws {
        var exports = ExportReader()
        let reader = try source.reader()
        for result in reader {
            if Signals.isInterrupted { return }
            let item = try result.get()
            if let read = try read(item, &exports) { try await check(read, item.line, &known) }
            progress(reader.progress)
        }
    }

    /// Imports a source.
    ///
    /// - Parameter outcome: what came of it, also of one that ends early.
    /// - Throws: `ImportError` or `EngineError` for what ends it. What was committed before stays.
    func run(
        _ source: ImportSource, _ outcome: inout Outcome, progress: (ImportProgress) -> Void
    ) async throws {
        var batch = Batch()
        var exports = ExportReader()
        var known = KnownMemories()
        // What can be read twice was read through before.
        let isChecked = engine != nil && (policy == .skip || source.canBeReadTwice)
        let reader = try source.reader()
        for result in reader {
            if Signals.isInterrupted {
                outcome.isInterrupted = true
                return
            }
            do {
                let item = try result.get()
                batch.lastLine = item.line
                for remark in item.remarks { complain("\(source.path): \(remark)") }
                let read = try read(item, &exports)
                if !isChecked, let read { try await check(read, item.line, &known) }
                if let namespace, let own = read?.ownNamespace(of: item), own != namespace {
                    outcome.elsewhere += 1
                }
                switch read {
                case .draft(let draft):
                    batch.byteCount += draft.draft.content.utf8.count
                    for attachment in draft.draft.attachments { batch.byteCount += attachment.data.count }
                    for embedding in draft.draft.embeddings { batch.byteCount += embedding.vector.count * 4 }
                    batch.drafts.append(draft)
                case .exported(let memory, let byteCount):
                    batch.byteCount += byteCount
                    batch.exported.append((memory, item.line))
                case .edge(let edge, let home):
                    batch.byteCount += 1_024
                    batch.edges.append((edge, home, item.line))
                case nil: break
                }
            } catch let error as ImportError where policy == .skip && !error.isFatal {
                batch.lastLine = max(batch.lastLine, error.line ?? 0)
                batch.failed += 1
                complain(outcome.failed + batch.failed, "\(source.path): \(error)")
            }
            if batch.count >= batchCount || batch.byteCount >= Self.maximumBatchByteCount {
                try await commit(&batch, &outcome, source)
                progress(reader.progress)
            }
        }
        try await commit(&batch, &outcome, source)
        outcome.branched = reader.leftOutCount
    }

    // MARK: One line

    private enum Read {
        case draft(Draft)
        case exported(ExportedMemory, byteCount: Int)
        case edge(Edge, Namespace)

        /// The namespace that a memory names itself.
        func ownNamespace(of item: ImportItem) -> Namespace? {
            switch self {
            case .draft: item.namespace
            case .exported(let memory, _): memory.versions.last?.memory.namespace
            case .edge: nil
            }
        }
    }

    /// - Returns: `nil` for a line that belongs to the next one.
    private func read(_ item: ImportItem, _ exports: inout ExportReader) throws(ImportError) -> Read? {
        switch item.content {
        case .exported(let value):
            do {
                let memory: ExportedMemory
                switch try exports.read(value) {
                case .memory(let read): memory = read
                case .edge(let edge, let home): return .edge(edge, home)
                case nil: return nil
                }
                let byteCount = memory.versions.reduce(0) { sum, version in
                    sum + version.memory.content.utf8.count
                        + version.attachments.values.reduce(0) { $0 + $1.count }
                        + version.embeddings.reduce(0) { $0 + $1.vector.count * 4 }
                }
                return .exported(memory, byteCount: byteCount)
            } catch {
                throw ImportError(line: item.line, error.message)
            }
        case .draft(var draft):
            guard let namespace = item.namespace ?? namespace else {
                throw ImportError(
                    line: item.line, unit: item.unit, isFatal: true,
                    "it names no namespace; say --namespace project/NAME, or set LOCI_NAMESPACE")
            }
            // Of a whole batch the engine would refuse it, and name no line.
            guard namespace.root != .tenant, namespace.root != .collective else {
                throw ImportError(
                    line: item.line, unit: item.unit,
                    "nobody writes to `\(namespace)`; name a project, a user or an agent")
            }
            do {
                for file in item.files { draft.attachments.append(try file.attachment()) }
            } catch let error as EngineError {
                throw ImportError(line: item.line, unit: item.unit, error.message)
            } catch {
                throw ImportError(line: item.line, unit: item.unit, "\(error)")
            }
            if draft.key == nil { draft.key = Self.key(for: item) }
            return .draft(
                Draft(
                    draft: draft, id: item.id, contentDigest: item.contentDigest, line: item.line,
                    unit: item.unit,
                    namespace: namespace))
        }
    }

    static let keyPrefix = "import:"

    /// A key of the line's bytes, whatever line it is. A SHA-256, as nobody should be able to make two alike.
    private static func key(for item: ImportItem) -> String {
        keyPrefix + hexadecimal(Array(item.contentDigest.prefix(16)))
    }

    /// What the engine would refuse, with the line.
    private func check(_ read: Read, _ line: Int, _ known: inout KnownMemories) async throws {
        guard let engine else {
            // What a draft is refused for the server says when it comes.
            if case .draft = read { return }
            throw ImportError(
                line: line,
                "it is a line of loci export, whose id, versions and clocks the protocol has no form for: import it into "
                    + "the store itself")
        }
        do {
            switch read {
            case .draft(let draft): try engine.validate(draft.draft, in: draft.namespace)
            case .exported(let memory, _):
                try engine.validate(memory)
                known.insert(memory)
            case .edge(let edge, let home):
                try engine.validate(edge, in: home)
                try await known.check(edge, in: home.home, engine)
            }
        } catch let error as EngineError {
            var unit = "line"
            if case .draft(let draft) = read { unit = draft.unit }
            throw ImportError(line: line, unit: unit, error.message)
        }
    }

    // MARK: One batch

    private func commit(_ batch: inout Batch, _ outcome: inout Outcome, _ source: ImportSource) async throws {
        guard batch.count > 0 else { return }
        outcome.failed += batch.failed
        for (namespace, all) in Dictionary(grouping: batch.drafts, by: \.namespace).sorted(by: {
            $0.key.description < $1.key.description
        }) {
            // Those that are in the store under a key of their bytes stay as they are.
            let keys = all.compactMap(\.draft.key).filter { $0.hasPrefix(Self.keyPrefix) }
            let known = try await store.known(keys, in: namespace)
            let origins = try await store.memories(all.compactMap(\.id), in: namespace)
            let drafts = all.filter { draft in
                !known.contains(draft.draft.key ?? "") && !isTold(draft, by: draft.id.flatMap { origins[$0] })
            }
            outcome.known += all.count - drafts.count
            let results: [Result<Remembered, EngineError>]
            do {
                results = try await store.remember(
                    drafts.map(\.draft), in: namespace, onError: policy == .skip ? .skip : .atomic)
            } catch let error as EngineError where Self.isOfOneLine(error) {
                // What the embedder refuses: all else was looked at before.
                guard let bad = error.draft else { throw error }
                throw ImportError(
                    line: drafts[bad.place].line, unit: drafts[bad.place].unit, bad.message)
            }
            var refused: [(draft: Draft, error: EngineError)] = []
            for (draft, result) in zip(drafts, results) {
                switch result {
                case .success(let remembered):
                    if remembered.isNew { outcome.new += 1 } else { outcome.known += 1 }
                    if remembered.isNew, !remembered.missingSpaces.isEmpty { outcome.waiting += 1 }
                case .failure(let error): refused.append((draft, error))
                }
            }
            // What a server stored beside them is counted by then.
            for (draft, error) in refused {
                guard Self.isOfOneLine(error) else { throw error }
                guard policy == .skip else {
                    throw ImportError(line: draft.line, unit: draft.unit, error.message)
                }
                outcome.failed += 1
                complain(outcome.failed, "\(source.path): \(draft.unit) \(draft.line): \(error.message)")
            }
        }
        try await restore(batch.exported, &outcome, source)
        for (home, edges) in Dictionary(grouping: batch.edges, by: \.home).sorted(by: {
            $0.key.description < $1.key.description
        }) {
            try await link(edges.map { ($0.edge, $0.line) }, in: home, &outcome, source)
        }
        outcome.line = max(outcome.line, batch.lastLine)
        batch = Batch()
        report(outcome)
    }

    /// Whether a line says nothing new of the memory that it was made of: of one with a key it may.
    private func isTold(_ draft: Draft, by memory: Memory?) -> Bool {
        guard let memory else { return false }
        guard let key = memory.key, key == draft.draft.key else { return memory.key == nil }
        return Attachment.data(Array(ExportLine.draft(of: memory).utf8), name: "line").digest
            == draft.contentDigest
    }

    private func restore(
        _ exported: [(memory: ExportedMemory, line: Int)], _ outcome: inout Outcome, _ source: ImportSource
    ) async throws {
        guard !exported.isEmpty, let engine else { return }
        do {
            let count = try await engine.importMemories(exported.map(\.memory))
            outcome.new += count
            outcome.known += exported.count - count
        } catch let error as EngineError where exported.count == 1 && Self.isOfOneLine(error) {
            try leaveOut(exported[0].line, error, &outcome, source)
        } catch let error as EngineError where exported.count > 1 && Self.isOfOneLine(error) {
            // One is bad: each alone, so that the line is known.
            for one in exported { try await restore([one], &outcome, source) }
        }
    }

    private func link(
        _ edges: [(edge: Edge, line: Int)], in home: Namespace, _ outcome: inout Outcome,
        _ source: ImportSource
    ) async throws {
        guard let engine else { return }
        do {
            let count = try await engine.importEdges(edges.map(\.edge), in: home)
            outcome.new += count
            outcome.known += edges.count - count
        } catch let error as EngineError where edges.count == 1 && Self.isOfOneLine(error) {
            try leaveOut(edges[0].line, error, &outcome, source)
        } catch let error as EngineError where edges.count > 1 && Self.isOfOneLine(error) {
            for one in edges { try await link([one], in: home, &outcome, source) }
        }
    }

    /// Counts a line that the engine refused, or ends the import there.
    private func leaveOut(
        _ line: Int, _ error: EngineError, _ outcome: inout Outcome, _ source: ImportSource
    ) throws(ImportError) {
        guard policy == .skip else { throw ImportError(line: line, error.message) }
        outcome.failed += 1
        complain(outcome.failed, "\(source.path): line \(line): \(error.message)")
    }

    private static func isOfOneLine(_ error: EngineError) -> Bool {
        switch error.code {
        case .invalid, .invalidNamespace, .invalidVector, .conflict, .tooLarge, .forbidden, .notFound: true
        default: false
        }
    }

    private func complain(_ number: Int, _ message: @autoclosure () -> String) {
        if number <= Self.maximumComplaintCount { complain(message()) }
        if number == Self.maximumComplaintCount + 1 {
            complain("further lines that are left out are counted only")
        }
    }
}
