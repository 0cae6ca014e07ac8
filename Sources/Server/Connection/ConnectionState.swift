import MemoryEngine

/// What a connection has been told and has said, without a socket: bytes go in, steps come out.
///
/// Commands are answered in the order in which they come. One that needs the engine is handed out as a `Call`; until its
/// reply is there, whoever drives the state asks for no further step.
struct ConnectionState {
    /// What the driver does next.
    enum Step: Equatable {
        /// There is no whole command: waits for bytes.
        case wait
        case reply(Reply)
        /// Runs a command, and sends its reply.
        case run(Call)
        /// Verifies a password, and tells the state whose it is (`verified`).
        case verify(name: String, password: [UInt8])
        /// Sends a reply, if there is one, and ends the connection.
        case close(Reply?)
    }

    /// A command for the engine.
    struct Call: Equatable, Sendable {
        let name: String
        /// The command as it was sent, its name first.
        let words: [[UInt8]]
        /// Who sent it; `nil` = whoever is on this machine, where there are no users.
        let user: User?
        /// Whether it changes nothing and has a short reply, and so may keep others on the thread waiting.
        var isRead: Bool {
            CommandTable.reads.contains(name) && !words.contains { $0.equals("RECEIPT") }
        }
        /// What came between `MULTI` and `EXEC`.
        var batch: [BatchItem]?

        /// Whether it, or some of its batch, is about memories; else it is about vector sets.
        var isOfMemories: Bool {
            if name.hasPrefix("MEM.") { return true }
            return batch?.contains { if case .call(let call) = $0 { call.isOfMemories } else { false } }
                ?? false
        }
    }

    /// A command of a transaction.
    enum BatchItem: Equatable, Sendable {
        case call(Call)
        /// What needs no engine the connection answers when all else is done (`ran`); until then its reply is null.
        case own
    }

    /// What came since `MULTI`.
    private struct Queue {
        var commands: [(CommandTable.Entry, [[UInt8]])] = []
        var byteCount = 0
        /// Something was refused: nothing will run.
        var isSpoiled = false
        /// A memory is written.
        var hasWrite = false
        /// The name of the last command that reads memories behind such a write.
        var readBehindWrite: String?
    }

    /// What a transaction may hold.
    static let maximumQueuedCommands = 100_000
    static let maximumQueuedByteCount = 128 << 20

    /// What is told of the server; the same for all its connections.
    struct Facts: Sendable {
        var port = 0
        var limits = WireLimits()
        /// Whether a connection must log in.
        var hasUsers = false
        var maximumConnections = 10_000
        var connectionCount: @Sendable () -> Int = { 1 }
        /// What has been counted, by the names of Redis.
        var statistics: @Sendable () -> [(String, String)] = { [] }
        var seconds: @Sendable () -> Int = { 0 }
        var settings = Settings()
    }

    /// What clients may set, for all connections.
    final class Settings: Sendable {
        private let state = Mutex(false)

        var isSingleThreaded: Bool {
            get { state.withLock { $0 } }
            set { state.withLock { $0 = newValue } }
        }
    }

    /// Names the connection, counting from 1.
    let id: Int
    let facts: Facts
    private(set) var version = ProtocolVersion.two
    var name = ""
    var library = (name: "", version: "")
    private(set) var user: User?
    /// The name of the command that was taken last; `nil` = there is no such command.
    private(set) var command: String?
    private var decoder: CommandDecoder
    private var isOver = false
    /// The greeting that a login is part of.
    private var greeting: Greeting?
    private var failedLogins = 0
    private var queue: Queue?
    /// Of the transaction that is with the engine, what the connection answers, and where.
    private var owned: [(place: Int, command: CommandTable.Entry, words: [[UInt8]])] = []

    private struct Greeting {
        var version: ProtocolVersion
        var name: String?
    }

    /// A connection with so many wrong passwords is closed.
    static let maximumFailedLogins = 10

    init(id: Int, facts: Facts) {
        self.id = id
        self.facts = facts
        decoder = CommandDecoder(limits: facts.limits)
        decoder.isKnown = !facts.hasUsers
    }

    private var isStranger: Bool { facts.hasUsers && user == nil }

    /// Whether a command has begun, and is not whole.
    var isInsideCommand: Bool { !isOver && decoder.isInsideCommand }

    /// Takes bytes of the client. Behind the end of the connection they are passed over.
    mutating func receive(_ bytes: some Collection<UInt8>) {
        if !isOver { decoder.append(bytes) }
    }

