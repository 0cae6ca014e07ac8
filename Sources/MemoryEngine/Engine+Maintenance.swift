import Foundation
import Store

/// What a home holds, and what it takes.
public struct HomeStatistics: Sendable {
    public var namespace: Namespace
    public var memories: UInt64 = 0
    /// Entities that the engine made of names; not counted among the memories.
    public var entities: UInt64 = 0
    /// Summaries that consolidation made; not counted among the memories.
    public var summaries: UInt64 = 0
    public var versions: UInt64 = 0
    /// Passages that are there; what was forgotten is not counted.
    public var passages: UInt64 = 0
    public var currentPassages: UInt64 = 0
    /// Passages that the indexer has not folded yet.
    public var tailPassages: UInt64 = 0
    public var spaces: [Space] = []
    public var sequence: UInt64 = 0
    public var receipts: UInt64 = 0
    public var fileBytes = 0
    public var freePages = 0
    /// Places for readers that are taken in the file, by all processes; each keeps some for its next reads.
    public var readers = 0
    /// Snapshots that this process holds now.
    public var heldSnapshots = 0
    /// How long the oldest of them has been held; what is written meanwhile makes the file grow.
    public var oldestSnapshotAge: Duration?
    public var created = Timestamp.distantPast
    public var tables: [String: TableSize] = [:]

    /// An embedding space and its vectors, those of closed versions included.
    public struct Space: Sendable {
        public var space: EmbeddingSpace
        public var vectors: UInt64
        public var tailVectors: UInt64
        /// Those that the graph holds; 0 = there is none, and all are scanned.
        public var linkedVectors: UInt64 = 0
        /// Places of forgotten vectors; from a fifth of all on, the indexer rewrites the space without them.
        public var erasedVectors: UInt64 = 0
        /// Whether texts and questions of the home are embedded in it.
        public var isUsed = false
    }

    /// What a table's tree takes.
    public struct TableSize: Sendable {
        public var entries: Int
        public var pages: Int
        public var depth: Int
    }
}

extension Engine {
    /// What a home holds, and what it takes on disk.
    ///
    /// - Throws: `EngineError`: `notFound`.
    /// - Complexity: O(passages + free list).
    public func stats(in namespace: Namespace) async throws -> HomeStatistics {
        try await withExistingHome(of: namespace) { home in
            let held = home.environment.heldSnapshots()
            let information = try await readers.run { try home.environment.information() }
            return try await read(home) { transaction in
                let state = try HomeState.read(in: transaction)
                var statistics = HomeStatistics(namespace: namespace.home)
                statistics.summaries = UInt64(
                    try Self.summaries(notExpiredAt: .distantPast, includesTakenBack: true, in: transaction)
                        .count)
                statistics.memories = state.memoryCount - state.entityCount - statistics.summaries
                statistics.entities = state.entityCount
                statistics.versions = state.versionCount - state.entityCount
                let view = try HomeView(in: transaction)
                let used = try self.embedders(in: transaction).space
                statistics.passages = UInt64(try FilterEvaluation(view: view).present(in: transaction).count)
                statistics.currentPassages = state.currentPassages
                statistics.tailPassages = UInt64(view.tail.count)
                for space in view.spaces {
                    var counts = HomeStatistics.Space(space: space.space, vectors: 0, tailVectors: 0)
                    try space.segments.forEachPassage(space.extent, in: transaction) { slot, _ in
                        counts.vectors += 1
                        if slot >= space.segmentedSlots { counts.tailVectors += 1 }
                    }
                    let graph = try home.indexes.index(of: space).state(in: transaction)
                    if let graph, !graph.isDropping { counts.linkedVectors = UInt64(graph.nodeCount) }
                    counts.erasedVectors = UInt64(space.erasedSlots)
                    counts.isUsed = space.space == used
                    statistics.spaces.append(counts)
                }
                statistics.sequence = state.sequence
                statistics.receipts = state.receiptCount
                statistics.fileBytes = fileSize(home.environment.path) ?? 0
                statistics.freePages = information.freePageCount
                statistics.readers = information.readerCount
                statistics.heldSnapshots = held.count
                statistics.oldestSnapshotAge = held.oldest?.age
                statistics.created = home.header.created
                for table in Schema.all {
                    let size = try table.size(in: transaction)
                    statistics.tables[table.name] = HomeStatistics.TableSize(
                        entries: size.entryCount, pages: size.pageCount, depth: size.depth)
                }
                return statistics
            }
        }
    }

