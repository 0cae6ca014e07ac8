import ArgumentParser
import Embedders
import MemoryEngine
import Store

/// What a long free list of single pages does to a caller.
struct Fragmented: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fragmented",
        abstract: "Single remembers on a home with many free pages, beside a fresh one.")

    @OptionGroup var common: CommonOptions
    @Option(help: "How many single free pages.") var pages = 200_000
    @Option(help: "How many remembers on each home.") var count = 2_000

    func run() async throws {
        let corpus = try Corpus(common, count: 2 * count)
        let scratch = try Scratch(common)
        let store = scratch.path + "/store"
        let fresh = Namespace.project("fresh")
        let torn = Namespace.project("torn")
        let first = try Engine.open(at: store, options: Engine.benchOptions())
        try await first.remember("The first makes the home.", in: fresh)
        try await first.remember("The first makes the home.", in: torn)
        await first.close()
        try Self.fragment(path: store + "/project/torn.loci", pages: pages)

        let engine = try Engine.open(at: store, embedder: HashEmbedder(), options: Engine.benchOptions())
        let freeBefore = try await engine.stats(in: torn).freePages
        var samples = [fresh: Samples(), torn: Samples()]
        // In turns of 50, so that what else the machine does meets both.
        var index = 0
        while index < 2 * count {
            for home in [fresh, torn] {
                for text in corpus.paragraphs[index..<index + 50] {
                    try await samples[home]?.time { try await engine.remember(text, in: home) }
                }
                index += 50
            }
        }
        let freeAfter = try await engine.stats(in: torn).freePages
        var report = Report("fragmented")
        guard let fast = samples[fresh], let slow = samples[torn] else { return }
        report.add(
            .init(name: "remember", parameters: "fresh home", median: fast.median, p99: fast.p99, unit: "ms"))
        let ratio = slow.p99 / fast.p99
        report.add(
            .init(
                name: "remember", parameters: "\(freeBefore) free pages", median: slow.median, p99: slow.p99,
                unit: "ms", peer: (name: "the fresh p99", ratio: ratio),
                aim: .init(text: "p99 ≤ 2 × fresh", isMet: ratio <= 2)))
        report.note("free pages at the end: \(freeAfter)")
        report.print(json: common.json)
        await engine.close()
    }

    /// Puts twice as many one-page values as pages are wanted, then removes every second one in small commits.
    private static func fragment(path: String, pages: Int) throws {
        var options = Environment.Options()
        options.durability = .none
        let environment = try Environment.open(path: path, tables: Schema.all, options: options)
        defer { environment.close() }
        let value = [UInt8](repeating: 7, count: Table.pagePayloadByteCount)
        for start in stride(from: 0, to: pages * 2, by: 10_000) {
            try environment.write { try put(value, start..<start + 10_000, in: $0) }
        }
        for start in stride(from: 0, to: pages * 2, by: 2_000) {
            try environment.write { try removeEverySecond(start..<start + 2_000, in: $0) }
        }
    }

    private static func put(
        _ value: [UInt8], _ range: Range<Int>, in transaction: borrowing WriteTransaction
    ) throws {
        for number in range {
            try Schema.link.put(Key().u64(UInt64(number)), value, in: transaction, isAppend: true)
        }
    }

    private static func removeEverySecond(
        _ range: Range<Int>, in transaction: borrowing WriteTransaction
    ) throws {
        for number in range where number.isMultiple(of: 2) {
            try Schema.link.remove(Key().u64(UInt64(number)), in: transaction)
        }
    }
}
