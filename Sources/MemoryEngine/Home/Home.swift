import HNSW
import Store

/// One open home: its file, and the indexer that works on it.
final class Home: Sendable {
    let namespace: Namespace
    let environment: Environment
    let header: HomeHeader
    private let isIndexing = Mutex(false)
    /// Whether this process has written to it.
    private let hasWritten = Mutex(false)
    /// Whether a space could not be rewritten for want of room.
    private let isVacuumOff = Mutex(false)
    private let observer = Mutex<(@Sendable (Mutation) -> Void)?>(nil)

    private let watch: SnapshotWatch?
    private let callers: CallerGauge
    private let pressure = IndexPressure()
    /// The graphs over its vectors.
    let indexes: VectorIndexes
    /// What recalls found that others may use.
    let kept = KeptSets()
    /// What works on vector sets, where the home holds these.
    let vectorSets: (indexes: VectorSetIndexes, indexer: VectorSetIndexer)?

    private init(
        namespace: Namespace, environment: Environment, header: HomeHeader, watch: SnapshotWatch?,
        callers: CallerGauge, indexes: VectorIndexes
    ) {
        self.watch = watch
        self.callers = callers
        self.indexes = indexes
        self.namespace = namespace
        self.environment = environment
        self.header = header
        if header.features & HomeHeader.vectorSets != 0 {
            let sets = VectorSetIndexes(indexes)
            vectorSets = (sets, VectorSetIndexer(environment, sets, callers))
        } else {
            vectorSets = nil
        }
    }

    /// Opens the file of a home, or makes it.
    ///
    /// - Throws: `StoreError.missing` if it is not there and `creating` is nil.
    static func open(
        _ namespace: Namespace, at path: String, options: Environment.Options,
        watch: SnapshotWatch? = nil, callers: CallerGauge = CallerGauge(),
        indexes: VectorIndexes = VectorIndexes(), ladder: FormatLadder = .current,
        creating header: HomeHeader?
    ) throws -> Home {
        let isNew = fileSize(path) ?? 0 == 0
        if isNew, header == nil || options.isReadOnly {
            throw StoreError(.missing, "there is no home \(namespace)")
        }
        let environment = try Environment.open(path: path, tables: Schema.all, options: options)
        do {
            var existing = try environment.read { try readHeader(of: ladder, in: $0) }
            if existing == nil, let header, !options.isReadOnly {
                existing = try environment.locked { try writeHeader(header, of: ladder, in: $0) }
            }
            guard var found = existing else {
                // As a crash leaves it between the two commits that make one: the next writer completes it.
                if try environment.read({ try isEmpty(in: $0) }) {
                    throw StoreError(.missing, "nothing was ever written to \(path)")
                }
                throw StoreError(.foreign, "\(path) has no header; it is not a home of Loci")
            }
            if found.formatVersion < ladder.newest {
                guard !options.isReadOnly else {
                    throw StoreError(
                        .foreign,
                        "\(path) has format \(found.formatVersion); open it for writing once, which brings it to "
                            + "format \(ladder.newest)")
                }
                found = try environment.locked { try ladder.climb(in: $0) }
            }
            guard found.namespace == namespace.description else {
                throw StoreError(
                    .foreign,
                    "\(path) is the home `\(found.namespace)`, not `\(namespace)`; restore it under its own name"
                )
            }
            // What another version's rules derived is made anew: forgetting must find what was indexed.
            if !options.isReadOnly {
                let state = try environment.read { try HomeState.read(in: $0) }
                if state.wordsVersion != Schema.wordsVersion || state.graphVersion != Schema.graphVersion {
                    try environment.locked { try Rebuild.run(nil, in: $0) }
                }
            }
            return Home(
                namespace: namespace, environment: environment, header: found, watch: watch, callers: callers,
                indexes: indexes)
        } catch {
            environment.close()
            throw error
        }
    }

    private static func readHeader(
        of ladder: FormatLadder, in transaction: borrowing ReadTransaction
    ) throws -> HomeHeader? {
        guard let bytes = try Schema.shared.get(Schema.Shared.header.key, in: transaction) else { return nil }
        return try HomeHeader(decoding: bytes, of: ladder)
    }

    private static func isEmpty(in transaction: borrowing ReadTransaction) throws -> Bool {
        try Schema.all.allSatisfy { try $0.count(in: transaction) == 0 }
    }

    /// Writes the header, unless another process was faster.
    private static func writeHeader(
        _ header: HomeHeader, of ladder: FormatLadder, in transaction: borrowing WriteTransaction
    ) throws -> HomeHeader {
        if let found = try readHeader(of: ladder, in: transaction.snapshot) { return found }
        try Schema.shared.put(Schema.Shared.header.key, header.encode(), in: transaction)
        try HomeState().write(in: transaction)
        return header
    }

