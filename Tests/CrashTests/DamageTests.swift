import Foundation
import MemoryEngine
import Store
import Testing

@testable import MemoryEngine
@testable import crashchild

@Suite struct `A damaged home` {
    private static let roundCount = setting("LOCI_DAMAGE_RUNS", 2_000)
    private static let seed = setting("LOCI_DAMAGE_SEED", 1)

    /// Makes a small home with all that a file can hold: folded columns, postings and segments, a tail of each,
    /// versions, edges, attachments, expiry, receipts and free pages.
    static func make(_ store: String) async throws {
        var options = Engine.Options()
        options.passageByteCount = 64
        options.clock = { Timestamp(microseconds: 1_900_000_000_000_000) }
        let engine = try Engine.open(at: store, options: options)
        var ids: [MemoryID] = []
        for part in 0..<4 {
            let drafts = (0..<90).map {
                Workload.draft("t.\(part * 90 + $0)", version: 1, words: 5 + 30 * ($0 % 9 / 8))
            }
            for result in try await engine.remember(drafts.map(single), in: Workload.home) {
                ids.append(try result.get().id)
            }
        }
        for index in stride(from: 3, to: 200, by: 17) {
            try await engine.update(ids[index], in: Workload.home) { $0.content += " Then it changed." }
        }
        _ = try await engine.withHome(of: Workload.home, creating: false) {
            try await $0.finishIndexing(on: engine.readers)
        }
        try await engine.supersede(ids[5], by: ids[6], in: Workload.home)
        try await engine.supersede(ids[300], by: ids[301], in: Workload.home)
        try await engine.retract(ids[7], in: Workload.home)
        for index in [11, 12, 150, 351] { try await engine.forget(.id(ids[index]), under: Workload.home) }
        var passing = MemoryDraft("The harbor is quiet until the violin plays.")
        passing.expires = Timestamp(microseconds: 2_100_000_000_000_000)
        passing.attributes = ["region": "eu-1", "size": 3]
        passing.keywords = ["dusk"]
        try await engine.remember(passing, in: Workload.home.session("evening"))
        for number in 0..<12 {
            try await engine.remember(
                single(Workload.draft("tail.\(number)", version: 1, words: 6)), in: Workload.home)
        }
        var query = RecallQuery("quiet violin", in: Workload.home)
        query.keepReceipt = true
        let recall = try await engine.recall(query)
        try await engine.record(.success, of: recall.id, in: Workload.home)
        await engine.close()
    }

    /// A vector belongs to the only passage; a text of several keeps none here.
    private static func single(_ draft: MemoryDraft) -> MemoryDraft {
        var draft = draft
        if draft.content.utf8.count > 64 {
            for index in draft.embeddings.indices { draft.embeddings[index].part = 0 }
        }
        return draft
    }

    @Test(arguments: [0, 1])
    func `is reported, or gives the right answers, and never stops the program`(half: Int) async throws {
        let folder = try ScratchFolder()
        let store = folder.path + "/store"
        try await Self.make(store)
        if half == 1 {
            let engine = try Engine.open(at: store)
            try await engine.compact(in: Workload.home)
            await engine.close()
        }
        var next = half * Self.roundCount / 2
        let end = (half + 1) * Self.roundCount / 2
        var wrong: [String] = []
        var deaths = 0
        var hasEnded = false
        while next < end, !hasEnded, deaths < 5 {
            // A copy of its own: a child that dies leaves the damage behind.
            let copy = folder.path + "/copy\(next)"
            try FileManager.default.copyItem(atPath: store, toPath: copy)
            let child = try Child(["damage", copy, "\(Self.seed)", "\(next)", "\(end)"])
            var round = next
            for await line in child.lines {
                if line.hasPrefix("wrong") || line.hasPrefix("failure") { wrong.append(line) }
                if line.hasPrefix("summary") { expectUsefulness(line) }
                if line.hasPrefix("round"), let number = Int(line.dropFirst(6)) { round = number }
            }
            let (status, bySignal) = child.end()
            hasEnded = !bySignal
            if bySignal {
                deaths += 1
                Issue.record("round \(round) of seed \(Self.seed) ended by signal \(status)")
            } else {
                #expect(status == 0)
            }
            next = round + 1
            try FileManager.default.removeItem(atPath: copy)
        }
        #expect(wrong == [])
    }