    /// The next step.
    mutating func next() -> Step {
        if isOver { return .wait }
        command = nil
        let words: [[UInt8]]
        do throws(ProtocolError) {
            guard let next = try decoder.next() else { return .wait }
            words = next
        } catch {
            return end(.error("ERR Protocol error: \(error.message)"))
        }
        guard let command = CommandTable.find(words[0]) else {
            // The first lines of HTTP: a page in a browser may send commands behind them, and must not.
            let isHTTP = ["POST", "HOST:"].contains { words[0].equals($0) }
            return isHTTP
                ? end(.error("ERR this is no server of HTTP; the connection is closed"))
                : refuse(Self.unknown(words))
        }
        self.command = command.name
        guard command.takes(words.count) || queue != nil && command.isOfVectors else {
            return refuse(Self.wrongCount(command))
        }
        if isStranger, !command.isForStrangers { return refuse(Self.notLoggedIn) }
        if let step = transaction(command, words) { return step }
        if command.isOfEngine { return .run(Call(name: command.name, words: words, user: user)) }
        if command.name == "QUIT" { return end(.ok) }
        do throws(CommandError) {
            if command.name == "AUTH" { return try login(words) }
            if command.name == "HELLO" { return try hello(words) }
            return .reply(try answer(command.name, words))
        } catch {
            return .reply(error.reply)
        }
    }

    /// A command that is refused before it runs spoils the transaction that it is to be part of.
    private mutating func refuse(_ reply: Reply) -> Step {
        queue?.isSpoiled = true
        return .reply(reply)
    }

    /// The step of a command that begins or ends a transaction, or waits in one; `nil` = of any other.
    private mutating func transaction(_ command: CommandTable.Entry, _ words: [[UInt8]]) -> Step? {
        switch command.name {
        case "MULTI":
            guard queue == nil else { return .reply(.error("ERR MULTI calls can not be nested")) }
            queue = Queue()
            return .reply(.ok)
        case "DISCARD":
            guard queue != nil else { return .reply(.error("ERR DISCARD without MULTI")) }
            queue = nil
            return .reply(.ok)
        case "EXEC":
            guard let queue else { return .reply(.error("ERR EXEC without MULTI")) }
            self.queue = nil
            return queue.isSpoiled
                ? .reply(.error("EXECABORT Transaction discarded because of previous errors."))
                : execute(queue)
        case "QUIT", "RESET": return nil
        default: return queue == nil ? nil : enqueue(command, words)
        }
    }

    private mutating func enqueue(_ command: CommandTable.Entry, _ words: [[UInt8]]) -> Step {
        guard command.isForTransactions else {
            return refuse(.error("ERR \(command.name) cannot be part of a transaction"))
        }
        let byteCount = (queue?.byteCount ?? 0) + words.reduce(0) { $0 + $1.count }
        guard byteCount <= Self.maximumQueuedByteCount,
            queue?.commands.count ?? 0 < Self.maximumQueuedCommands
        else {
            return refuse(
                .error(
                    "ERR a transaction has at most \(Self.maximumQueuedCommands) commands and "
                        + "\(Self.maximumQueuedByteCount) bytes"))
        }
        if command.isOfMemories, let reply = enqueueOfMemories(command, words) { return refuse(reply) }
        if let reply = refusalOfSets(command) { return refuse(reply) }
        queue?.byteCount = byteCount
        queue?.commands.append((command, words))
        return .reply(.simple("QUEUED"))
    }

    /// Why a command on memories cannot be part of the transaction, if it cannot: what is wrong with it is told now.
    private mutating func enqueueOfMemories(_ command: CommandTable.Entry, _ words: [[UInt8]]) -> Reply? {
        let call = Call(name: command.name, words: words, user: user)
        do {
            if try MemoryCommands.write(call) != nil {
                if let name = queue?.readBehindWrite {
                    throw CommandError(
                        "ERR \(name) stands between writes: in a transaction, what reads memories comes before all that "
                            + "writes them, or behind")
                }
                queue?.hasWrite = true
            } else {
                _ = try MemoryCommands.homeOfRead(call)
                if queue?.hasWrite ?? false { queue?.readBehindWrite = command.name }
            }
            return nil
        } catch {
            return CommandError(any: error).reply
        }
    }

    private mutating func execute(_ queue: Queue) -> Step {
        owned = queue.commands.enumerated().compactMap { place, queued in
            queued.0.isOfEngine ? nil : (place, queued.0, queued.1)
        }
        let batch = queue.commands.map { command, words -> BatchItem in
            command.isOfEngine ? .call(Call(name: command.name, words: words, user: user)) : .own
        }
        return .run(Call(name: "EXEC", words: [], user: user, batch: batch))
    }