    /// Closes it, after what was submitted. What this process wrote has all its edges then, and is folded, so that
    /// others which only read find it fast.
    func close() {
        pressure.close()
        vectorSets?.indexer.close()
        if hasWritten.withLock({ $0 }) {
            // What fails is made up for by the next process that writes.
            try? finish()
        }
        environment.close()
    }

    private func finish() throws {
        while let batch = try nextEdges() {
            try environment.locked { try batch.commit(in: $0) }
        }
        while try environment.locked({ try Indexer.step(in: $0) }).hasMore {}
    }

    // MARK: Writing

    /// Applies a mutation in the next commit.
    ///
    /// Where so much waits for the indexer that recalls would become slow, one that adds vectors waits for it first.
    func apply(_ mutation: Mutation) async throws -> Applier.Result {
        if mutation.addsVectors { await pressure.wait() }
        let (result, isDue, isPressed) = try await environment.submit(
            byteCount: mutation.byteCount, isShort: mutation.isShort
        ) { transaction in
            let result = try Applier.apply(mutation, in: transaction)
            let state = try result.after?.state ?? HomeState.read(in: transaction.snapshot)
            return (
                result, try self.isIndexingDue(state, result.after?.spaces, in: transaction.snapshot),
                Indexer.isPressed(state)
            )
        }
        hasWritten.withLock { $0 = true }
        if isPressed { pressure.set(tail: true) }
        if isDue { startIndexing() }
        watch?.look(at: environment, of: namespace)
        if !result.isRepeated, let observe = observer.withLock({ $0 }) { observe(mutation) }
        return result
    }

    /// Calls `body` with every mutation from now on, after its commit: replaying them elsewhere gives the same
    /// ground state. The order of those that are committed together is not told.
    func observe(_ body: (@Sendable (Mutation) -> Void)?) { observer.withLock { $0 = body } }

    private func isIndexingDue(in transaction: borrowing ReadTransaction) throws -> Bool {
        try isIndexingDue(HomeState.read(in: transaction), nil, in: transaction)
    }

    private func isIndexingDue(
        _ state: HomeState, _ spaces: [SpaceRecord]?, in transaction: borrowing ReadTransaction
    ) throws -> Bool {
        // It looks for itself what there is.
        if isIndexing.withLock({ $0 }) { return false }
        let spaces = try spaces ?? SpaceRecord.all(in: transaction)
        return try Indexer.hasWork(state, spaces)
            || isVacuumDue(spaces)
            || due(spaces, in: transaction) != nil
    }

    /// Starts the indexer unless it runs already. It stops when there is nothing more to do, and waits while callers
    /// keep all cores busy, unless so much is left that it must not.
    private func startIndexing() {
        let isFree = isIndexing.withLock { isIndexing in
            defer { isIndexing = true }
            return !isIndexing
        }
        guard isFree else { return }
        Task(priority: .utility) {
            var progress: Indexer.Progress? = nil
            repeat {
                while callers.keepCoresBusy, !pressure.isHigh {
                    try? await Task.sleep(for: Self.pause)
                    if pressure.isClosing { break }
                }
                progress = try? await step(isBackground: !pressure.isHigh)
            } while progress?.hasMore ?? false
            isIndexing.withLock { $0 = false }
            pressure.relieve()
            // Work may have come between the last step and now, when nobody could start the indexer.
            if progress != nil, (try? await onThread { try self.isIndexingDue(in: $0) }) == true {
                startIndexing()
            }
        }
    }

    /// Linking stops after this long, so that its snapshot does not make the file grow for long where callers keep all
    /// cores busy.
    private static let longestStep = Duration.milliseconds(500)

    /// How long the indexer waits for a free core before it looks again.
    private static let pause = Duration.milliseconds(4)

    /// Reads on the indexer's thread.
    private func onThread<Result: Sendable>(
        _ body: @escaping @Sendable (borrowing ReadTransaction) throws -> Result
    ) async throws -> Result {
        try await BackgroundThread.shared.run { try self.environment.read(isBounded: false, body) }
    }

    /// One step of the indexer: edges of some versions, passages and vectors folded, then some rows linked.
    ///
    /// - Parameter shouldEnd: true ends linking early, with what is linked.
    private func step(
        isBackground: Bool, until shouldEnd: @escaping @Sendable () -> Bool = { false }
    ) async throws -> Indexer.Progress {
        // First, as the tail is where a version is found fastest; a part, so that the tail does not wait for all of it.
        for _ in 0..<8 {
            let edges = try await onThread { transaction in
                let state = try HomeState.read(in: transaction)
                return try Indexer.hasEdges(state) ? EdgeBatch(state, in: transaction) : nil
            }
            guard let edges else { break }
            try await environment.submit(isBackground: isBackground) { try edges.commit(in: $0) }
        }
        var progress = try await environment.submit(isBackground: isBackground) { try Indexer.step(in: $0) }
        pressure.set(tail: progress.isPressed)
        // What is in the tail makes every recall slower than what is not linked does.
        if !progress.isPressed {
            var hasWorked = try await link(isBackground: isBackground, until: shouldEnd)
            if !hasWorked { hasWorked = try await vacuum(isBackground: isBackground) }
            if hasWorked { progress.hasMore = true }
        }
        return progress
    }

