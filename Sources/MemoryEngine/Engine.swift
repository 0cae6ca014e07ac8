import Foundation
import HNSW
import Store

/// When a write is safe.
public enum Durability: String, Sendable, CaseIterable {
    /// Synced before the call returns.
    case commit
    /// Synced at least every second: a crash of the machine may lose the last second, a crash of the
    /// process nothing.
    case everySecond
    /// Synced on closing (bulk loads).
    case none
}

/// What becomes of a read that holds its snapshot for longer than `Engine.Options.longestRead`.
public enum LongReadPolicy: String, Sendable, CaseIterable {
    /// `Engine.Options.warn` is told when something is written meanwhile; `stats` tells too.
    case warn
    /// The read is ended with the error `deadline` where it asks the store for more.
    case end
}

/// A store of memories: a directory with one file for each home (project, user, agent, collective).
///
/// Any number of tasks may use an engine at once. A read sees one snapshot and waits for no writer; each
/// home has a writer of its own, which groups what is written at the same time.
public final class Engine: Sendable {
    /// How a store is opened; each has a default that suits a single program.
    public struct Options: Sendable {
        public var durability: Durability = .commit
        public var isReadOnly = false
        /// The largest size of a home's file. Address space is reserved for it, not memory or disk.
        public var quotaBytes = 64 << 30
        /// Homes that are kept open; beyond it the one that was used least lately is closed.
        public var maximumOpenHomes = 256
        /// How long to wait for another process that writes to a home, before giving up.
        public var writerWait: Duration = .zero
        /// How long a read may hold its snapshot; `nil` = as long as it likes. A home's file grows with what is written
        /// while a snapshot is held.
        public var longestRead: Duration? = .seconds(60)
        /// What becomes of a read that takes longer. Copies and checks are never ended.
        public var longRead: LongReadPolicy = .warn
        /// Called with words for a person, on any thread, when something is not as it should be.
        public var warn: (@Sendable (String) -> Void)?
        /// Why the engine has no embedder of a space, and the way out, in words for a person; `nil` = that is not known. It is
        /// called on any thread, and its answer is part of errors and of `Recall.leftOut`.
        public var absence: (@Sendable (EmbeddingSpace) -> String?)?
        /// Why what is meant to make vectors cannot: in a space, or (`nil`) those of new homes. No home is made then, and texts of
        /// homes of that space are stored as `embedding` says for an embedder that fails; with `warnsOfAbsence` they wait in any case.
        package var fault: (@Sendable (EmbeddingSpace?) -> EngineError?)?
        /// Whether `warn` is told, once, of each space that a home uses and nothing makes vectors in.
        package var warnsOfAbsence = false
        /// Who writes. In a server, who logged in; by default the user of the operating system.
        public var principal: String = Options.systemUser
        /// What becomes of a text while the embedder does not answer.
        public var embedding: EmbeddingPolicy = .required
        /// Embedders of other spaces that homes use, or that `reembed` is to bring them to.
        public var otherEmbedders: [any Embedder] = []
        /// Embeds all texts besides, in a space of its own, for questions that `questionFallback` brings there.
        public var fallbackEmbedder: (any Embedder)?
        /// Embed the images and videos that are attached to memories, each in a space of its own beside that of texts; of each
        /// kind the first one counts, in homes that have no vectors of that kind yet. Homes that have go on with the embedder of
        /// these, which may be one of `otherEmbedders`.
        public var mediaEmbedders: [any Embedder] = []
        /// How long remembering may wait for vectors of what is attached. What is not ready by then is stored without, and
        /// `embed(in:)` or the background makes up for it.
        public var mediaPatience = Duration.seconds(30)
        /// How long a question may wait for its vector in the space of images, besides what its deadline says.
        public var imageQuestionPatience = Duration.seconds(2)
        /// What becomes of a question while the embedder of its home does not answer, or has no vectors there.
        public var questionFallback: QuestionFallback = .none
        /// How long the embedder of a home may take for a question, before it counts as one that does not answer; `nil` = half
        /// of the question's deadline, if it has one.
        public var questionPatience: Duration?
        /// Whether what was stored without vectors gets them in the background, once the embedder answers: also what an
        /// earlier process stored, as soon as its home is opened.
        public var embedsBacklog = false
        /// How long the background waits after so many failures in a row.
        package var backlogPause: @Sendable (_ failures: Int) async throws -> Void = EmbeddingBacklog.pause
        /// The longest passage in bytes, for homes made from now on.
        public var passageByteCount = 1_200
        /// Threads that link vectors into the graph of a home, 1 to 256: for bulk loads. Any number makes the same graph.
        public var linkingThreads: Int {
            get { index.threads }
            set { index.threads = newValue }
        }
        /// Fewer erased vectors are no reason to rewrite a space; tests have few.
        package var leastErased: UInt32 = 1_024
        /// How the graphs over vectors are built and searched; tests make small ones.
        package var index = HNSWParameters()
        /// What the time is; a test turns a clock of its own.
        public var clock: @Sendable () -> Timestamp = { .now }