    /// A run that finds everything damaged, or nothing, tests nothing.
    private func expectUsefulness(_ summary: String) {
        let counts = summary.split(separator: " ").compactMap {
            $0.split(separator: "=").last.flatMap { Int($0) }
        }
        #expect(counts.count == 5)
        #expect(counts[0] > 0 && counts[2] > 0 && counts[3] > 0, "\(summary)")
    }

    // MARK: Opening

    /// Opens the store, reads a memory, and returns the error.
    private func error(_ store: String, isReadOnly: Bool = true) async throws -> EngineError? {
        do {
            var options = Engine.Options()
            options.isReadOnly = isReadOnly
            let engine = try Engine.open(at: store, options: options)
            do {
                _ = try await engine.get(key: "t.1", in: Workload.home)
            } catch let error as EngineError {
                await engine.close()
                return error
            }
            await engine.close()
            return nil
        } catch let error as EngineError {
            return error
        }
    }

    @Test func `is not opened with a damaged header, a damaged meta page, or cut short`() async throws {
        let folder = try ScratchFolder()
        let store = folder.path + "/store"
        try await Self.make(store)
        let file = URL(fileURLWithPath: store + "/project/crash.loci")
        let original = try [UInt8](Data(contentsOf: file))
        #expect(try await error(store) == nil)

        let magic = Array("LOCIHOME".utf8)
        var headers = original
        for place in original.indices where original[place...].starts(with: magic) { headers[place + 8] ^= 2 }
        #expect(headers != original)
        var metas = original
        for page in 0..<2 { metas[page * 4_096 + 18] ^= 1 }
        for (damaged, what) in [
            (headers, "header"), (metas, "meta pages"), (Array(original[..<(original.count / 2)]), "half"),
            (Array(original[..<5_000]), "beginning"),
        ] {
            try Data(damaged).write(to: file)
            for isReadOnly in [true, false] {
                let error = try await error(store, isReadOnly: isReadOnly)
                #expect(error?.code == .corrupted, "\(what): \(error?.message ?? "no error")")
                #expect(try Data(contentsOf: file).elementsEqual(damaged), "\(what)")
            }
        }
        try Data(original).write(to: file)
        #expect(try await error(store) == nil)
    }

    @Test func `is told from a newer one, and from what is no home at all`() async throws {
        let folder = try ScratchFolder()
        let store = folder.path + "/store"
        try await Self.make(store)
        let file = store + "/project/crash.loci"
        var header = HomeHeader(namespace: "project/crash", created: .now, passageByteCount: 64)
        header.formatVersion = Schema.formatVersion + 1
        try write(header, to: file)
        let newer = try await error(store)
        #expect(newer?.code == .foreign)
        #expect(newer?.message.contains("format \(Schema.formatVersion + 1)") == true)
        header.formatVersion = Schema.formatVersion
        header.features = 4
        try write(header, to: file)
        #expect(try await error(store)?.code == .foreign)
        header.features = 0
        header.namespace = "project/other"
        try write(header, to: file)
        let renamed = try await error(store)
        #expect(renamed?.code == .foreign)
        #expect(renamed?.message.contains("project/other") == true)

        try Data("Once upon a time.\n".utf8).write(to: URL(fileURLWithPath: file))
        #expect(try await error(store)?.code == .corrupted)
        try FileManager.default.removeItem(atPath: file)
        let theirs = [Table(name: "theirs", index: 0)]
        let environment = try Environment.open(path: file, tables: theirs)
        try environment.write { try theirs[0].put(Key().u8(1), [1], in: $0) }
        environment.close()
        #expect(try await error(store)?.code == .foreign)
        #expect(try await error(store, isReadOnly: false)?.code == .foreign)

        try Data("loci store 2\n".utf8).write(to: URL(fileURLWithPath: store + "/loci.store"))
        #expect(try await error(store)?.code == .foreign)
        try FileManager.default.removeItem(atPath: store + "/loci.store")
        #expect(try await error(store)?.code == .notFound)
        #expect(try await error(store, isReadOnly: false)?.code == .foreign)
    }

    private func write(_ header: HomeHeader, to file: String) throws {
        let environment = try Environment.open(path: file, tables: Schema.all)
        try environment.write { try Schema.shared.put(Schema.Shared.header.key, header.encode(), in: $0) }
        environment.close()
    }
}