    /// Takes the reply of a step that runs, and gives what is sent. What the connection answers of a transaction takes
    /// effect here, where the transaction is done.
    mutating func ran(_ reply: Reply) -> Reply {
        guard !owned.isEmpty else { return reply }
        defer { owned = [] }
        guard case .array(var replies) = reply else { return reply }
        for (place, command, words) in owned where place < replies.count {
            do throws(CommandError) {
                replies[place] = try answer(command.name, words)
            } catch {
                replies[place] = error.reply
            }
        }
        return .array(replies)
    }

    private mutating func end(_ reply: Reply) -> Step {
        isOver = true
        return .close(reply)
    }

    // MARK: Answers

    private mutating func answer(_ command: String, _ words: [[UInt8]]) throws(CommandError) -> Reply {
        var arguments = Arguments(words, of: command)
        switch command {
        case "PING":
            guard let message = arguments.next() else { return .simple("PONG") }
            return .bulk(message)
        case "ECHO": return .bulk(try arguments.bytes("the message"))
        case "SELECT":
            let database = try arguments.text("the number")
            guard let number = Int(database) else { throw CommandError("ERR invalid DB index") }
            guard number == 0 else { throw CommandError("ERR DB index is out of range") }
            return .ok
        case "RESET":
            version = .two
            name = ""
            user = nil
            queue = nil
            decoder.isKnown = !facts.hasUsers
            return .simple("RESET")
        case "CLIENT": return try client(&arguments)
        case "COMMAND": return try Self.commands(&arguments)
        case "ACL": return try Self.access(&arguments, user)
        case "CONFIG": return try config(&arguments)
        case "INFO": return try information(&arguments)
        default: throw CommandError("ERR \(command) is not answered here")
        }
    }

    private static let noCredentials = CommandError(
        "ERR AUTH <password> called without any password configured for the default user. Are you sure your "
            + "configuration is correct?")

    private static let notLoggedIn = Reply.error("NOAUTH Authentication required.")

    private func login(_ words: [[UInt8]]) throws(CommandError) -> Step {
        guard facts.hasUsers else { throw Self.noCredentials }
        let name = words.count == 3 ? String(decoding: words[1], as: UTF8.self) : "default"
        return .verify(name: name, password: words[words.count - 1])
    }

    /// Takes the outcome of a step that verifies.
    mutating func verified(_ login: Users.Login) -> Step {
        let greeting = greeting
        self.greeting = nil
        guard case .user(let user) = login else {
            failedLogins += 1
            var refusal = Reply.error("WRONGPASS invalid username-password pair or user is disabled.")
            if case .tooSoon(let wait) = login {
                refusal = .error(
                    "WRONGPASS too many passwords were wrong; try again in \(wait.components.seconds + 1) s")
            }
            return failedLogins < Self.maximumFailedLogins ? .reply(refusal) : end(refusal)
        }
        self.user = user
        failedLogins = 0
        decoder.isKnown = true
        return .reply(greeting.map { greet($0) } ?? .ok)
    }

    private mutating func hello(_ words: [[UInt8]]) throws(CommandError) -> Step {
        var arguments = Arguments(words, of: "HELLO")
        var greeting = Greeting(version: version)
        if let number = arguments.next() {
            guard let value = Int(String(decoding: number, as: UTF8.self)) else {
                throw CommandError("ERR Protocol version is not an integer or out of range")
            }
            guard let known = ProtocolVersion(rawValue: value) else {
                throw CommandError("NOPROTO unsupported protocol version")
            }
            greeting.version = known
        }
        var credentials: (name: String, password: [UInt8])?
        while let option = try arguments.option() {
            switch (option, arguments.count) {
            case ("AUTH", 2...):
                credentials = (try arguments.text("the name"), try arguments.bytes("the password"))
            case ("SETNAME", 1...): greeting.name = try Self.checkedName(&arguments)
            default:
                throw CommandError("ERR Syntax error in HELLO option '\(option.lowercased().prefix(40))'")
            }
        }
        if let credentials {
            guard facts.hasUsers else { throw Self.noCredentials }
            self.greeting = greeting
            return .verify(name: credentials.name, password: credentials.password)
        }
        guard !isStranger else {
            throw CommandError(
                "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH "
                    + "<user> <pass> option can be used to authenticate the client and select the RESP protocol version "
                    + "at the same time")
        }
        return .reply(greet(greeting))
    }