        public init() {}

        /// The name of the operating system's user.
        public static var systemUser: String {
            let name = NSUserName()
            return name.isEmpty ? "unknown" : name
        }
    }

    static let fileExtension = ".loci"
    /// The file that tells a store from any other directory; writers lock a byte of it for each home.
    static let markerName = "loci.store"
    private static let markerText = "loci store 1\n"

    public let path: String
    public let options: Options
    public let embedder: (any Embedder)?
    private let openHomes: OpenHomes
    private let callers: CallerGauge
    let backlog: EmbeddingBacklog
    /// Spaces that `warn` was told of, because nothing makes vectors in them.
    let toldAbsences: Mutex<Set<EmbeddingSpace>>
    let readers: BoundedExecutor

    private init(path: String, embedder: (any Embedder)?, options: Options) {
        self.path = path
        self.embedder = embedder
        self.options = options
        openHomes = OpenHomes(maximumCount: options.maximumOpenHomes)
        callers = CallerGauge()
        backlog = EmbeddingBacklog(pause: options.backlogPause, warn: options.warn)
        toldAbsences = Mutex([])
        readers = BoundedExecutor(width: max(4, 2 * ProcessInfo.processInfo.activeProcessorCount))
    }

    private init(_ engine: Engine, principal: String? = nil, readers: BoundedExecutor? = nil) {
        path = engine.path
        embedder = engine.embedder
        var options = engine.options
        if let principal { options.principal = principal }
        self.options = options
        openHomes = engine.openHomes
        callers = engine.callers
        backlog = engine.backlog
        toldAbsences = engine.toldAbsences
        self.readers = readers ?? engine.readers
    }

    /// The same store, which is read on the thread of whoever asks. That saves waking others, and a page that is not in
    /// memory keeps all on that thread waiting: it is for what was short before.
    package func readingOnCallersThread() -> Engine { Engine(self, readers: .onCallersThread) }

    /// The same store for another principal, who then is the origin of what is written by it. Closing one closes both.
    ///
    /// - Throws: `EngineError.invalid` for a principal without or with too many bytes.
    public func acting(as principal: String) throws -> Engine {
        try Self.check(principal: principal)
        return Engine(self, principal: principal)
    }

    private static func check(principal: String) throws {
        guard (1...Names.maximumByteCount).contains(principal.utf8.count) else {
            throw EngineError(.invalid, "the principal has 1 to \(Names.maximumByteCount) bytes")
        }
    }

    /// Opens the store at `path`, or makes it.
    ///
    /// - Parameter embedder: turns contents and questions into vectors, unless a home uses the space of another one
    ///   (`Options.otherEmbedders`); without one, words do the work, and vectors that callers bring.
    /// - Throws: `EngineError`: `notFound` (reading only, and no store), `foreign` (a directory of something
    ///   else), `invalid` (options out of bounds), `io`.
    public static func open(
        at path: String, embedder: (any Embedder)? = nil, options: Options = Options()
    ) throws -> Engine {
        guard (1 << 20...1 << 46).contains(options.quotaBytes), options.maximumOpenHomes >= 1,
            (64...1 << 20).contains(options.passageByteCount), (1...256).contains(options.linkingThreads)
        else {
            throw EngineError(
                .invalid,
                "a quota has 1 MiB to 64 TiB, a passage 64 bytes to 1 MiB, one home must be open, and 1 to 256 threads "
                    + "link")
        }
        try check(principal: options.principal)
        var spaces = Set<EmbeddingSpace>()
        let all = [embedder] + options.otherEmbedders + options.mediaEmbedders + [options.fallbackEmbedder]
        for space in all.compactMap({ $0?.space }) {
            guard space.isStorable else {
                throw EngineError(
                    .invalid,
                    "the embedder's space `\(space.name.prefix(100))` does not read back: a revision has no `@`, and a "
                        + "model has one only beside a revision")
            }
            guard spaces.insert(space).inserted else {
                throw EngineError(.invalid, "two embedders are of the space \(space.name); give one")
            }
        }
        let marker = path + "/" + markerName
        let manager = FileManager.default
        let text = try? String(contentsOfFile: marker, encoding: .utf8)
        // An empty marker is one that another process is making, or that a crash kept from being finished.
        if !manager.fileExists(atPath: marker) || text?.isEmpty == true {
            let contents = (try? manager.contentsOfDirectory(atPath: path)) ?? []
            guard !options.isReadOnly else {
                throw EngineError(.notFound, "there is no store at \(path)")
            }
            guard contents.allSatisfy({ $0 == markerName }) else {
                throw EngineError(
                    .foreign, "\(path) is not empty and not a store of Loci; name a new or an empty directory"
                )
            }
            do {
                try manager.createDirectory(atPath: path, withIntermediateDirectories: true)
                try Data(markerText.utf8).write(to: URL(fileURLWithPath: marker))
            } catch {
                throw EngineError(.io, "cannot make a store at \(path): \(error.localizedDescription)")
            }
        } else if let text, text != markerText {
            throw EngineError(
                .foreign, "\(marker) is not of this version; use a newer program than \(Loci.version)")
        }
        return Engine(path: path, embedder: embedder, options: options)
    }

