import MemoryEngine

extension ConnectionState {
    /// Why the user may not have a command on vector sets in a transaction, if so: it is told before EXEC, as Redis does.
    func refusalOfSets(_ command: CommandTable.Entry) -> Reply? {
        guard command.isOfSets else { return nil }
        do throws(CommandError) {
            try user.check(command.right, in: Namespace.vectorSets(tenant: user?.tenant))
            return nil
        } catch {
            return error.reply
        }
    }

    // MARK: COMMAND [COUNT|LIST|INFO name...|DOCS name...]

    static func commands(_ arguments: inout Arguments) throws(CommandError) -> Reply {
        func details(_ entry: CommandTable.Entry) -> Reply {
            let flags = entry.isOfEngine ? [Reply.simple(entry.isWrite ? "write" : "readonly")] : []
            return .array([
                .text(entry.name.lowercased()), .integer(entry.redisArity), .array(flags),
                .integer(entry.isOfEngine ? 1 : 0), .integer(entry.isOfEngine ? 1 : 0),
                .integer(entry.isOfEngine ? 1 : 0),
                // Categories, tips, where keys stand in other ways, and subcommands.
                .array(CommandTable.categories.filter { $0.holds(entry) }.map { .simple("@\($0.name)") }),
                .array([]), .array([]), .array([]),
            ])
        }
        guard let subcommand = try arguments.option() else {
            return .array(CommandTable.entries.map(details))
        }
        var named: [CommandTable.Entry?] = []
        while let name = arguments.next() { named.append(CommandTable.find(name)) }
        switch subcommand {
        case "COUNT": return .integer(CommandTable.entries.count)
        case "LIST": return .array(CommandTable.entries.map { .text($0.name.lowercased()) })
        case "INFO":
            return .array(
                named.isEmpty ? CommandTable.entries.map(details) : named.map { $0.map(details) ?? .null })
        case "DOCS":
            let entries = named.isEmpty ? CommandTable.entries : named.compactMap { $0 }
            return .members(
                entries.map { entry in
                    (entry.name.lowercased(), .members([("summary", .text(entry.summary))]))
                })
        default: throw CommandError("ERR unknown subcommand '\(subcommand.prefix(40))'. Try COMMAND HELP.")
        }
    }

    // MARK: ACL WHOAMI|CAT [category]

    static func access(_ arguments: inout Arguments, _ user: User?) throws(CommandError) -> Reply {
        let subcommand = try arguments.text("the subcommand").uppercased()
        switch subcommand {
        case "WHOAMI": return .text(user?.name ?? "default")
        case "CAT":
            guard let category = try arguments.option()?.lowercased() else {
                return .array(CommandTable.categories.map { .text($0.name) })
            }
            guard let found = CommandTable.categories.first(where: { $0.name == category }) else {
                throw CommandError("ERR Unknown category '\(category.prefix(40))'")
            }
            return .array(CommandTable.entries.filter(found.holds).map { .text($0.told) })
        default:
            throw CommandError(
                "ERR unknown subcommand '\(subcommand.prefix(40))': users are made with `loci user`, and ACL knows "
                    + "WHOAMI and CAT")
        }
    }
}