    // MARK: Copies

    /// Rewrites the file of a home without free pages. Bytes of forgotten memories that were left in free pages
    /// are gone afterwards. Nobody may use the home meanwhile.
    ///
    /// - Returns: the size of the file in bytes, before and after.
    /// - Throws: `EngineError`: `notFound`, `locked` (somebody uses the home).
    @discardableResult
    public func compact(
        in namespace: Namespace, progress: (@Sendable (Int, Int) -> Void)? = nil
    ) async throws -> (before: Int, after: Int) {
        try checkMaintainable(namespace)
        let home = namespace.home
        let file = filePath(of: home)
        let copy = file + ".compact"
        return try await withLockedFile(of: home) { quota, retake in
            let before = fileSize(file) ?? 0
            do {
                try Self.copy(file, to: copy, quota, progress)
                try retake()
                try Self.replace(file, by: copy, quota)
            } catch {
                Self.removeFiles(copy)
                throw error
            }
            return (before, fileSize(file) ?? 0)
        }
    }

    /// Removes what has expired (unless it is pinned), and closed versions that the home's retention lets go;
    /// then compacts the file.
    ///
    /// - Parameter retention: takes the place of the home's own, this time.
    public func vacuum(
        in namespace: Namespace, retention given: Retention? = nil,
        progress: (@Sendable (Int, Int) -> Void)? = nil
    ) async throws -> VacuumReport {
        try checkMaintainable(namespace)
        try given?.check()
        var report = VacuumReport()
        let now = options.clock()
        try await withExistingHome(of: namespace) { home in
            let expired = try await read(home) { transaction in
                var ids: [MemoryID] = []
                try Schema.shared.scan(
                    prefix: Schema.Shared.memoryByExpiry.key, in: transaction
                ) { key, _ in
                    guard key.keyI64(at: 1) <= now.microseconds else { return false }
                    let row = key.keyU64(at: 9)
                    guard let head = try HeadRecord.read(row, in: transaction),
                        let record = try VersionRecord.read(row, head.version, in: transaction)
                    else { throw StoreError(.corrupted, "row \(row) has no head") }
                    if !record.fields.isPinned { ids.append(head.id) }
                    return true
                }
                return ids
            }
            for start in stride(from: 0, to: expired.count, by: Applier.maximumEraseCount) {
                let part = Array(expired[start..<min(start + Applier.maximumEraseCount, expired.count)])
                // Whether they still have is decided in the write: an expiry may be moved meanwhile.
                report.expired += try await erase(part, by: .expire(part), home)["memories"] ?? 0
            }
            var retention = given ?? Retention()
            if given == nil { retention = try await read(home) { try Retention.read(in: $0) } }
            let policy = retention
            if policy != Retention() {
                let trims = try await read(home) { try Self.versionsToTrim(policy, now, in: $0) }
                // Those that wait together are written together.
                for start in stride(from: 0, to: trims.count, by: 256) {
                    report.versions += try await withThrowingTaskGroup(of: Int.self) { group in
                        for (id, versions) in trims[start..<min(start + 256, trims.count)] {
                            group.addTask {
                                let trimmed = try await self.apply(.trim(id, versions: versions), home)
                                    .outcomes[0]
                                guard case .erased(let counts) = trimmed else { return 0 }
                                return counts["versions"] ?? 0
                            }
                        }
                        return try await group.reduce(0, +)
                    }
                }
            }
            try await home.finishIndexing(on: readers)
        }
        let sizes = try await compact(in: namespace, progress: progress)
        report.bytesBefore = sizes.before
        report.bytesAfter = sizes.after
        return report
    }

