import ArgumentParser
import Foundation
import MemoryEngine

/// A store of many small homes.
struct Homes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "homes",
        abstract: "Many homes of 10 memories: a recall in one that is not open, and their files.")

    @OptionGroup var common: CommonOptions
    @Option(help: "How many homes; 100000 for the full measurement.") var homes = 2_000
    @Option(help: "How many of them are asked, and compacted.") var asked = 200

    func run() async throws {
        let perHome = 10
        let corpus = try Corpus(common, count: 20_000)
        let embedded = try CorpusVectors(common)
        let scratch = try Scratch(common)
        let store = scratch.path + "/store"
        let engine = try Engine.open(at: store, options: Engine.benchOptions(.none))
        var filling = Samples()
        for index in 0..<homes {
            let drafts = (0..<perHome).map { place in
                let row = (index * perHome + place) % 20_000
                var draft = MemoryDraft(corpus.paragraphs[row])
                draft.embeddings = [Embedding(embedded[row], in: CorpusVectors.space)]
                return draft
            }
            try await filling.time {
                for draft in drafts { try await engine.remember(draft, in: Self.home(index)) }
            }
        }
        await engine.close()

        var random = SeededRandom(seed: 6)
        let chosen = (0..<homes).shuffled(using: &random).prefix(asked)
        var recalls = Samples()
        for index in chosen {
            let row = (index * perHome + 3) % 20_000
            var query = RecallQuery(String(corpus.paragraphs[row].prefix(60)), in: Self.home(index))
            query.embeddings = [Embedding(embedded[row], in: CorpusVectors.space)]
            let engine = try await recalls.time {
                let engine = try Engine.open(at: store, options: Engine.benchOptions())
                _ = try await engine.recall(query)
                return engine
            }
            await engine.close()
        }

        let second = try Engine.open(at: store, options: Engine.benchOptions())
        var before = Samples()
        var after = Samples()
        for index in chosen {
            let sizes = try await second.compact(in: Self.home(index))
            before.add(Double(sizes.before) / 1_024)
            after.add(Double(sizes.after) / 1_024)
        }
        let problems = try await second.check(in: Self.home(chosen[chosen.startIndex])).problems
        guard problems.isEmpty else { throw ValidationError("a compacted home: \(problems[0])") }
        let sample = try await second.stats(in: Self.home(chosen[chosen.startIndex]))
        await second.close()

        var report = Report("homes")
        report.add(
            .init(
                name: "open and recall", parameters: "\(homes) homes of \(perHome), one that is not open",
                median: recalls.median, p99: recalls.p99, unit: "ms",
                aim: .init(text: "< 10 ms", isMet: recalls.p99 < 10)))
        report.add(
            .init(
                name: "file of a home", parameters: "10 memories, 384-d, 10 commits", median: before.median,
                p99: before.p99, unit: "KiB",
                aim: .init(text: "≤ 256 KiB", isMet: (before.values.max() ?? .infinity) <= 256)))
        report.add(
            .init(
                name: "file of a home", parameters: "after compact", median: after.median, p99: after.p99,
                unit: "KiB", aim: .init(text: "≤ 64 KiB", isMet: after.median <= 64)))
        report.note(
            "making a home of \(perHome) memories, not synced: \(Report.text(filling.median, "ms"))")
        let most = after.values.max() ?? .nan
        report.note("the largest after compact, of the longest texts: \(Report.text(most, "KiB"))")
        let pages = sample.tables.filter { $0.value.pages > 0 }.sorted { $0.key < $1.key }
        report.note(
            "pages of a compacted home: "
                + pages.map { "\($0.key) \($0.value.pages)" }.joined(separator: ", ")
                + ", free \(sample.freePages), of \(sample.fileBytes / 4_096)")
        report.print(json: common.json)
    }

    private static func home(_ index: Int) -> Namespace { .user("u-\(index)") }
}