    /// Closes all homes, after what is being written. Calls that follow are refused.
    public func close() async {
        await backlog.close()
        await openHomes.closeAll()
    }

    // MARK: Homes

    package var openHomeNames: [Namespace] { openHomes.names }

    /// Whether another process waits to write to a home that gives way.
    var isWanted: Bool { openHomes.isAnyWanted }

    func filePath(of home: Namespace) -> String { path + "/" + home.relativePath + Self.fileExtension }

    static func directory(of file: String) -> String {
        URL(fileURLWithPath: file).deletingLastPathComponent().path
    }

    /// Lends the home of a namespace to `body`; `nil` where there is none and none is to be made.
    ///
    /// - Parameter holdsVectorSets: these are asked for, and no memories.
    // Not optimized: where the optimizer of Swift 6.3.1 makes a copy of it for a body that waits more than once, the copy goes
    // on at no address.
    @_optimize(none)
    func withHome<Result>(
        of namespace: Namespace, creating: Bool, holdsVectorSets: Bool = false,
        _ body: (Home) async throws -> Result
    ) async throws -> Result? {
        do {
            try checkHome(namespace)
            if case .vectors = namespace.root, !holdsVectorSets {
                throw EngineError(
                    .wrongKind,
                    "`\(namespace)` holds vector sets, and no memories; name a project, a user or an agent")
            }
            let name = namespace.home
            callers.enter()
            defer { callers.leave() }
            let borrowed = try await openHomes.borrow(name, creating: creating) { creating in
                let home = try self.openHome(name, creating: creating)
                if home != nil { self.lookAfter(name) }
                return home
            }
            guard let home = borrowed else { return nil }
            defer { openHomes.giveBack(home) }
            return try await body(home)
        } catch let error as StoreError {
            throw EngineError(error)
        }
    }

    /// Lends a home that is open to what takes no time; `nil` where there is none at once.
    func withOpenHome<Result>(of namespace: Namespace, _ body: (Home) throws -> Result?) throws -> Result? {
        guard let home = openHomes.borrowIfOpen(namespace.home) else { return nil }
        callers.enter()
        defer {
            callers.leave()
            openHomes.giveBack(home)
        }
        do {
            return try body(home)
        } catch let error as StoreError {
            throw EngineError(error)
        }
    }

    func checkHome(_ namespace: Namespace) throws {
        guard namespace.root != .tenant else {
            throw EngineError(.invalidNamespace, "`\(namespace)` is a tenant; name one of its homes")
        }
    }

    /// - Throws: `EngineError`: `diskFull`, `io`.
    static func makeDirectory(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch let error as NSError {
            let isFull =
                error.domain == NSCocoaErrorDomain && error.code == CocoaError.fileWriteOutOfSpace.rawValue
            let what = "a folder of the store cannot be made: "
            throw isFull
                ? EngineError(.diskFull, what + "the disk is full; free some space and try again")
                : EngineError(.io, what + error.localizedDescription)
        }
    }

    private func openHome(_ namespace: Namespace, creating: Bool) throws -> Home? {
        let file = filePath(of: namespace)
        let isThere = fileSize(file) ?? 0 > 0
        guard isThere || creating else { return nil }
        guard isThere || !options.isReadOnly else {
            throw EngineError(.readOnly, "the store is open for reading only")
        }
        if !isThere {
            if let fault = fault(of: nil) {
                guard case .vectors = namespace.root else { throw fault }
            }
            try Self.makeDirectory(Self.directory(of: file))
        }
        do {
            return try Home.open(
                namespace, at: file, options: environmentOptions(of: namespace), watch: snapshotWatch,
                callers: callers,
                indexes: VectorIndexes(parameters: options.index, leastErased: options.leastErased),
                creating: creating ? header(of: namespace) : nil)
        } catch let error as StoreError where error.code == .missing && !creating {
            return nil
        }
    }

