import ArgumentParser
import Embedders
import MemoryEngine

/// Single durable `remember`s with the embedded default, by one caller and by 32, beside bare LMDB.
struct RememberOne: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remember",
        abstract: "Single durable remembers, by one caller and by 32, beside bare LMDB.")

    @OptionGroup var common: CommonOptions
    @Option(help: "How many rounds; in each, all take their turn.") var rounds = 20
    @Option(help: "How many memories each of the 32 callers has in a round.") var each = 30

    func run() async throws {
        let perRound = 100
        let many = 32
        let corpus = try Corpus(common, count: rounds * (perRound + many * each))
        var next = 0
        func take(_ count: Int) -> ArraySlice<String> {
            defer { next += count }
            return corpus.paragraphs[next..<next + count]
        }
        let scratch = try Scratch(common)
        let home = Namespace.project("remember")
        let engine = try Engine.open(
            at: scratch.path + "/store", embedder: HashEmbedder(), options: Engine.benchOptions())
        let peer = try BareLMDB(path: scratch.path + "/peer")
        let small = [UInt8](repeating: 7, count: 100)
        var bare = Samples()
        var one = Samples()
        var oneRates = Samples()
        var bareRates = Samples()
        var manyRates = Samples()
        try await engine.remember("The first makes the home.", in: home)
        for _ in 0..<rounds {
            var turn = Samples()
            for _ in 0..<perRound {
                try turn.timeNow { try peer.put([small]) }
                bare.add(turn.values[turn.values.count - 1])
            }
            bareRates.add(Double(perRound) / turn.sum * 1_000)
            turn = Samples()
            for text in take(perRound) {
                try await turn.time { try await engine.remember(text, in: home) }
                one.add(turn.values[turn.values.count - 1])
            }
            oneRates.add(Double(perRound) / turn.sum * 1_000)
            let texts = Array(take(many * each))
            let start = ContinuousClock.now
            try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in 0..<many {
                    group.addTask {
                        for text in texts[caller * each..<(caller + 1) * each] {
                            try await engine.remember(text, in: home)
                        }
                    }
                }
                try await group.waitForAll()
            }
            manyRates.add(Double(many * each) / (ContinuousClock.now - start).seconds)
            // What 32 callers left to the indexer is not the next one's.
            try await engine.settle(home)
        }
        var report = Report("remember")
        report.add(
            .init(
                name: "bare LMDB", parameters: "a put of 100 bytes a commit", median: bare.median,
                p99: bare.p99,
                unit: "ms"))
        report.add(
            .init(
                name: "remember", parameters: "one caller, HashEmbedder", median: one.median, p99: one.p99,
                unit: "ms"))
        let toBare = oneRates.median / bareRates.median
        report.add(
            .init(
                name: "rate, one caller", parameters: "median of \(rounds) rounds", median: oneRates.median,
                unit: "memories/s", peer: (name: "bare LMDB", ratio: toBare),
                aim: .init(text: "≥ 0.5 × bare LMDB", isMet: toBare >= 0.5)))
        let toOne = manyRates.median / oneRates.median
        report.add(
            .init(
                name: "rate, 32 callers", parameters: "median of \(rounds) rounds", median: manyRates.median,
                unit: "memories/s", peer: (name: "one caller", ratio: toOne),
                aim: .init(text: "≥ 5 × one caller", isMet: toOne >= 5)))
        report.note("all take turns on the same disk in the same run; every commit is synced")
        report.print(json: common.json)
        await engine.close()
    }
}
