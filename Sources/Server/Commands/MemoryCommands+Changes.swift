import MemoryEngine

extension MemoryCommands {
    // MARK: MEM.CHANGES namespace [AFTER sequence] [COUNT count] [BLOCK milliseconds]

    /// What changed above a commit, whole commits at a time. Where nothing did, waits for a change as long as it is told.
    func changes(_ arguments: inout Arguments) async throws -> Reply {
        let namespace = try arguments.namespace(.read, ofHome: true)
        var (sequence, count, wait) = (UInt64(0), 1_000, Int?.none)
        while let option = try arguments.option() {
            switch option {
            case "AFTER": sequence = UInt64(try arguments.integer("AFTER", in: 0...Int.max))
            case "COUNT": count = try arguments.integer("COUNT", in: 1...100_000)
            case "BLOCK": wait = try arguments.integer("BLOCK", in: 0...3_600_000)
            default: throw arguments.unknown(option)
            }
        }
        var changes = try await pending(after: sequence, count, in: namespace)
        if changes.isEmpty, let wait {
            try await waitForChange(
                after: sequence, in: namespace, wait == 0 ? nil : .milliseconds(wait))
            changes = try await pending(after: sequence, count, in: namespace)
        }
        return .array(
            changes.map { change in
                .members([
                    ("sequence", .integer(Int(change.sequence))), ("time", .text(change.time.description)),
                    ("kind", .text(change.kind.name)), ("id", .text(change.id.description)),
                    ("version", .integer(Int(change.version))),
                ])
            })
    }

    /// The changes that are there: `count`, and what else their last commit has, so that its sequence is where to go on.
    private func pending(
        after sequence: UInt64, _ count: Int, in namespace: Namespace
    ) async throws -> [Change] {
        var changes: [Change] = []
        for try await change in engine.changes(after: sequence, in: namespace, upToNow: true) {
            if changes.count >= count, change.sequence != changes.last?.sequence { break }
            changes.append(change)
        }
        return changes
    }

    private func waitForChange(
        after sequence: UInt64, in namespace: Namespace, _ wait: Duration?
    ) async throws {
        let engine = engine
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for try await _ in engine.changes(after: sequence, in: namespace) { break }
            }
            if let wait { group.addTask { try? await Task.sleep(for: wait) } }
            try await group.next()
            group.cancelAll()
        }
    }
}
