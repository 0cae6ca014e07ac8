import HNSW
import Store

/// Works on the vector sets of a home in the background: folds the tails of their rows into segments, links them into
/// graphs, rewrites spaces with many erased rows, and takes away what is left of sets that were deleted. Searches are
/// complete whatever it has done so far.
final class VectorSetIndexer: Sendable {
    private struct State {
        var isRunning = false
        var due: Set<UInt32> = []
        /// Another process may have left some behind.
        var hasLeaving = true
        /// Whether a space could not be rewritten for want of room.
        var isVacuumOff = false
    }

    private let environment: Environment
    private let indexes: VectorSetIndexes
    private let callers: CallerGauge
    private let pressure = IndexPressure()
    private let state = Mutex(State())

    init(_ environment: Environment, _ indexes: VectorSetIndexes, _ callers: CallerGauge) {
        self.environment = environment
        self.indexes = indexes
        self.callers = callers
    }

    /// Returns when so little waits to be linked that more may be added.
    func wait() async { await pressure.wait() }

    func close() { pressure.close() }

    /// Takes up what a transaction has left to do.
    func note(_ writer: VectorSetWriter) {
        let isFree = state.withLock { state in
            state.due.formUnion(writer.due)
            if writer.hasLeaving { state.hasLeaving = true }
            guard !state.due.isEmpty || state.hasLeaving else { return false }
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if isFree { Task(priority: .utility) { await work() } }
    }

    private func work() async {
        while true {
            while callers.keepCoresBusy, !pressure.isHigh {
                try? await Task.sleep(for: .milliseconds(4))
                if pressure.isClosing { break }
            }
            let hasMore =
                pressure.isClosing ? false : (try? await step(isBackground: !pressure.isHigh)) ?? false
            if hasMore { continue }
            let isOver = state.withLock { state in
                // What came meanwhile is looked at; what failed is tried again with the next command.
                if !state.due.isEmpty || state.hasLeaving, !pressure.isClosing { return false }
                state.isRunning = false
                return true
            }
            if isOver { return pressure.relieve() }
        }
    }

    /// Does all that is to be done, as the file has it: what the background has taken up is not over yet.
    func finish() async throws {
        var isOver = false
        while !isOver {
            isOver = true
            for id in try await onThread({ try VectorSetRecord.all(in: $0).map(\.id) }) {
                while try await step(id, isBackground: false) { isOver = false }
            }
            while try await remove(isBackground: false) { isOver = false }
        }
    }

    /// Lets steps look at every set, whoever wrote to it.
    func lookAtAll() async throws {
        let ids = try await onThread { try VectorSetRecord.all(in: $0).map(\.id) }
        state.withLock { state in
            state.due.formUnion(ids)
            state.hasLeaving = true
        }
    }

    private func onThread<Result: Sendable>(
        _ body: @escaping @Sendable (borrowing ReadTransaction) throws -> Result
    ) async throws -> Result {
        try await BackgroundThread.shared.run { try self.environment.read(isBounded: false, body) }
    }

    // MARK: Steps

    /// Keys that a step takes away at most.
    private static let removedPerStep = 2_000
    private static let longestStep = Duration.milliseconds(500)
    /// Rows in the tail that are worth folding, in segments.
    private static let foldedSegments = 4

    static func hasWork(
        _ set: VectorSetRecord, _ indexes: VectorSetIndexes, in transaction: borrowing ReadTransaction
    ) throws -> Bool {
        try isFoldDue(set) || set.copy != nil || isWorn(set, indexes)
            || indexes.index(of: set).dueWork(set.space.extent, in: transaction) != nil
    }

    private static func isFoldDue(_ set: VectorSetRecord) -> Bool {
        let rows = Int(set.space.nextSlot - set.space.segmentedSlots)
        return rows >= set.segments(of: set.space).rowsPerSegment * foldedSegments
    }

    /// Whether a fifth of the slots were erased.
    private static func isWorn(_ set: VectorSetRecord, _ indexes: VectorSetIndexes) -> Bool {
        let erased = set.space.nextSlot - (set.count - set.zeroCount)
        return erased >= indexes.leastErased && Int(erased) * 5 >= Int(set.space.nextSlot)
    }

    /// One step. Returns whether there may be more to do.
    func step(isBackground: Bool) async throws -> Bool {
        // Before the step looks: what comes meanwhile makes it due again.
        let (next, hasLeaving) = state.withLock { ($0.due.popFirst(), $0.hasLeaving) }
        if let id = next {
            if try await step(id, isBackground: isBackground) { state.withLock { _ = $0.due.insert(id) } }
            return true
        }
        guard hasLeaving else { return false }
        state.withLock { $0.hasLeaving = false }
        let isLeft = try await remove(isBackground: isBackground)
        if isLeft { state.withLock { $0.hasLeaving = true } }
        return isLeft
    }

    private func remove(isBackground: Bool) async throws -> Bool {
        try await environment.submit(isBackground: isBackground) { try self.removeSome(in: $0) }
    }

    /// One step on a set. Returns whether there was anything to do.
    private func step(_ id: UInt32, isBackground: Bool) async throws -> Bool {
        guard let set = try await onThread({ try VectorSetRecord.read(id, in: $0) }) else { return false }
        if Self.isFoldDue(set) {
            try await environment.submit(isBackground: isBackground) { transaction in
                guard var set = try VectorSetRecord.read(id, in: transaction.snapshot) else { return }
                _ = try set.segments(of: set.space).fold(
                    &set.space.extent, atMost: Indexer.segmentsPerStep, in: transaction)
                try set.write(in: transaction)
            }
            return true
        }
        if try await link(id, isCopy: false, isBackground: isBackground) { return true }
        if set.copy != nil, try await link(id, isCopy: true, isBackground: isBackground) { return true }
        guard set.copy != nil || Self.isWorn(set, indexes) && !state.withLock({ $0.isVacuumOff }) else {
            return false
        }
        do {
            return try await environment.submit(isBackground: isBackground) { transaction in
                try self.copySome(id, in: transaction)
            }
        } catch let error as StoreError where error.code == .full || error.code == .diskFull {
            // There is no room for a second copy: the space stays as it is, until the home is opened anew.
            state.withLock { $0.isVacuumOff = true }
            return try await environment.submit(isBackground: isBackground) { transaction in
                guard var set = try VectorSetRecord.read(id, in: transaction.snapshot) else { return false }
                return try self.dropCopy(&set, in: transaction)
            }
        }
    }

    /// One step of the author of a graph.
    private func link(_ id: UInt32, isCopy: Bool, isBackground: Bool) async throws -> Bool {
        let made = try await onThread { transaction -> (VectorSetRecord.Space, HNSWIndex, LinkBatch)? in
            guard let set = try VectorSetRecord.read(id, in: transaction),
                let space = isCopy ? set.copy : set.space
            else { return nil }
            let index = self.indexes.index(of: set.segments(of: space), m: set.m)
            if !isCopy {
                let linked = try index.state(in: transaction)?.linkedSlots ?? 0
                let rows = Int(space.segmentedSlots) - Int(min(linked, space.segmentedSlots))
                let isDue = try index.dueWork(space.extent, in: transaction) != nil
                self.pressure.set(backlogByteCount: isDue ? rows * set.dimension * 4 : 0)
                guard isDue else { return nil }
            }
            let end = ContinuousClock.now + Self.longestStep
            let batch = try index.prepare(space.extent, in: transaction) {
                self.pressure.isClosing || ContinuousClock.now > end
            }
            return batch.map { (space, index, $0) }
        }
        guard let (space, index, batch) = made else { return false }
        try await environment.submit(isBackground: isBackground) { transaction in
            // The set may have been deleted meanwhile.
            let set = try VectorSetRecord.read(id, in: transaction.snapshot)
            guard (isCopy ? set?.copy : set?.space)?.number == space.number else { return }
            _ = try index.commit(batch, in: transaction)
        }
        return true
    }

    // MARK: Rewriting a space

    private static let copiedByteCount = 4 << 20
    private static let copiedRows = 8_192

    /// Copies some rows of a worn space to another number, in the order of slots; the copy that has caught up, and is linked,
    /// takes its place. Returns whether there was anything to do.
    private func copySome(_ id: UInt32, in transaction: borrowing WriteTransaction) throws -> Bool {
        guard var set = try VectorSetRecord.read(id, in: transaction.snapshot) else { return false }
        guard var copy = set.copy else {
            var counters = try VectorSetCounters.read(in: transaction.snapshot)
            guard Self.isWorn(set, indexes),
                let number = try VectorSetSpace.freeNumber(&counters, in: transaction.snapshot)
            else { return false }
            try counters.write(in: transaction)
            try VectorSetSpace(number: number, dimension: set.dimension, set: id).write(in: transaction)
            set.copy = VectorSetRecord.Space(number: number)
            set.copiedSlots = 0
            try set.write(in: transaction)
            return true
        }
        let segments = set.segments(of: copy)
        let count = max(
            segments.rowsPerSegment, min(Self.copiedRows, Self.copiedByteCount / (4 * set.dimension)))
        let end = UInt32(min(Int(set.space.nextSlot), Int(set.copiedSlots) + count))
        var rows: [(passage: UInt32, vector: [Float])] = []
        try set.segments(of: set.space).forEachRow(
            in: set.copiedSlots..<end, set.space.extent, in: transaction.snapshot
        ) { _, ordinal, vector in rows.append((ordinal, vector)) }
        for (place, row) in rows.enumerated() {
            var writer = ByteWriter(capacity: 4)
            writer.u32(copy.nextSlot + UInt32(place))
            try Schema.memory.put(
                VectorSetSchema.slot(copy.number, row.passage), writer.bytes, in: transaction)
        }
        try segments.append(rows, &copy.extent, in: transaction)
        _ = try segments.fold(&copy.extent, atMost: .max, in: transaction)
        set.copiedSlots = end
        set.copy = copy
        if end == set.space.nextSlot,
            try indexes.index(of: segments, m: set.m).isNearlyLinked(copy.extent, in: transaction.snapshot)
        {
            try VectorSetSpace(
                number: set.space.number, dimension: set.dimension, set: id, stage: .leaving
            ).write(in: transaction)
            set.space = copy
            set.copy = nil
            set.copiedSlots = 0
            state.withLock { $0.hasLeaving = true }
        }
        try set.write(in: transaction)
        return true
    }

    private func dropCopy(
        _ set: inout VectorSetRecord, in transaction: borrowing WriteTransaction
    ) throws -> Bool {
        guard let copy = set.copy else { return false }
        try VectorSetSpace(number: copy.number, dimension: set.dimension, set: set.id, stage: .leaving)
            .write(in: transaction)
        set.copy = nil
        set.copiedSlots = 0
        try set.write(in: transaction)
        state.withLock { $0.hasLeaving = true }
        return true
    }

    // MARK: Taking away

    /// Takes some of what is left behind away. Returns whether there may be more.
    private func removeSome(in transaction: borrowing WriteTransaction) throws -> Bool {
        guard let space = try VectorSetSpace.firstLeaving(in: transaction.snapshot) else { return false }
        let segments = VectorSetRecord.segments(of: space.number, dimension: space.dimension)
        let index = HNSWIndex(table: Schema.link, segments: segments)
        var places: [(Table, Key)] = [(Schema.memory, VectorSetSchema.slots(space.number))]
        if space.stage == .leavingWithSet {
            places += [
                (Schema.memory, VectorSetSchema.elements(space.set)),
                (Schema.memory, VectorSetSchema.names(space.set)),
                (Schema.memory, VectorSetSchema.zeros(space.set)),
            ]
        }
        places += segments.places + index.places
        var left = Self.removedPerStep
        for (table, prefix) in places {
            var keys: [Key] = []
            try table.scan(prefix: prefix, in: transaction.snapshot, isVerified: false) { key, _ in
                keys.append(Key(bytes: key.copy(0..<key.byteCount)))
                return keys.count < left
            }
            for key in keys { try table.remove(key, in: transaction) }
            left -= keys.count
            if left <= 0 { return true }
        }
        try Schema.passage.remove(VectorSetSchema.space(space.number), in: transaction)
        indexes.forget(space.number)
        return true
    }
}