    /// What a vacuum removed.
    public struct VacuumReport: Sendable, Equatable {
        public var expired = 0
        public var versions = 0
        public var bytesBefore = 0
        public var bytesAfter = 0
    }

    private static func versionsToTrim(
        _ retention: Retention, _ now: Timestamp, in transaction: borrowing ReadTransaction
    ) throws -> [(MemoryID, [UInt32])] {
        let bound = retention.age.map { now.advanced(by: .zero - $0).microseconds } ?? .max
        var trims: [(MemoryID, [UInt32])] = []
        try Lookup.forEachRow(in: transaction) { id, row in
            // The last one is the newest, which stays.
            let closed = try versionNumbers(row, in: transaction).dropLast()
            let removed = try closed.dropLast(retention.count ?? 0).filter { number in
                guard let record = try VersionRecord.read(row, number, in: transaction) else { return false }
                return record.recordedUntil <= bound
            }
            if !removed.isEmpty { trims.append((id, Array(removed))) }
            return true
        }
        return trims
    }

    /// Drops everything that is derived (columns, postings, edges from words) and makes it anew from ground state, in
    /// one transaction: readers see the old or the new. Then the graphs over vectors are made anew, while searches
    /// scan.
    public func rebuild(
        in namespace: Namespace, progress: (@Sendable (Int, Int) -> Void)? = nil
    ) async throws {
        try checkMaintainable(namespace)
        try await withExistingHome(of: namespace) { home in
            try await home.environment.submit { try Rebuild.run(progress, in: $0) }
            try await home.finishIndexing(on: readers, progress)
        }
    }

    /// Copies a home as it is now, while it is used, with a manifest beside it (`PATH.manifest.json`).
    ///
    /// - Throws: `EngineError`: `notFound`, `invalid` (there is a file already), `io`.
    public func snapshot(
        of namespace: Namespace, to path: String, progress: (@Sendable (Int, Int) -> Void)? = nil
    ) async throws -> SnapshotManifest {
        let now = options.clock()
        guard !FileManager.default.fileExists(atPath: path) else {
            throw EngineError(.invalid, "\(path) is there already; name a new file")
        }
        return try await withExistingHome(of: namespace) { home in
            let part = path + ".part"
            try? FileManager.default.removeItem(atPath: part)
            do {
                let state = try await read(home, isBounded: false) { transaction in
                    try Self.copy(
                        home.environment.path, transaction, to: part, self.options.quotaBytes, progress)
                    return try HomeState.read(in: transaction)
                }
                let manifest = try await readers.run {
                    SnapshotManifest(
                        home: home.namespace, format: Int(home.header.formatVersion), program: Loci.version,
                        sequence: state.sequence, memories: state.memoryCount - state.entityCount,
                        versions: state.versionCount - state.entityCount,
                        taken: now, byteCount: fileSize(part) ?? 0, sha256: try Self.digest(ofFile: part))
                }
                try manifest.write(to: path + SnapshotManifest.fileExtension)
                try FileManager.default.moveItem(atPath: part, toPath: path)
                return manifest
            } catch {
                try? FileManager.default.removeItem(atPath: part)
                throw error
            }
        }
    }

