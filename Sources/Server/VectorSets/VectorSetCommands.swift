import MemoryEngine

/// Runs the commands of vector sets, those on their names, and transactions of them, on an engine.
///
/// The sets of a user lie in the home of the tenant that all of the user's grants are of, and else in that of no tenant.
struct VectorSetCommands: Sendable {
    let engine: Engine

    /// What a command asks of the engine, and what it makes of the answers.
    struct Plan: Sendable {
        typealias Answers = [Result<VectorSetAnswer, VectorSetError>]

        var right = Right.read
        let commands: [VectorSetCommand]
        let reply: @Sendable (Answers) -> Reply

        init(_ commands: [VectorSetCommand], _ reply: @escaping @Sendable (Answers) -> Reply) {
            self.commands = commands
            self.reply = reply
            if commands.contains(where: { !$0.isRead }) { right = .write }
        }

        /// One command, whose answer is told if it is not refused.
        init(_ command: VectorSetCommand, _ reply: @escaping @Sendable (VectorSetAnswer) -> Reply) {
            self.init([command]) { answers in
                switch answers[0] {
                case .success(let answer): reply(answer)
                case .failure(let error): .error(error.text)
                }
            }
        }

        /// A reply that needs no engine.
        init(_ reply: Reply) { self.init([]) { _ in reply } }
    }

    /// The reply of a command, or of those between `MULTI` and `EXEC`, which are one transaction.
    func run(_ call: ConnectionState.Call) async -> Reply {
        do {
            let home = Namespace.vectorSets(tenant: call.user?.tenant)
            if call.name == "DEBUG", Self.isReload(call.words) { return try await reload(home, call.user) }
            guard let batch = call.batch else {
                return try await run([try plan(call)], in: home, by: call.user)[0]
            }
            let plans = batch.map { item -> Plan in
                switch item {
                case .own: return Plan(.null)
                case .call(let call):
                    do throws(CommandError) { return try plan(call) } catch { return Plan(error.reply) }
                }
            }
            return .array(try await run(plans, in: home, by: call.user))
        } catch {
            return CommandError(any: error).reply
        }
    }

    /// The commands of which some take so little time that they may keep others on the thread waiting.
    static let short: Set<String> = ["VSIM", "VCARD", "VDIM", "VEMB", "VINFO", "VGETATTR", "VISMEMBER"]

    /// The reply of such a command; `nil` where it may take longer.
    func answerNow(_ call: ConnectionState.Call) -> Reply? {
        let home = Namespace.vectorSets(tenant: call.user?.tenant)
        do {
            let plan = try plan(call)
            try call.user.check(.read, in: home)
            return try engine.answerNow(plan.commands[0], in: home).map { plan.reply([$0]) }
        } catch {
            return CommandError(any: error).reply
        }
    }

    private func run(_ plans: [Plan], in home: Namespace, by user: User?) async throws -> [Reply] {
        let allowed = plans.map { plan -> Plan in
            do throws(CommandError) {
                if !plan.commands.isEmpty { try user.check(plan.right, in: home) }
                return plan
            } catch {
                // One that may not run keeps no other from it.
                return Plan(error.reply)
            }
        }
        let commands = allowed.flatMap(\.commands)
        let answers = commands.isEmpty ? [] : try await engine.run(commands, in: home)
        var place = 0
        return allowed.map { plan in
            defer { place += plan.commands.count }
            return plan.reply(Array(answers[place..<place + plan.commands.count]))
        }
    }

    private static func isReload(_ words: [[UInt8]]) -> Bool {
        words.count >= 2 && String(decoding: words[1], as: UTF8.self).uppercased() == "RELOAD"
    }

    /// Closes the file and opens it again, unless somebody else works with it.
    private func reload(_ home: Namespace, _ user: User?) async throws -> Reply {
        try user.check(.admin, in: home)
        try await engine.reopen(home)
        return .ok
    }

    // MARK: Plans

    private func plan(_ call: ConnectionState.Call) throws(CommandError) -> Plan {
        let words = call.words
        guard CommandTable.find(words[0])?.takes(words.count) ?? false else {
            throw CommandError("ERR wrong number of arguments for '\(call.name)' command")
        }
        let key = words.count > 1 ? words[1] : []
        let element = words.count > 2 ? words[2] : []
        switch call.name {
        case "VADD": return Plan(.add(try Self.addition(words))) { $0.flag }
        case "VSIM": return Self.similar(words)
        case "VREM": return Plan(.remove(set: key, element: element)) { $0.flag }
        case "VCARD": return Plan(.describe(set: key)) { .integer($0.description?.count ?? 0) }
        case "VDIM":
            return Plan(.describe(set: key)) { answer in
                answer.description.map { .integer($0.dimension) } ?? .error("ERR key does not exist")
            }
        case "VEMB": return try Self.embedding(words)
        case "VLINKS": return try Self.links(words)
        case "VINFO":
            return Plan(.describe(set: key)) { $0.description.map(Self.information) ?? .nullArray }
        case "VSETATTR":
            return Plan(.setAttribute(set: key, element: element, words[3])) { $0.flag }
        case "VGETATTR": return Plan(.attribute(set: key, element: element)) { $0.bytesOrNull }
        case "VISMEMBER": return Plan(.contains(set: key, element: element)) { $0.flag }
        case "VRANDMEMBER": return try Self.sample(words)
        case "VRANGE": return try Self.range(words)
        default: return try Self.keyspace(call)
        }
    }

