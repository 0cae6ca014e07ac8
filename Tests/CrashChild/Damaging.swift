import Foundation
import MemoryEngine

/// Damages the file of a home again and again, and compares what it then says with what it said before.
///
/// Each round prints `round N` before the file is opened, so that whoever listens knows which one was fatal.
struct Damaging {
    private let store: String
    private let seed: UInt64
    private let file: String

    init(store: String, seed: UInt64) {
        self.store = store
        self.seed = seed
        file = store + "/project/crash.loci"
    }

    private struct Counts {
        var reported = 0
        var refused = 0
        var clean = 0
        var read = 0
        var wrong = 0
    }

    func run(rounds: Range<Int>) async throws {
        let original = try [UInt8](Data(contentsOf: URL(fileURLWithPath: file)))
        guard try await problems().isEmpty else {
            throw EngineError(.corrupted, "the file was damaged before")
        }
        let expected = try await contents()
        var counts = Counts()
        for round in rounds {
            say("round \(round)")
            var random = Workload.Random(seed &* 1_000_003 &+ UInt64(round))
            let (damaged, touched) = Self.damage(original, round, &random)
            try replace(damaged[touched], at: touched.lowerBound, endingAt: damaged.count)
            try await look(round, expected, &counts)
            let repaired = touched.isEmpty ? damaged.count..<original.count : touched
            try replace(original[repaired], at: repaired.lowerBound, endingAt: original.count)
        }
        guard try await problems().isEmpty, try await contents() == expected else {
            throw EngineError(.corrupted, "the file was not repaired")
        }
        say(
            "summary reported=\(counts.reported) refused=\(counts.refused) clean=\(counts.clean) "
                + "read=\(counts.read) wrong=\(counts.wrong)")
    }

    /// Checks the damaged file, and reads it where that is safe.
    private func look(_ round: Int, _ expected: Contents, _ counts: inout Counts) async throws {
        let problems: [String]
        do {
            problems = try await self.problems()
        } catch let error as EngineError {
            say("refused \(error.code.rawValue)")
            counts.refused += 1
            return
        }
        if problems.isEmpty {
            counts.clean += 1
            do {
                if try await contents() != expected {
                    throw EngineError(.corrupted, "it gives other answers")
                }
            } catch {
                counts.wrong += 1
                say("wrong \(round): check finds nothing, but \(error)")
            }
            return
        }
        counts.reported += 1
        // The pages are sound, so that reading is safe: then no value may come out as another one.
        guard problems.allSatisfy({ $0.contains("does not agree with its checksum") }) else { return }
        let engine = try open()
        for memory in expected.memories {
            guard let newest = memory.versions.last else { continue }
            do {
                let found = try await engine.get(memory.id, in: Workload.home)
                let vectors = try await engine.embeddings(of: memory.id, in: Workload.home)
                // A damaged key may hide a record; what is found must be right.
                guard let found else { continue }
                counts.read += 1
                if found != newest.memory || !vectors.allSatisfy(newest.embeddings.contains) {
                    counts.wrong += 1
                    say("wrong \(round): \(memory.key ?? "") is read as another memory")
                }
            } catch is EngineError {
                continue
            }
        }
        await engine.close()
    }

    // MARK: What the home says

    /// All that a home says: every memory whole, and what some questions bring back.
    private struct Contents: Equatable {
        var memories: [ExportedMemory] = []
        var hits: [[Hit]] = []

        struct Hit: Equatable {
            let memory: Memory
            let score: Double
            let text: String
        }
    }

    private func open() throws -> Engine {
        var options = Engine.Options()
        options.isReadOnly = true
        options.quotaBytes = 1 << 30
        options.clock = { Timestamp(microseconds: 2_000_000_000_000_000) }
        return try Engine.open(at: store, options: options)
    }

    private func problems() async throws -> [String] {
        let engine = try open()
        let report = try await engine.check(in: Workload.home)
        await engine.close()
        return report.problems
    }

    private func contents() async throws -> Contents {
        let engine = try open()
        var contents = Contents()
        var exported: [ExportedMemory] = []
        try await engine.export(in: Workload.home) { exported.append($0) }
        contents.memories = exported
        for text in ["Why did the deploy of the certificate fail?", "quiet violin", "t.7 42"] {
            var query = RecallQuery(text, in: Workload.home)
            query.embeddings = [
                Embedding([Float](repeating: 0.1, count: Workload.space.dimension), in: Workload.space)
            ]
            contents.hits.append(
                try await engine.recall(query).map {
                    Contents.Hit(memory: $0.memory, score: $0.score, text: $0.passage.text)
                })
        }
        await engine.close()
        return contents
    }

    // MARK: Damage

    /// One of five kinds of damage, by `round`, and the bytes that it changed.
    private static func damage(
        _ original: [UInt8], _ round: Int, _ random: inout Workload.Random
    ) -> ([UInt8], Range<Int>) {
        var damaged = original
        switch round % 5 {
        case 0:
            let offset = Int.random(in: 0..<original.count, using: &random)
            damaged[offset] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            return (damaged, offset..<offset + 1)
        case 1:
            // A bit near the beginning of a page, where LMDB keeps what it believes.
            let offset =
                Int.random(in: 0..<original.count / 4_096, using: &random) * 4_096
                + Int.random(in: 0..<96, using: &random)
            damaged[offset] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            return (damaged, offset..<offset + 1)
        case 2, 3:
            let start = Int.random(in: 0...original.count - 64, using: &random)
            for offset in start..<start + 64 { damaged[offset] = UInt8(truncatingIfNeeded: random.next()) }
            return (damaged, start..<start + 64)
        default:
            damaged.removeLast(Int.random(in: 1...original.count, using: &random))
            return (damaged, 0..<0)
        }
    }

    /// Writes `part` at `offset`, and makes the file end at `end`.
    private func replace(_ part: ArraySlice<UInt8>, at offset: Int, endingAt end: Int) throws {
        guard let handle = FileHandle(forWritingAtPath: file) else {
            throw EngineError(.io, "cannot write \(file)")
        }
        try handle.seek(toOffset: UInt64(offset))
        try handle.write(contentsOf: Data(part))
        try handle.truncate(atOffset: UInt64(end))
        try handle.close()
    }
}
