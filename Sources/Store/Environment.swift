import CLMDB
import Dispatch
import Glibc

/// LMDB's handles of the tables, by `Table.index`.
@safe final class TableHandles: Sendable {
    static let capacity = 24
    private let handles: [MDB_dbi]
    /// Which opening of an environment they belong to; never the same twice in a process.
    let map: UInt64
    init(_ handles: [MDB_dbi]) {
        self.handles = handles
        map = MapNumber.next()
    }
    subscript(index: Int) -> MDB_dbi { handles[index] }
}

/// When a write is safe from a power cut.
package enum Durability: String, Sendable, CaseIterable {
    /// Synced before the call returns.
    case commit
    /// Synced at least every second; a crash of the machine may lose the last second, and no more. A
    /// crash of the process loses nothing.
    case everySecond
    /// Synced when asked, or on closing (bulk loads).
    case none
}

/// One LMDB file: a home.
///
/// - A read sees one snapshot and waits for no writer.
/// - Writes go through `writer`, which groups them.
/// - A file is open at most once in a process: LMDB's locks are lost when the same file is opened and
///   closed beside it. `open` therefore shares the environment of a file that is open already.
@safe package final class Environment: Sendable {
    package struct Options: Sendable, Equatable {
        /// The largest size of the file; the quota of the home. Address space is reserved, not memory.
        package var mapSizeBytes: Int = 64 << 30
        /// Snapshots held at the same time, over all processes.
        package var maximumReaders: Int = 510
        package var durability: Durability = .commit
        package var isReadOnly = false
        /// Nobody else has the file open, nor will: no lock file is made for it. For reading only.
        package var isUnshared = false
        /// How long a read may hold its snapshot before it is refused to go on; `nil` = as long as it likes.
        package var longestRead: Duration?
        /// Where writers of other processes are kept out; `nil` for a file that nobody shares.
        package var writerLock: WriterLock?
        package init() {}
    }

    package let path: String
    package let options: Options
    private let tables: [Table]

    /// The groups of writes wait here. Its first use takes the lock against writers of other processes.
    package let writer = Writer()

    /// A handle of LMDB's, which any thread may use while it is not in use by another.
    @safe private struct Handle: @unchecked Sendable {
        let pointer: OpaquePointer
        init(_ pointer: OpaquePointer) { unsafe self.pointer = unsafe pointer }
    }

    private struct State: Sendable {
        var env: Handle?
        var handles: TableHandles?
        var pool: [Handle] = []
        var activeReaders = 0
        /// When the snapshots that are held were taken, by number.
        var held: [UInt64: ContinuousClock.Instant] = [:]
        var nextSnapshot: UInt64 = 0
        /// Set while the environment is being reopened or closed: new readers wait.
        var isPaused = false
        var isSyncPending = false
    }
    private let state: Mutex<State>
    private let condition = Condition()

    private struct Entry {
        /// `nil` while the file is being opened or closed: whoever wants it waits until that is over.
        var environment: Environment?
        var count = 1
    }
    private static let registry = Mutex<[String: Entry]>([:])
    private static let registryChange = Condition()

    // MARK: Opening and closing

    /// Opens, or creates, the file at `path` with `tables`.
    ///
    /// - Throws: `missing` (reading only, and no file), `foreign`, `corrupted` (header, meta pages or
    ///   size), `io`.
    package static func open(
        path: String, tables: [Table], options: Options = Options()
    ) throws -> Environment {
        let key = canonical(path)
        while true {
            let found: Environment?? = try registry.withLock { open in
                guard var entry = open[key] else {
                    open[key] = Entry()
                    return .some(nil)
                }
                guard let environment = entry.environment else { return nil }
                guard !environment.options.isReadOnly || options.isReadOnly else {
                    throw StoreError(.readOnly, "\(path) is open for reading only in this process")
                }
                entry.count += 1
                open[key] = entry
                return environment
            }
            if let environment = found ?? nil { return environment }
            guard found != nil else {
                registryChange.wait { registry.withLock { $0[key].map { $0.environment != nil } ?? true } }
                continue
            }
            // Beside the registry's lock, because a look over the file takes its time.
            defer { registryChange.signal() }
            do {
                let environment = try Environment(path: path, tables: tables, options: options)
                registry.withLock { $0[key] = Entry(environment: environment) }
                return environment
            } catch {
                registry.withLock { $0[key] = nil }
                throw error
            }
        }
    }

    /// Gives back one `open`. The last one closes the file, after the writes that wait and the readers
    /// that are under way.
    package func close() {
        let key = Self.canonical(path)
        let isLast = Self.registry.withLock { open in
            guard var entry = open[key], entry.environment === self else { return false }
            entry.count -= 1
            if entry.count == 0 { entry.environment = nil }
            open[key] = entry
            return entry.count == 0
        }
        guard isLast else { return }
        // On the writer's queue, so that no write is under way; what is submitted later is refused.
        writer.shutDown(self) {
            pauseReaders()
            state.withLock { state in
                Self.shut(&state, isSynced: options.durability == .commit || options.isReadOnly)
                state.isPaused = false
            }
            condition.signal()
        }
        Self.registry.withLock { $0[key] = nil }
        Self.registryChange.signal()
    }

    /// Whether this process has the file open.
    package static func isOpen(path: String) -> Bool { registry.withLock { $0[canonical(path)] != nil } }

    private init(path: String, tables: [Table], options: Options) throws {
        self.path = path
        self.options = options
        self.tables = tables
        if options.isReadOnly || fileSize(path) ?? 0 > 0 {
            guard fileSize(path) != nil else { throw StoreError(.missing, "there is no file \(path)") }
            let problems = try FileCheck.quick(path: path)
            if let first = problems.first {
                throw StoreError(.corrupted, "\(path): \(first); run `loci check`, then restore a snapshot")
            }
        }
        let (env, handles) = try Self.start(path: path, tables: tables, options: options)
        state = Mutex(State(env: env, handles: handles))
    }

    private static func start(
        path: String, tables: [Table], options: Options
    ) throws -> (Handle, TableHandles) {
        var created: OpaquePointer?
        try unsafe check(mdb_env_create(&created), "making an environment")
        guard let env = unsafe created else { throw StoreError(.io, "LMDB made no environment") }
        do {
            try unsafe check(mdb_env_set_mapsize(env, options.mapSizeBytes), "reserving the map")
            try unsafe check(mdb_env_set_maxdbs(env, UInt32(TableHandles.capacity)), "setting up tables")
            try unsafe check(
                mdb_env_set_maxreaders(env, UInt32(options.maximumReaders)), "setting up readers")
            var flags = UInt32(MDB_NOSUBDIR) | UInt32(MDB_NOTLS) | UInt32(MDB_NORDAHEAD)
            if options.isReadOnly { flags |= UInt32(MDB_RDONLY) }
            if options.isReadOnly, options.isUnshared { flags |= UInt32(MDB_NOLOCK) }
            if options.durability != .commit { flags |= UInt32(MDB_NOSYNC) }
            if !(options.isReadOnly && options.isUnshared) {
                try reserveLocks(path + "-lock", readers: options.maximumReaders)
            }
            var status = unsafe mdb_env_open(env, path, flags, 0o640)
            if options.isReadOnly, status == EROFS {
                // A medium that cannot be written has no writer, so no lock file is needed.
                status = unsafe mdb_env_open(env, path, flags | UInt32(MDB_NOLOCK), 0o640)
            }
            if options.isReadOnly, status == EACCES, unsafe access(path, R_OK) == 0 {
                throw StoreError(
                    .readOnly,
                    "opening \(path): this user may not write \(path)-lock, in which readers say which pages they "
                        + "read; allow it, or take a snapshot (`loci snapshot`) and read that")
            }
            guard status == 0 else { throw storeError(status, "opening \(path)", path: path) }
            var dead: Int32 = 0
            try unsafe check(mdb_reader_check(env, &dead), "clearing dead readers")
            return unsafe (Handle(env), try openTables(env, tables, isReadOnly: options.isReadOnly))
        } catch {
            unsafe mdb_env_close(env)
            throw error
        }
    }

    /// Opens the tables; makes them all in a file that has none. A file that has some of them only has lost
    /// the others.
    private static func openTables(
        _ env: OpaquePointer, _ tables: [Table], isReadOnly: Bool
    ) throws -> TableHandles {
        let (handles, missing) = unsafe try openTables(env, tables, UInt32(MDB_RDONLY), 0)
        if missing.isEmpty { return TableHandles(handles) }
        guard missing.count == tables.count else {
            throw StoreError(
                .corrupted, "the table `\(missing[0])` is missing; run `loci check`, then restore a snapshot")
        }
        try unsafe refuseOtherTables(env)
        guard !isReadOnly else {
            throw StoreError(.missing, "the file has no tables: nothing was ever written to it")
        }
        return TableHandles(unsafe try openTables(env, tables, 0, UInt32(MDB_CREATE)).handles)
    }

    /// Our tables are made in an empty file only: one with other tables belongs to another program.
    private static func refuseOtherTables(_ env: OpaquePointer) throws {
        var stat = MDB_stat()
        // Safe because both outlive the call. The entries of a file's main table are its named tables.
        try unsafe check(mdb_env_stat(env, &stat), "looking for tables")
        guard stat.ms_entries == 0 else {
            throw StoreError(.foreign, "the file has tables of another program; it is not a home of Loci")
        }
    }

    private static func openTables(
        _ env: OpaquePointer, _ tables: [Table], _ flags: UInt32, _ tableFlags: UInt32
    ) throws -> (handles: [MDB_dbi], missing: [String]) {
        var handles = [MDB_dbi](repeating: .max, count: TableHandles.capacity)
        var missing: [String] = []
        var transaction: OpaquePointer?
        try unsafe check(mdb_txn_begin(env, nil, flags, &transaction), "beginning to open tables")
        for table in tables {
            let status = unsafe mdb_dbi_open(transaction, table.name, tableFlags, &handles[table.index])
            if status == MDB_NOTFOUND {
                missing.append(table.name)
            } else if status != 0 {
                unsafe mdb_txn_abort(transaction)
                try check(status, "opening table `\(table.name)`")
            }
        }
        try unsafe check(mdb_txn_commit(transaction), "opening tables")
        return (handles, missing)
    }

    private static func shut(_ state: inout State, isSynced: Bool) {
        guard let env = state.env else { return }
        for reader in state.pool { unsafe mdb_txn_abort(reader.pointer) }
        state.pool = []
        if !isSynced { unsafe _ = mdb_env_sync(env.pointer, 1) }
        unsafe mdb_env_close(env.pointer)
        state.env = nil
        state.handles = nil
    }

    /// Waits until no reader is under way, and keeps new ones waiting.
    private func pauseReaders() {
        state.withLock { $0.isPaused = true }
        condition.wait { state.withLock { $0.activeReaders == 0 } }
    }

    /// Closes the file and opens it again: after a failed write of the meta page LMDB refuses
    /// everything until then. The quota may change with it.
    func reopen() throws {
        pauseReaders()
        defer {
            state.withLock { $0.isPaused = false }
            condition.signal()
        }
        try state.withLock { state in
            Self.shut(&state, isSynced: true)
            let (env, handles) = try Self.start(path: path, tables: tables, options: options)
            state.env = env
            state.handles = handles
        }
    }

    // MARK: Reading

    /// Lends a snapshot to `body`. Many may run at once; none waits for a writer.
    ///
    /// The closure is synchronous, so that nothing waits while the snapshot is held.
    ///
    /// - Parameter isBounded: whether `Options.longestRead` holds; copies and checks take as long as they take.
    /// - Throws: what `body` throws; `snapshotTooOld` out of the midst of it when the bound is exceeded.
    package func read<Result>(
        isBounded: Bool = true, _ body: (borrowing ReadTransaction) throws -> Result
    ) throws -> Result {
        let (handle, tables, number, start) = try beginRead()
        defer { endRead(handle, number) }
        let deadline = isBounded ? options.longestRead.map { start + $0 } : nil
        return unsafe try body(
            ReadTransaction(handle: handle.pointer, tables: tables, isInsideWrite: false, deadline: deadline))
    }

    private func beginRead() throws -> (Handle, TableHandles, UInt64, ContinuousClock.Instant) {
        let start = ContinuousClock.now
        let (pooled, env, handles, number) = try admitReader(start)
        do {
            if let pooled {
                if unsafe mdb_txn_renew(pooled.pointer) == 0 { return (pooled, handles, number, start) }
                unsafe mdb_txn_abort(pooled.pointer)
            }
            var begun: OpaquePointer?
            try unsafe check(
                mdb_txn_begin(env.pointer, nil, UInt32(MDB_RDONLY), &begun), "taking a snapshot of \(path)")
            guard let handle = unsafe begun else { throw StoreError(.io, "LMDB gave no snapshot of \(path)") }
            return unsafe (Handle(handle), handles, number, start)
        } catch {
            _ = state.withLock { $0.held.removeValue(forKey: number) }
            finishRead(nil)
            throw error
        }
    }

    /// Counts a reader in, waiting while the environment is being reopened.
    private func admitReader(
        _ start: ContinuousClock.Instant
    ) throws -> (pooled: Handle?, env: Handle, handles: TableHandles, number: UInt64) {
        while true {
            let admitted: (Handle?, Handle, TableHandles, UInt64)? = try state.withLock { state in
                if state.isPaused { return nil }
                guard let env = state.env, let handles = state.handles else {
                    throw StoreError(.io, "\(path) is closed")
                }
                state.activeReaders += 1
                state.nextSnapshot += 1
                state.held[state.nextSnapshot] = start
                return (state.pool.popLast(), env, handles, state.nextSnapshot)
            }
            if let admitted { return admitted }
            condition.wait { state.withLock { !$0.isPaused } }
        }
    }

    private func endRead(_ handle: Handle, _ number: UInt64) {
        unsafe mdb_txn_reset(handle.pointer)
        _ = state.withLock { $0.held.removeValue(forKey: number) }
        finishRead(handle)
    }

    /// The snapshots that this process holds.
    package struct HeldSnapshots: Sendable {
        package let count: Int
        /// The number and the age of the oldest.
        package let oldest: (number: UInt64, age: Duration)?
    }

    /// Which snapshots this process holds: pages that they may need are not used again, so the file grows with what is
    /// written meanwhile.
    ///
    /// - Complexity: O(snapshots held).
    package func heldSnapshots() -> HeldSnapshots {
        state.withLock { state in
            HeldSnapshots(
                count: state.held.count,
                oldest: state.held.min { $0.value < $1.value }.map {
                    ($0.key, ContinuousClock.now - $0.value)
                })
        }
    }

    private func finishRead(_ handle: Handle?) {
        let isAwaited = state.withLock { state in
            state.activeReaders -= 1
            if let handle {
                if state.pool.count < 32 {
                    state.pool.append(handle)
                } else {
                    unsafe mdb_txn_abort(handle.pointer)
                }
            }
            return state.isPaused && state.activeReaders == 0
        }
        if isAwaited { condition.signal() }
    }

    // MARK: Writing

    /// Begins the write transaction, lends it to `body`, and commits. On any error nothing is written.
    ///
    /// Call it from the writer's queue only (or where nobody else writes, as in a copy being made).
    package func write<Result>(_ body: (borrowing WriteTransaction) throws -> Result) throws -> Result {
        guard !options.isReadOnly else {
            throw StoreError(.readOnly, "\(path) is open for reading only")
        }
        var (env, tables) = try environmentForWriting()
        var begun: OpaquePointer?
        var status = unsafe mdb_txn_begin(env.pointer, nil, 0, &begun)
        if status == MDB_PANIC {
            // A write of the meta page failed before: LMDB refuses everything until the file is reopened.
            try reopen()
            (env, tables) = try environmentForWriting()
            status = unsafe mdb_txn_begin(env.pointer, nil, 0, &begun)
        }
        try check(status, "beginning a write to \(path)")
        guard let handle = unsafe begun else { throw StoreError(.io, "LMDB began no write to \(path)") }
        let result: Result
        do {
            result = unsafe try body(
                WriteTransaction(
                    snapshot: ReadTransaction(
                        handle: handle, tables: tables, isInsideWrite: true, deadline: nil),
                    effects: WriteTransaction.Effects()))
        } catch {
            unsafe mdb_txn_abort(handle)
            throw error
        }
        let committed = unsafe mdb_txn_commit(handle)
        if committed != 0 {
            let error = storeError(committed, "committing to \(path)", path: path)
            var probe: OpaquePointer?
            if unsafe mdb_txn_begin(env.pointer, nil, 0, &probe) == MDB_PANIC {
                try reopen()
            } else if let probe = unsafe probe {
                unsafe mdb_txn_abort(probe)
            }
            throw error
        }
        if options.durability == .everySecond { scheduleSync() }
        return result
    }

    private func environmentForWriting() throws -> (Handle, TableHandles) {
        try state.withLock { state in
            guard let env = state.env, let handles = state.handles else {
                throw StoreError(.io, "\(path) is closed")
            }
            return (env, handles)
        }
    }

    /// Makes every commit so far safe from a power cut.
    package func sync() throws {
        // Counted as a reader, so that the file stays open without the lock being held meanwhile. Closing syncs
        // by itself.
        let env: Handle? = state.withLock { state in
            state.isSyncPending = false
            guard let env = state.env, !options.isReadOnly, !state.isPaused else { return nil }
            state.activeReaders += 1
            return env
        }
        guard let env else { return }
        defer { finishRead(nil) }
        try unsafe check(mdb_env_sync(env.pointer, 1), "syncing \(path)")
    }

    private func scheduleSync() {
        let isFirst = state.withLock { state in
            defer { state.isSyncPending = true }
            return !state.isSyncPending
        }
        guard isFirst else { return }
        DispatchQueue.global(qos: .utility).asyncAfter(deadline: .now() + .milliseconds(900)) { [weak self] in
            try? self?.sync()
        }
    }

    static func canonical(_ path: String) -> String {
        // The file may not exist yet: resolve its directory, which does.
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { String(path[..<$0]) } ?? "."
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        guard let resolved = unsafe realpath(directory.isEmpty ? "/" : directory, nil) else { return path }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved) + "/" + name
    }
}

/// The size of the file at `path` in bytes; `nil` if there is none.
package func fileSize(_ path: String) -> Int? {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? Int(status.st_size) : nil
}