    /// One step of rewriting a space. Returns whether there was something to do.
    private func vacuum(isBackground: Bool) async throws -> Bool {
        guard try await onThread({ self.isVacuumDue(try SpaceRecord.all(in: $0)) }) else { return false }
        do {
            return try await environment.submit(isBackground: isBackground) {
                try SpaceVacuum.step(self.indexes, in: $0)
            }
        } catch let error as StoreError where error.code == .full || error.code == .diskFull {
            // There is no room for a second copy: the space stays as it is, until the home is opened anew.
            isVacuumOff.withLock { $0 = true }
            let hadCopy = try await environment.submit(isBackground: isBackground) {
                try SpaceVacuum.giveUp(in: $0)
            }
            // Whatever else had no room would have none again.
            guard hadCopy else { throw error }
            return true
        }
    }

    /// Whether the graphs of vectors are not as they should be.
    func isLinkingDue(in transaction: borrowing ReadTransaction) throws -> Bool {
        let spaces = try SpaceRecord.all(in: transaction)
        return try isVacuumDue(spaces) || due(spaces, in: transaction) != nil
    }

    private func due(
        _ spaces: [SpaceRecord], in transaction: borrowing ReadTransaction
    ) throws -> VectorIndexes.Backlog? {
        try indexes.due(spaces, vacuums: !isVacuumOff.withLock { $0 }, in: transaction)
    }

    private func isVacuumDue(_ spaces: [SpaceRecord]) -> Bool {
        if spaces.contains(where: { $0.stage == .leaving }) { return true }
        if isVacuumOff.withLock({ $0 }) { return false }
        return SpaceVacuum.isDue(spaces, leastErased: indexes.leastErased)
    }

    /// One step of the author of a graph. Returns whether there was something to do.
    private func link(
        isBackground: Bool, until shouldEnd: @escaping @Sendable () -> Bool
    ) async throws -> Bool {
        let made = try await onThread { transaction -> (SpaceRecord, LinkBatch)? in
            let spaces = try SpaceRecord.all(in: transaction)
            guard let due = try self.due(spaces, in: transaction) else {
                self.pressure.set(backlogByteCount: 0)
                return nil
            }
            self.pressure.set(backlogByteCount: due.byteCount)
            let index = self.indexes.index(of: due.space)
            let end = ContinuousClock.now + Self.longestStep
            let batch = try index.prepare(due.space.extent, repairs: due.repairs, in: transaction) {
                self.pressure.isClosing || self.pressure.isTailLong || ContinuousClock.now > end
                    || self.environment.isWanted || shouldEnd()
            }
            return batch.map { (due.space, $0) }
        }
        guard let (space, batch) = made else { return false }
        try await environment.submit(isBackground: isBackground) { transaction in
            // A caller may have dropped the space meanwhile.
            let isThere = try SpaceRecord.all(in: transaction.snapshot).contains {
                $0.number == space.number && $0.space == space.space && $0.stage == space.stage
            }
            if isThere { _ = try self.indexes.index(of: space).commit(batch, in: transaction) }
        }
        return true
    }

    /// Makes the edges that are still to be made. Fast when there are none.
    ///
    /// - Parameter readers: the threads that read for a caller; the indexer's own may be busy with a graph.
    func finishEdges(on readers: BoundedExecutor) async throws {
        while let batch = try await readers.run({ try self.nextEdges() }) {
            try await environment.submit { try batch.commit(in: $0) }
        }
    }

    private func nextEdges() throws -> EdgeBatch? {
        try environment.read { try EdgeBatch(HomeState.read(in: $0), in: $0) }
    }