    /// Puts a snapshot into the store, after comparing it with its manifest and checking it whole.
    ///
    /// - Parameters:
    ///   - namespace: where to; by default the home that it was taken of.
    ///   - replacing: a home that is there is replaced; otherwise it is an error.
    /// - Returns: the home.
    /// - Throws: `EngineError`: `notFound`, `corrupted`, `conflict` (the home is there), `locked`, `invalidNamespace` (a
    ///   session: a snapshot is of a whole home).
    @discardableResult
    public func restore(
        from path: String, as namespace: Namespace? = nil, replacing: Bool = false
    ) async throws -> Namespace {
        guard !options.isReadOnly else { throw EngineError(.readOnly, "the store is open for reading only") }
        if let namespace, namespace.session != nil {
            throw EngineError(
                .invalidNamespace,
                "`\(namespace)` is a session; a snapshot holds a whole home, so name one, as `\(namespace.home)`"
            )
        }
        guard FileManager.default.fileExists(atPath: path) else {
            throw EngineError(.notFound, "there is no snapshot at \(path)")
        }
        let manifest = try SnapshotManifest(contentsOf: path + SnapshotManifest.fileExtension)
        let home = (namespace ?? manifest.home).home
        try checkHome(home)
        let file = filePath(of: home)
        guard replacing || fileSize(file) == nil else {
            throw EngineError(
                .conflict, "there is a home \(home) already; replace it, or restore under another name")
        }
        try await readers.run {
            if let difference = try manifest.difference(fromFile: path) {
                throw EngineError(.corrupted, "\(path) \(difference); use another snapshot")
            }
            try Self.makeDirectory(Self.directory(of: file))
        }
        let older = file + Self.olderExtension
        defer { Self.removeFiles(older) }
        let source = try await isOfOlderFormat(path) ? climbed(path, older, as: home) : path
        // Whose receipts cite the home does not change with its file.
        let citing = try await homesCiting(home)
        let part = file + ".restore"
        try await withLockedFile(of: home) { quota, retake in
            do {
                try Self.copy(source, to: part, quota, nil, renamed: home)
                try retake()
                try Self.replace(file, by: part, quota)
            } catch {
                Self.removeFiles(part)
                throw error
            }
        }
        for other in citing { try await tell(home, citedBy: other, true) }
        for other in try await noted(.cites, in: home) { try await tell(other, citedBy: home, true) }
        return home
    }

    // MARK: Helpers

    func checkMaintainable(_ namespace: Namespace) throws {
        guard !options.isReadOnly else { throw EngineError(.readOnly, "the store is open for reading only") }
        try checkHome(namespace)
        guard fileSize(filePath(of: namespace.home)) ?? 0 > 0 else {
            throw EngineError(.notFound, "there is no home \(namespace.home)")
        }
    }

    /// Runs `body` while the file of a home is closed here, no other process has it open, and none of our own
    /// calls can open it. `body` gets the quota, and what it calls right before it replaces the file.
    func withLockedFile<Result: Sendable>(
        of home: Namespace, _ body: @escaping @Sendable (Int, () throws -> Void) throws -> Result
    ) async throws -> Result {
        try await hold(home)
        defer { release(home) }
        let lock = writerLock(of: home)
        let file = filePath(of: home)
        let quota = options.quotaBytes
        return try await readers.run {
            do {
                return try Environment.lockedFile(lock, path: file) { retake in try body(quota, retake) }
            } catch let error as StoreError {
                throw EngineError(error)
            }
        }
    }

    /// A snapshot that is brought to the newest format before it is restored.
    static let olderExtension = ".restore.older"

    /// Looks over a snapshot. Returns whether it is of an older format, and whole as far as that can be told.
    private func isOfOlderFormat(_ path: String) async throws -> Bool {
        let report = try await check(file: path)
        guard report.problems.isEmpty || report.olderFormat != nil else {
            throw EngineError(.corrupted, "\(path): \(report.problems[0])")
        }
        return report.olderFormat != nil
    }

    /// Copies a snapshot of an older format, brings the copy to the newest, and looks it over. Returns its path.
    private func climbed(_ path: String, _ copy: String, as home: Namespace) async throws -> String {
        let quota = options.quotaBytes
        try await readers.run {
            do {
                try Self.copy(path, to: copy, quota, nil, renamed: home)
                var options = Environment.Options()
                options.mapSizeBytes = quota
                try Home.open(home, at: copy, options: options, creating: nil).close()
            } catch let error as StoreError {
                throw EngineError(error)
            }
        }
        if let problem = try await check(file: copy).problems.first {
            throw EngineError(.corrupted, "\(path), brought to the newest format: \(problem)")
        }
        return copy
    }

