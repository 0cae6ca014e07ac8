/// The commands that a connection may send.
struct CommandTable {
    /// What there is to know of a command before it runs.
    struct Entry: Sendable {
        /// In capitals, as it is documented.
        let name: String
        /// The fewest and most arguments, its name counted; `nil` = as many as the limits allow.
        let arity: (least: Int, most: Int?)
        /// Who is not logged in may send it.
        let isForStrangers: Bool
        /// It reads or writes memories, and so takes its time; the others are answered at once.
        let isOfEngine: Bool
        /// It may stand between `MULTI` and `EXEC`.
        let isForTransactions: Bool
        let summary: String

        init(
            _ name: String, _ least: Int, _ most: Int?, isForStrangers: Bool = false,
            isOfEngine: Bool = false, isForTransactions: Bool = false,
            _ summary: String
        ) {
            self.name = name
            arity = (least, most)
            self.isForStrangers = isForStrangers
            self.isOfEngine = isOfEngine
            self.isForTransactions = isForTransactions
            self.summary = summary
        }

        /// As Redis tells it: the number of arguments, or below 0 the fewest of them.
        var redisArity: Int { arity.most == arity.least ? arity.least : -arity.least }

        /// Whether it takes so many arguments, its name counted.
        func takes(_ count: Int) -> Bool { count >= arity.least && count <= arity.most ?? count }

        /// A command of vector sets. Redis has these in capitals in its messages, and counts their arguments only when they
        /// run.
        var isOfVectors: Bool { name.first == "V" }

        var isOfMemories: Bool { name.hasPrefix("MEM.") }

        /// A command on vector sets, or on their names.
        var isOfSets: Bool { isOfEngine && !isOfMemories }

        /// What a user must be allowed in the home of vector sets, for a command of these.
        var right: Right { ["FLUSHDB", "FLUSHALL"].contains(name) ? .admin : isWrite ? .write : .read }

        /// Whether it may change what is stored.
        var isWrite: Bool { CommandTable.writes.contains(name) }

        /// A command on vector sets, or on their names.
        static func ofSets(_ name: String, _ least: Int, _ most: Int?, _ summary: String) -> Entry {
            Entry(name, least, most, isOfEngine: true, isForTransactions: true, summary)
        }

        /// The name in messages.
        var told: String { isOfVectors ? name : name.lowercased() }
    }