    /// Folds and links what waits for it now; of what is written meanwhile no more than comes on the way.
    ///
    /// - Parameters:
    ///   - shouldEnd: asked now and then; true ends it after what is begun.
    ///   - progress: told now and then how many rows of vectors are linked, of how many.
    /// - Returns: whether nothing is left.
    @discardableResult
    func finishIndexing(
        on readers: BoundedExecutor, until shouldEnd: @escaping @Sendable () -> Bool = { false },
        _ progress: (@Sendable (Int, Int) -> Void)? = nil
    ) async throws -> Bool {
        let start = try environment.read { try Beginning(in: $0) }
        while let batch = try await readers.run({ try self.nextEdges() }) {
            try await environment.submit { try batch.commit(in: $0) }
            try Task.checkCancellation()
            if try shouldEnd() || isWorkedOff(start) { return false }
        }
        while try await step(isBackground: false, until: shouldEnd).hasMore {
            try Task.checkCancellation()
            if try shouldEnd() || isWorkedOff(start) { return false }
            guard let progress else { continue }
            let (done, all) = try environment.read { transaction in
                try SpaceRecord.all(in: transaction).reduce((0, 0)) { sum, space in
                    let linked = try self.indexes.index(of: space).state(in: transaction)?.linkedSlots ?? 0
                    return linked == 0 ? sum : (sum.0 + Int(linked), sum.1 + Int(space.segmentedSlots))
                }
            }
            if all > 0 { progress(done, all) }
        }
        return true
    }

    /// What a home held when the work on its indexes began.
    private struct Beginning {
        let sequence: UInt64
        let spaces: [SpaceRecord]

        init(in transaction: borrowing ReadTransaction) throws {
            sequence = try HomeState.read(in: transaction).sequence
            spaces = try SpaceRecord.open(in: transaction)
        }
    }

    /// Whether all vectors of the beginning are linked that can be, and others came since, so that there might be no end.
    private func isWorkedOff(_ start: Beginning) throws -> Bool {
        try environment.read { transaction in
            guard try HomeState.read(in: transaction).sequence != start.sequence else { return false }
            let now = try SpaceRecord.open(in: transaction)
            return try start.spaces.allSatisfy { then in
                // One that is gone was dropped, or its vectors were moved to another that is linked.
                guard let space = now.first(where: { $0.number == then.number }) else { return true }
                let index = self.indexes.index(of: space)
                let state = try index.state(in: transaction)
                let repairs = self.indexes.repairs(space, vacuums: !self.isVacuumOff.withLock { $0 })
                let due = try index.dueWork(space.extent, repairs: repairs, in: transaction)
                // One that is made anew holds what it held until it is gone.
                if state?.isDropping ?? false || due == .drop { return false }
                return state?.linkedSlots ?? 0 >= then.nextSlot || !Indexer.hasWork(space) && due == nil
            }
        }
    }
}

extension Namespace {
    /// The file of a home below the directory of the store, without an extension.
    ///
    /// Names are percent-encoded so that file systems which fold case or normalise letters keep them
    /// apart: only lower-case ASCII letters, digits, `-` and `_` stand as they are. A long name is
    /// cut into directories of at most 180 bytes.
    package var relativePath: String {
        var parts: [String] = []
        if let tenant { parts.append("@" + Self.encoded(tenant)) }
        switch root {
        case .project(let name): parts += ["project", Self.encoded(name)]
        case .user(let name): parts += ["user", Self.encoded(name)]
        case .agent(let name): parts += ["agent", Self.encoded(name)]
        case .vectors(let name): parts += ["vectors", Self.encoded(name)]
        case .collective: parts.append("collective")
        case .tenant: preconditionFailure("a tenant is no home")
        }
        return parts.joined(separator: "/")
    }

    private static func encoded(_ name: String) -> String {
        var text = ""
        var count = 0
        for byte in name.utf8 {
            let isPlain =
                byte >= 0x61 && byte <= 0x7a || byte >= 0x30 && byte <= 0x39 || byte == 0x2d || byte == 0x5f
            let digits = String(byte, radix: 16)
            let unit = isPlain ? String(UnicodeScalar(byte)) : "%" + (digits.count == 1 ? "0" : "") + digits
            if count + unit.utf8.count > 180 {
                text += "+/"
                count = 0
            }
            text += unit
            count += unit.utf8.count
        }
        return text
    }

    /// The home whose file has this path below the directory of the store; `nil` for any other file.
    package init?(relativePath: String) {
        guard relativePath.hasSuffix(Engine.fileExtension) else { return nil }
        var path = String(relativePath.dropLast(Engine.fileExtension.count))
        while let cut = path.range(of: "+/") { path.removeSubrange(cut) }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        var decoded: [String] = []
        for part in parts {
            let isTenant = part.hasPrefix("@")
            guard let name = Self.decoded(isTenant ? part.dropFirst() : part) else { return nil }
            decoded.append(isTenant ? "@" + name : name)
        }
        guard let namespace = try? Namespace(path: decoded.joined(separator: "/")), namespace.session == nil,
            namespace.root != .tenant, namespace.relativePath + Engine.fileExtension == relativePath
        else { return nil }
        self = namespace
    }

    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst(), let low = rest.popFirst(),
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(value)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
