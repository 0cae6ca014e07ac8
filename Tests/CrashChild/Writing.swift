import Foundation
import MemoryEngine

/// Writes for ever, and tells of each step when it begins and when it is acknowledged.
struct Writing {
    private let engine: Engine
    private let prefix: String
    private let seed: UInt64

    init(store: String, prefix: String, seed: UInt64) throws {
        engine = try Engine.open(at: store)
        self.prefix = prefix
        self.seed = seed
    }

    /// Three workers at once, so that their commits are grouped.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<3 {
                group.addTask {
                    var worker = Worker(
                        engine: engine, name: "\(prefix).w\(number)", seed: seed &+ UInt64(number))
                    while true { try await worker.step() }
                }
            }
            try await group.waitForAll()
        }
    }

    /// One worker, which compacts the home after every few steps.
    func runCompacting() async throws {
        var worker = Worker(engine: engine, name: "\(prefix).c", seed: seed)
        while true {
            for _ in 0..<4 { try await worker.step() }
            say("compacting")
            try await engine.compact(in: Workload.home) { _, _ in say("progress") }
            say("compacted")
        }
    }

    /// Writes until there is no more room, then says whether what is there can still be read.
    func runUntilFull(limit: Int) async throws {
        if limit > 0 {
            signal(SIGXFSZ, SIG_IGN)
            var size = rlimit(rlim_cur: rlim_t(limit), rlim_max: rlim_t(limit))
            unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &size)
        }
        var worker = Worker(engine: engine, name: "\(prefix).f", seed: seed)
        var failures = 0
        while failures < 3 {
            do {
                try await worker.step()
            } catch let error as EngineError {
                failures += 1
                say("error \(error.code.rawValue) \(error.message)")
            }
        }
        let page = try await engine.list(in: Workload.home, limit: 10_000)
        say("readable \(page.memories.count)")
        await engine.close()
    }
}

/// One writer of keys that are its own.
private struct Worker {
    private let engine: Engine
    private let name: String
    private var random: Workload.Random
    private var live: [(key: String, id: MemoryID, version: Int)] = []
    private var count = 0

    init(engine: Engine, name: String, seed: UInt64) {
        self.engine = engine
        self.name = name
        random = Workload.Random(seed)
    }

    mutating func step() async throws {
        count += 1
        let choice = Int.random(in: 0..<100, using: &random)
        if choice < 45 || live.isEmpty {
            try await put("\(name).\(count)", count: 0)
        } else if choice < 65 {
            try await put("\(name).\(count)", count: Int.random(in: 2...90, using: &random))
        } else if choice < 88 {
            let index = Int.random(in: live.indices, using: &random)
            let (key, id, version) = live[index]
            try await acknowledged("put \(key) \(version + 1) 0") {
                if choice % 2 == 0 {
                    try await engine.remember(Workload.draft(key, version: version + 1), in: Workload.home)
                } else {
                    try await engine.update(id, in: Workload.home) {
                        $0 = Workload.draft(key, version: version + 1)
                    }
                }
            }
            live[index].version += 1
        } else {
            let (key, id, _) = live.remove(at: Int.random(in: live.indices, using: &random))
            try await acknowledged("forget \(key)") {
                try await engine.forget(.id(id), under: Workload.home)
            }
        }
    }

    private mutating func put(_ key: String, count: Int) async throws {
        let keys = Workload.keys(key, count: count)
        let drafts = keys.map { Workload.draft($0, version: 1) }
        let stored = try await acknowledged("put \(key) 1 \(count)") {
            try await engine.remember(drafts, in: Workload.home)
        }
        for (key, result) in zip(keys, stored) { live.append((key, try result.get().id, 1)) }
    }

    @discardableResult
    private func acknowledged<Result>(
        _ step: String, _ body: () async throws -> Result
    ) async throws -> Result {
        say("begin \(step)")
        do {
            let result = try await body()
            say("done \(step)")
            return result
        } catch {
            say("failed \(step)")
            throw error
        }
    }
}