    /// Whether nobody has opened a file as a home: it has no lock file, and gets none by being read.
    static func isUnshared(_ file: String) -> Bool { fileSize(file + "-lock") == nil }

    /// Removes a file of LMDB's with its lock file.
    static func removeFiles(_ path: String) {
        for suffix in ["", "-lock"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    }

    private static func copy(
        _ file: String, to copy: String, _ quota: Int, _ progress: (@Sendable (Int, Int) -> Void)?,
        renamed: Namespace? = nil
    ) throws {
        var options = Environment.Options()
        options.isReadOnly = true
        options.isUnshared = Self.isUnshared(file)
        options.mapSizeBytes = quota
        let environment = try Environment.open(path: file, tables: Schema.all, options: options)
        defer { environment.close() }
        try environment.read { transaction in
            try Self.copy(file, transaction, to: copy, quota, progress, renamed: renamed)
        }
    }

    /// Files up to this size are packed after copying: the few pages that the copy's own commits freed are a
    /// quarter of a home of ten memories, and nothing of a large one.
    private static let packedByteCount = 64 << 20

    /// Copies every table entry by entry in the order of keys, so that pages are full and hold nothing else.
    private static func copy(
        _ file: String, _ transaction: borrowing ReadTransaction, to copy: String, _ quota: Int,
        _ progress: (@Sendable (Int, Int) -> Void)?, renamed: Namespace? = nil
    ) throws {
        guard fileSize(file) ?? 0 <= packedByteCount else {
            return try fill(copy, from: file, transaction, quota, progress, renamed: renamed)
        }
        let loose = copy + ".loose"
        defer { try? FileManager.default.removeItem(atPath: loose) }
        try? FileManager.default.removeItem(atPath: copy)
        try fill(loose, from: file, transaction, quota, progress, renamed: renamed, packedInto: copy)
    }

    private static func fill(
        _ copy: String, from file: String, _ transaction: borrowing ReadTransaction, _ quota: Int,
        _ progress: (@Sendable (Int, Int) -> Void)?, renamed: Namespace?, packedInto packed: String? = nil
    ) throws {
        for suffix in ["", "-lock"] { try? FileManager.default.removeItem(atPath: copy + suffix) }
        var options = Environment.Options()
        options.mapSizeBytes = quota
        options.durability = .none
        let target = try Environment.open(path: copy, tables: Schema.all, options: options)
        defer {
            target.close()
            try? FileManager.default.removeItem(atPath: copy + "-lock")
        }
        let total = try Schema.all.reduce(0) { try $0 + $1.count(in: transaction) }
        var done = 0
        for table in Schema.all {
            done = try table.copyAll(from: transaction, to: target, done: done) { progress?($0, total) }
        }
        if let renamed {
            try target.write { transaction in
                guard let bytes = try Schema.shared.get(Schema.Shared.header.key, in: transaction.snapshot)
                else {
                    throw StoreError(.foreign, "\(file) has no header; it is not a home of Loci")
                }
                var header = try HomeHeader(decoding: bytes)
                header.namespace = renamed.description
                try Schema.shared.put(Schema.Shared.header.key, header.encode(), in: transaction)
            }
        }
        if let packed {
            try target.packedCopy(to: packed)
        } else {
            try target.sync()
        }
    }

    private static func replace(_ file: String, by copy: String, _ quota: Int) throws {
        try replaceFile(at: file, by: copy)
        // Opened once while nobody else can, so that LMDB's lock file speaks of the new file.
        var options = Environment.Options()
        options.mapSizeBytes = quota
        try Environment.open(path: file, tables: Schema.all, options: options).close()
    }

    /// The SHA-256 of a file, in hexadecimal digits.
    static func digest(ofFile path: String) throws -> String {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw EngineError(.io, "cannot read \(path)")
        }
        defer { try? handle.close() }
        var hash = SHA256()
        while let data = try handle.read(upToCount: 1 << 20), !data.isEmpty { hash.update([UInt8](data)) }
        return hash.finish().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