    private func header(of namespace: Namespace) -> HomeHeader {
        var header = HomeHeader(
            namespace: namespace.description, created: options.clock(),
            passageByteCount: UInt32(options.passageByteCount))
        if case .vectors = namespace.root { header.features |= HomeHeader.vectorSets }
        return header
    }

    /// Who is told of reads that take long.
    private var snapshotWatch: SnapshotWatch? {
        guard options.longRead == .warn, let bound = options.longestRead, let warn = options.warn else {
            return nil
        }
        return SnapshotWatch(bound: bound, warn: warn)
    }

    /// How the file of a home is opened.
    func environmentOptions(of home: Namespace) -> Environment.Options {
        var environment = Environment.Options()
        environment.mapSizeBytes = options.quotaBytes
        environment.isReadOnly = options.isReadOnly
        if options.longRead == .end { environment.longestRead = options.longestRead }
        switch options.durability {
        case .commit: environment.durability = .commit
        case .everySecond: environment.durability = .everySecond
        case .none: environment.durability = .none
        }
        environment.writerLock = writerLock(of: home)
        return environment
    }

    func writerLock(of home: Namespace) -> WriterLock {
        WriterLock(
            path: path + "/" + Self.markerName, offset: lockOffset(of: home), home: home.description,
            wait: options.writerWait)
    }

    /// Each home has a byte of the marker file, at an offset made of its path.
    func lockOffset(of home: Namespace) -> Int64 {
        let digest = SHA256.digest(of: Array(home.relativePath.utf8))
        return digest[0..<7].reduce(Int64(0)) { $0 << 8 | Int64($1) } + 4_096
    }

    /// Closes a home if nobody uses it, and keeps it closed until `release`, so that its file can be replaced.
    ///
    /// - Throws: `locked` while somebody does.
    func hold(_ namespace: Namespace) async throws {
        try checkHome(namespace)
        try await openHomes.hold(namespace)
    }

    func release(_ namespace: Namespace) { openHomes.release(namespace) }

    /// The homes of memories of the store, in the order of their paths; none is opened.
    ///
    /// - Complexity: O(files of the store).
    public func homes(under subtree: Namespace? = nil) throws -> [Namespace] {
        try files(under: subtree).filter { if case .vectors = $0.root { false } else { true } }
    }

    /// The same of vector sets.
    package func vectorSetHomes(under subtree: Namespace? = nil) throws -> [Namespace] {
        try files(under: subtree).filter { if case .vectors = $0.root { true } else { false } }
    }

    private func files(under subtree: Namespace?) throws -> [Namespace] {
        guard let paths = FileManager.default.enumerator(atPath: path) else { return [] }
        var homes: [Namespace] = []
        for case let relative as String in paths {
            guard let home = Namespace(relativePath: relative) else { continue }
            if let subtree, !subtree.home.contains(home) { continue }
            homes.append(home)
        }
        return homes.sorted { $0.description < $1.description }
    }

    // MARK: Reading

    /// Runs `body` over a snapshot of a home, off the cooperative pool.
    func read<Result: Sendable>(
        _ home: Home, isBounded: Bool = true,
        _ body: @escaping @Sendable (borrowing ReadTransaction) throws -> Result
    ) async throws -> Result {
        try await readers.run {
            do {
                return try home.environment.read(isBounded: isBounded, body)
            } catch let error as StoreError {
                throw EngineError(error)
            }
        }
    }

    /// The same for the home of a namespace, if it is there.
    func read<Result: Sendable>(
        in namespace: Namespace, _ body: @escaping @Sendable (borrowing ReadTransaction) throws -> Result
    ) async throws -> Result? {
        try await withHome(of: namespace, creating: false) { home in try await read(home, body) }
    }
}

extension EngineError {
    /// The store's error in the engine's words.
    init(_ error: StoreError) {
        let code: Code =
            switch error.code {
            case .full: .full
            case .diskFull: .diskFull
            case .corrupted: .corrupted
            case .foreign: .foreign
            case .locked: .locked
            case .readOnly: .readOnly
            case .missing: .notFound
            case .invalid: .invalid
            case .snapshotTooOld: .deadline
            case .tooManyReaders, .io: .io
            }
        self.init(code, error.message)
    }
}