    private mutating func greet(_ greeting: Greeting) -> Reply {
        version = greeting.version
        if let name = greeting.name { self.name = name }
        return .members([
            ("server", .text("loci")), ("version", .text(Self.redisVersion)),
            ("proto", .integer(version.rawValue)),
            ("id", .integer(id)), ("mode", .text("standalone")), ("role", .text("master")),
            ("modules", .array([])),
        ])
    }

    /// The version of Redis whose commands it has: libraries go by it.
    private static let redisVersion = "8.4.0"

    /// A name without spaces, line breaks and other signs that would break a line that tells of connections.
    static func checkedName(_ arguments: inout Arguments) throws(CommandError) -> String {
        let bytes = try arguments.bytes("the name")
        guard bytes.count <= 256, bytes.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw CommandError(
                "ERR Client names cannot contain spaces, newlines or special characters.")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func config(_ arguments: inout Arguments) throws(CommandError) -> Reply {
        let subcommand = try arguments.text("the subcommand").uppercased()
        switch subcommand {
        case "GET":
            // What tools ask for before they measure: every write is on disk before its reply.
            let settings = [
                ("save", ""), ("appendonly", "yes"), ("databases", "1"),
                (Self.singleThread, facts.settings.isSingleThreaded ? "yes" : "no"),
            ]
            var patterns: [[UInt8]] = []
            while let name = try arguments.option() { patterns.append(Array(name.lowercased().utf8)) }
            return .members(
                settings.filter { name, _ in
                    patterns.contains { GlobPattern.matches($0, Array(name.utf8)) }
                }.map { ($0.0, .text($0.1)) })
        case "SET":
            guard !arguments.isEmpty else {
                throw CommandError("ERR wrong number of arguments for 'config|set' command")
            }
            while let name = try arguments.option() {
                guard name.lowercased() == Self.singleThread, !arguments.isEmpty else {
                    throw CommandError(
                        "ERR Unknown option or number of arguments for CONFIG SET - '\(name.lowercased().prefix(100))'"
                    )
                }
                let value = try arguments.text("the value").lowercased()
                guard value == "yes" || value == "no" else {
                    throw CommandError(
                        "ERR CONFIG SET failed (possibly related to argument '\(Self.singleThread)') - argument must be "
                            + "'yes' or 'no'")
                }
                facts.settings.isSingleThreaded = value == "yes"
            }
            return .ok
        default: throw CommandError("ERR unknown subcommand '\(subcommand.prefix(40))'. Try CONFIG HELP.")
        }
    }

    /// What is set is told again, and changes nothing: commands of one connection run one after another anyway.
    private static let singleThread = "vset-force-single-threaded-execution"

    private func information(_ arguments: inout Arguments) throws(CommandError) -> Reply {
        var asked = Set<String>()
        while let section = try arguments.option() { asked.insert(section.lowercased()) }
        let isAll = asked.isEmpty || !asked.isDisjoint(with: ["all", "default", "everything"])
        let sections: [(String, [(String, String)])] = [
            (
                "Server",
                [
                    ("redis_version", Self.redisVersion), ("loci_version", Loci.version),
                    ("redis_mode", "standalone"), ("arch_bits", "64"), ("tcp_port", "\(facts.port)"),
                    ("uptime_in_seconds", "\(facts.seconds())"),
                ]
            ),
            (
                "Clients",
                [
                    ("connected_clients", "\(facts.connectionCount())"),
                    ("maxclients", "\(facts.maximumConnections)"),
                ]
            ),
            ("Stats", facts.statistics()),
            ("Replication", [("role", "master"), ("connected_slaves", "0")]),
            ("Cluster", [("cluster_enabled", "0")]),
        ]
        let told = sections.filter { isAll || asked.contains($0.0.lowercased()) }
        return .verbatim(
            told.map { name, fields in
                "# \(name)\r\n" + fields.map { "\($0.0):\($0.1)\r\n" }.joined()
            }.joined(separator: "\r\n"))
    }

    // MARK: What is refused

    private static func unknown(_ words: [[UInt8]]) -> Reply {
        func shown(_ bytes: [UInt8]) -> String { String(decoding: bytes.prefix(128), as: UTF8.self) }
        let arguments = words.dropFirst().prefix(20).map { "'\(shown($0))' " }.joined()
        return .error("ERR unknown command '\(shown(words[0]))', with args beginning with: \(arguments)")
    }

    private static func wrongCount(_ command: CommandTable.Entry) -> Reply {
        .error("ERR wrong number of arguments for '\(command.told)' command")
    }
}
