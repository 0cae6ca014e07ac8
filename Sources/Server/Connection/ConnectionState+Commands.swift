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

    // MARK: CLIENT subcommand

    mutating func client(_ arguments: inout Arguments) throws(CommandError) -> Reply {
        let subcommand = try arguments.text("the subcommand").uppercased()
        switch subcommand {
        case "ID": return .integer(id)
        case "GETNAME": return name.isEmpty ? .null : .text(name)
        case "SETNAME":
            name = try Self.checkedName(&arguments)
            return .ok
        case "SETINFO":
            let attribute = try arguments.text("the attribute").uppercased()
            let value = try Self.checkedName(&arguments)
            switch attribute {
            case "LIB-NAME": library.name = value
            case "LIB-VER": library.version = value
            default: throw CommandError("ERR Unrecognized option '\(attribute.prefix(40))'")
            }
            return .ok
        case "INFO": return .verbatim(line + "\n")
        case "LIST": return .verbatim(try isListed(&arguments) ? line + "\n" : "")
        case "NO-EVICT", "NO-TOUCH":
            // Nothing is evicted here, and nothing notes who touched what.
            let value = try arguments.text("on or off").uppercased()
            guard ["ON", "OFF"].contains(value), arguments.isEmpty else {
                throw CommandError("ERR syntax error")
            }
            return .ok
        case "HELP":
            return .array(
                [
                    "CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
                    "GETNAME, SETNAME <name>, ID, INFO, LIST [TYPE <type> | ID <id> ...],",
                    "SETINFO LIB-NAME|LIB-VER <text>, NO-EVICT ON|OFF, NO-TOUCH ON|OFF, HELP.",
                ].map(Reply.simple))
        default:
            throw CommandError("ERR unknown subcommand '\(subcommand.prefix(40))'. Try CLIENT HELP.")
        }
    }

    /// Whether this connection, the only one that it tells of, is among those that `CLIENT LIST` asks for.
    private func isListed(_ arguments: inout Arguments) throws(CommandError) -> Bool {
        guard let option = try arguments.option() else { return true }
        switch option {
        case "TYPE":
            let type = try arguments.text("the type").lowercased()
            guard ["normal", "master", "replica", "slave", "pubsub"].contains(type) else {
                throw CommandError("ERR Unknown client type '\(type.prefix(40))'")
            }
            guard arguments.isEmpty else { throw CommandError("ERR syntax error") }
            return type == "normal"
        case "ID":
            var isNamed = false
            repeat {
                guard let number = Int(try arguments.text("the id")), number > 0 else {
                    throw CommandError("ERR Invalid client ID")
                }
                if number == id { isNamed = true }
            } while !arguments.isEmpty
            return isNamed
        default: throw CommandError("ERR syntax error")
        }
    }

    /// The connection in a line of fields.
    private var line: String {
        "id=\(id) name=\(name) db=0 resp=\(version.rawValue) user=\(user?.name ?? "default") lib-name=\(library.name) lib-ver=\(library.version)"
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