    static let entries: [Entry] = [
        Entry("AUTH", 2, 3, isForStrangers: true, "Logs in."),
        Entry(
            "HELLO", 1, nil, isForStrangers: true, "Chooses the version of the protocol, logs in, and greets."
        ),
        Entry("QUIT", 1, nil, isForStrangers: true, "Ends the connection."),
        Entry("RESET", 1, 1, isForStrangers: true, "Makes the connection as it was at first."),
        Entry("PING", 1, 2, isForTransactions: true, "Answers PONG, or what it is given."),
        Entry("ECHO", 2, 2, isForTransactions: true, "Answers what it is given."),
        Entry("SELECT", 2, 2, isForTransactions: true, "Chooses database 0, the only one."),
        Entry("CLIENT", 2, nil, isForTransactions: true, "Names the connection, and tells of it."),
        Entry("COMMAND", 1, nil, isForTransactions: true, "Tells of the commands."),
        Entry("CONFIG", 2, nil, isForTransactions: true, "Reads and changes settings."),
        Entry("INFO", 1, nil, isForTransactions: true, "Tells of the server."),
        Entry(
            "ACL", 2, 3, isForTransactions: true, "Tells who is logged in, and the categories of commands."),
        Entry("MEM.REMEMBER", 3, nil, isOfEngine: true, isForTransactions: true, "Remembers a text."),
        Entry(
            "MEM.RECALL", 3, nil, isOfEngine: true, isForTransactions: true,
            "Finds the memories that answer a question."),
        Entry(
            "MEM.CONTEXT", 4, nil, isOfEngine: true, isForTransactions: true,
            "Packs what answers a question into a budget of tokens."),
        Entry("MEM.GET", 3, nil, isOfEngine: true, isForTransactions: true, "Reads a memory."),
        Entry("MEM.LIST", 2, nil, isOfEngine: true, isForTransactions: true, "Lists memories, page by page."),
        Entry(
            "MEM.UPDATE", 3, nil, isOfEngine: true, isForTransactions: true,
            "Changes a memory, as its next version."),
        Entry(
            "MEM.SUPERSEDE", 4, nil, isOfEngine: true, isForTransactions: true,
            "Says that another memory took the place of one."),
        Entry(
            "MEM.RETRACT", 3, nil, isOfEngine: true, isForTransactions: true,
            "Says that a memory is not true any more, or never was."),
        Entry("MEM.PROMOTE", 4, 4, isOfEngine: true, "Brings a memory to another namespace."),
        Entry("MEM.FORGET", 3, nil, isOfEngine: true, "Erases memories."),
        Entry("MEM.RECORD", 4, 4, isOfEngine: true, "Says what came of a recall."),
        Entry(
            "MEM.LINK", 5, nil, isOfEngine: true, isForTransactions: true, "Joins two memories by an edge."),
        Entry("MEM.UNLINK", 3, 3, isOfEngine: true, isForTransactions: true, "Takes an edge back."),
        Entry(
            "MEM.NEIGHBORS", 3, nil, isOfEngine: true, isForTransactions: true,
            "Shows what edges join to a memory."),
        Entry(
            "MEM.PATH", 4, nil, isOfEngine: true, isForTransactions: true,
            "Shows how two memories hang together."),
        Entry(
            "MEM.WHY", 3, nil, isOfEngine: true, isForTransactions: true,
            "Shows what led to a memory, link by link."),
        Entry("MEM.CHANGES", 2, nil, isOfEngine: true, "Tells what changed in a home."),
        Entry("MEM.NAMESPACES", 1, 2, isOfEngine: true, "Lists namespaces."),
        Entry("MEM.STATS", 2, 2, isOfEngine: true, isForTransactions: true, "Tells of a home."),
        Entry("MULTI", 1, 1, "Begins a transaction."),
        Entry("EXEC", 1, 1, "Runs what came since MULTI as one transaction."),
        Entry("DISCARD", 1, 1, "Forgets what came since MULTI."),
        .ofSets("VADD", 5, nil, "Adds an element to a vector set, or changes its vector."),
        .ofSets("VSIM", 4, nil, "Finds the elements that are most alike."),
        .ofSets("VREM", 3, 3, "Removes an element."),
        .ofSets("VCARD", 2, 2, "Counts the elements of a vector set."),
        .ofSets("VDIM", 2, 2, "Tells the dimension of a vector set."),
        .ofSets("VEMB", 3, nil, "Reads the vector of an element."),
        .ofSets("VLINKS", 3, 4, "Shows the neighbors of an element in the graph."),
        .ofSets("VINFO", 2, 2, "Tells of a vector set."),
        .ofSets("VSETATTR", 4, 4, "Sets the attribute of an element."),
        .ofSets("VGETATTR", 3, 3, "Reads the attribute of an element."),
        .ofSets("VISMEMBER", 3, 3, "Tells whether an element is in a vector set."),
        .ofSets("VRANDMEMBER", 2, 3, "Reads elements by chance."),
        .ofSets("VRANGE", 4, 5, "Reads elements in the order of their bytes."),
        .ofSets("DBSIZE", 1, 1, "Counts vector sets."),
        .ofSets("EXISTS", 2, nil, "Counts which of some vector sets are there."),
        .ofSets("DEL", 2, nil, "Deletes vector sets."),
        .ofSets("UNLINK", 2, nil, "Deletes vector sets."),
        .ofSets("TYPE", 2, 2, "Tells what a name is of."),
        .ofSets("KEYS", 2, 2, "Lists the names of vector sets that match a pattern."),
        .ofSets("SCAN", 2, nil, "Lists the names of vector sets, page by page."),
        .ofSets("FLUSHDB", 1, 2, "Deletes all vector sets."),
        .ofSets("FLUSHALL", 1, 2, "Deletes all vector sets."),
        .ofSets("MEMORY", 2, nil, "Tells how many bytes a vector set has."),
        .ofSets("DEBUG", 2, nil, "Tells a digest of vector sets, or opens them anew."),
    ]

    /// The commands of memories that change nothing and have a short reply.
    static let reads: Set<String> = [
        "MEM.RECALL", "MEM.CONTEXT", "MEM.GET", "MEM.NEIGHBORS", "MEM.PATH", "MEM.WHY",
    ]

    /// The commands that may change what is stored.
    static let writes: Set<String> = [
        "MEM.REMEMBER", "MEM.UPDATE", "MEM.SUPERSEDE", "MEM.RETRACT", "MEM.PROMOTE", "MEM.FORGET",
        "MEM.RECORD",
        "MEM.LINK", "MEM.UNLINK", "VADD", "VREM", "VSETATTR", "DEL", "UNLINK", "FLUSHDB", "FLUSHALL",
    ]

    /// The categories of `ACL CAT`.
    static let categories: [(name: String, holds: @Sendable (Entry) -> Bool)] = [
        ("read", { $0.isOfEngine && !$0.isWrite }),
        ("write", { $0.isWrite }),
        ("vectorset", { $0.isOfVectors }),
        ("memory", { $0.isOfMemories }),
        ("keyspace", { $0.isOfEngine && !$0.isOfVectors && !$0.isOfMemories }),
        ("transaction", { ["MULTI", "EXEC", "DISCARD"].contains($0.name) }),
        (
            "connection",
            { ["AUTH", "HELLO", "QUIT", "RESET", "PING", "ECHO", "SELECT", "CLIENT"].contains($0.name) }
        ),
    ]

    private static let byName = Dictionary(uniqueKeysWithValues: entries.map { (Array($0.name.utf8), $0) })

    /// Finds a command by its name, in letters of any case.
    static func find(_ name: [UInt8]) -> Entry? {
        guard name.count <= 64 else { return nil }
        return byName[name.map { (0x61...0x7a).contains($0) ? $0 - 0x20 : $0 }]
    }
}
