import Foundation
import MemoryEngine
import Testing

@testable import crashchild

@Suite struct `A store whose writer is killed` {
    /// Runs of a child in each of the two tests together; `make crash` asks for more.
    private static let runCount = setting("LOCI_CRASH_RUNS", 20)
    private static let firstSeed = UInt64(setting("LOCI_CRASH_SEED", 1))
    /// Runs on one store, before the next one begins with nothing.
    private static let runsPerStore = 5

    @Test func `has everything that was acknowledged, and nothing half`() async throws {
        try await kill("write", runs: Self.runCount * 3 / 4) { line in
            line.hasPrefix("done") || line.hasPrefix("begin")
        }
    }

    @Test func `has everything, too, when it is being compacted`() async throws {
        try await kill("compact", runs: Self.runCount - Self.runCount * 3 / 4) { line in
            line.hasPrefix("compact") || line.hasPrefix("progress")
        }
    }

    /// Lets children write and kills each after a random number of lines that count.
    private func kill(_ mode: String, runs: Int, counts: @escaping @Sendable (String) -> Bool) async throws {
        var folder = try ScratchFolder()
        var ledger = Ledger()
        for run in 0..<runs {
            if run % Self.runsPerStore == 0 {
                folder = try ScratchFolder()
                ledger = Ledger()
            }
            let seed = Self.firstSeed &* 10_000 &+ UInt64(run)
            var random = Workload.Random(seed)
            let store = folder.path + "/store"
            let lineCount = Int.random(in: 1...(run % 4 == 3 ? 200 : 60), using: &random)
            let child = try Child(
                [mode, store, "r\(run)", "\(seed)"], killedAfter: lineCount, counting: counts)
            for await line in child.lines { ledger.note(line) }
            #expect(child.end() == (SIGKILL, true), "\(mode), run \(run), seed \(seed)")
            let engine = try Engine.open(at: store)
            try await ledger.expectAgreement(with: engine)
            try await ledger.expectService(of: engine, "run\(run)")
            await engine.close()
        }
    }
}