    private static func embedding(_ words: [[UInt8]]) throws(CommandError) -> Plan {
        guard words.dropFirst(3).allSatisfy({ $0.equals("RAW") }) else {
            throw CommandError("ERR invalid option")
        }
        let isRaw = words.count > 3
        return Plan(.vector(set: words[1], element: words[2])) { answer in
            guard case .vector(let stored?) = answer else { return .null }
            return isRaw ? raw(stored) : .array(stored.told.map { .double(Double($0)) })
        }
    }

    private static func links(_ words: [[UInt8]]) throws(CommandError) -> Plan {
        let withScores = words.count == 4
        if withScores, !words[3].equals("WITHSCORES") {
            throw CommandError("ERR wrong number of arguments for 'VLINKS' command")
        }
        return Plan(.links(set: words[1], element: words[2])) { answer in
            guard case .links(let layers?) = answer else { return .null }
            return .array(
                layers.map { layer in
                    withScores
                        ? .map(layer.map { .init(key: .bulk($0.element), value: .double($0.score)) })
                        : .array(layer.map { .bulk($0.element) })
                })
        }
    }

    private static func information(_ set: VectorSetDescription) -> Reply {
        func entry(_ name: String, _ value: Reply) -> Reply.Entry {
            Reply.Entry(key: .simple(name), value: value)
        }
        return .map([
            entry("quant-type", .simple(set.quantization.told)), entry("hnsw-m", .integer(set.m)),
            entry("vector-dim", .integer(set.dimension)),
            entry("projection-input-dim", .integer(set.inputDimension)), entry("size", .integer(set.count)),
            entry("max-level", .integer(set.topLevel)),
            entry("attributes-count", .integer(set.attributeCount)), entry("vset-uid", .integer(set.id)),
            entry("hnsw-max-node-uid", .integer(set.lastVector)),
        ])
    }

    private static func sample(_ words: [[UInt8]]) throws(CommandError) -> Plan {
        var count: Int?
        if words.count == 3 {
            guard let number = words[2].integer else {
                throw CommandError("ERR COUNT value is not an integer")
            }
            count = number
        }
        return Plan(.sample(set: words[1], count: count)) { answer in
            if case .name(let name) = answer { return name.map(Reply.bulk) ?? .null }
            return answer.names
        }
    }

    private static func range(_ words: [[UInt8]]) throws(CommandError) -> Plan {
        var limit = Int.max
        if words.count == 5 {
            guard let number = words[4].integer else { throw CommandError("ERR invalid COUNT value") }
            if number >= 0 { limit = number }
        }
        guard let from = bound(words[2]) else { throw CommandError("ERR invalid start range format") }
        guard let until = bound(words[3]) else { throw CommandError("ERR invalid end range format") }
        return Plan(.range(set: words[1], from: from, until: until, limit: limit)) { $0.names }
    }

    private static func bound(_ word: [UInt8]) -> VectorSetBound? {
        if word == [UInt8(ascii: "-")] { return .least }
        if word == [UInt8(ascii: "+")] { return .greatest }
        guard word.count > 1 else { return nil }
        switch word[0] {
        case UInt8(ascii: "["): return .including(Array(word.dropFirst()))
        case UInt8(ascii: "("): return .excluding(Array(word.dropFirst()))
        default: return nil
        }
    }
}

extension User {
    /// The tenant whose vector sets are the user's: that of all grants.
    var tenant: String? {
        let tenants = Set(grants.map { $0.subtree?.tenant })
        return tenants.count == 1 ? tenants.first ?? nil : nil
    }
}

extension VectorSetError {
    /// As Redis says it, with the word for programs.
    var text: String {
        switch self {
        case .noSuchElement: "ERR element not found in set"
        case .dimension(let given, let known):
            "ERR Vector dimension mismatch - got \(given) but set has \(known)"
        case .inputDimension(let given, let known):
            "ERR Input dimension mismatch for projection - got \(given) but projection expects \(known)"
        case .quantization: "ERR asked quantization mismatch with existing vector set"
        case .m: "ERR asked M value mismatch with existing vector set"
        case .notProjected: "ERR cannot add projection to existing set without projection"
        case .invalid(let message): "ERR \(message)"
        }
    }
}

extension VectorSetAnswer {
    var flag: Reply {
        if case .flag(let flag) = self { return .boolean(flag) }
        return .boolean(false)
    }

    var number: Reply {
        if case .number(let number) = self { return .integer(number) }
        return .integer(0)
    }

    var names: Reply {
        if case .names(let names) = self { return .array(names.map(Reply.bulk)) }
        return .array([])
    }

    var bytesOrNull: Reply {
        if case .bytes(let bytes?) = self { return .bulk(bytes) }
        return .null
    }

    var description: VectorSetDescription? {
        if case .description(let description) = self { return description }
        return nil
    }
}
