import ArgumentParser
import Foundation
import HNSW
import Store

/// The graph over real vectors: how fast it is linked, what it finds and how soon, with and without filters.
struct Index: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "index", abstract: "The vector index: linking, recall and time of a search, filters.")

    @OptionGroup var common: CommonOptions
    @Option(help: "How many rows.") var count = 100_000
    @Option(help: "How many questions.") var questions = 1_000
    @Option(help: "Candidates of a search.") var ef = [16, 32, 64, 96, 128, 192, 256]
    @Option(help: "Neighbors of a new node.") var m = 16
    @Option(help: "Candidates while linking.") var efConstruction = HNSWParameters().efConstruction
    @Flag(help: "Leave out the filters.") var withoutFilters = false

    func run() async throws {
        let embedded = try CorpusVectors(common)
        // What is asked is not among what is searched.
        let real = min(count, embedded.count - questions)
        let queries = (0..<questions).map { embedded[embedded.count - 1 - $0] }
        var rows = (0..<real).map { embedded[$0] }
        rows += embedded.mixtures(count - real, seed: 1)
        let scratch = try Scratch(common)
        var parameters = HNSWParameters()
        parameters.m = m
        parameters.m0 = 2 * m
        parameters.efConstruction = efConstruction
        let space = try IndexFile.create(
            at: scratch.path + "/index", dimension: embedded.dimension, metric: .cosine,
            parameters: parameters)
        for start in stride(from: 0, to: rows.count, by: 5_000) {
            try space.append(Array(rows[start..<min(start + 5_000, rows.count)]))
        }
        var report = Report("index")
        try space.link(&report)
        space.search(queries, ef, &report)
        if !withoutFilters { space.filter(queries, rows, &report) }
        report.note("\(count) × \(embedded.dimension), \(real) of them real, kernels: \(Distance.kernelName)")
        report.print(json: common.json)
        space.environment.close()
    }
}

extension IndexFile {
    /// Lets the author work until nothing is due.
    func link(_ report: inout Report) throws {
        var computing = Samples()
        var committing = Samples()
        var pages = Samples()
        var longest = 0
        while let batch = try linkStep(&computing, &committing) {
            pages.add(Double(batch.pageCount))
            longest = max(longest, batch.pageCount)
        }
        let linked = try environment.read { try index.state(in: $0)?.linkedSlots ?? 0 }
        let seconds = (computing.sum + committing.sum) / 1_000
        report.add(
            .init(
                name: "linking",
                parameters: "\(linked) rows, efConstruction \(index.parameters.efConstruction)",
                median: Double(linked) / seconds, unit: "rows/s"))
        report.add(
            .init(
                name: "commit of a step", parameters: "synced, at most \(longest) pages",
                median: committing.median, p99: committing.p99, unit: "ms"))
        report.add(
            .init(
                name: "preparing a step", parameters: "\(computing.values.count) steps",
                median: computing.median, p99: computing.p99, unit: "ms"))
    }

    /// The best scores of each question by the exact scan, and the time it takes.
    private func exact(
        _ queries: [[Float]], _ filter: PassageFilter?, _ samples: inout Samples
    ) -> [[Float]] {
        queries.map { query in
            var scores: [Float] = []
            samples.timeNow {
                try? environment.read { transaction in
                    var best = BestScores(capacity: 10)
                    try index.segments.scan(query, extent, in: transaction) { block in
                        for (place, passage) in block.passages.enumerated() {
                            if let filter, filter.words[Int(passage >> 6)] >> UInt64(passage & 63) & 1 == 0 {
                                continue
                            }
                            best.add(block.scores[place])
                        }
                    }
                    scores = best.scores
                }
            }
            return scores
        }
    }

    private func measure(
        _ name: String, _ parameters: String, _ queries: [[Float]], _ truth: [[Float]], ef: Int?,
        filter: PassageFilter?, exact: Samples, _ report: inout Report
    ) {
        var times = Samples()
        var found = 0
        var expected = 0
        var ways: [String: Int] = [:]
        for (query, best) in zip(queries, truth) {
            let result = try? times.timeNow {
                try environment.read {
                    try index.search(query, k: 10, ef: ef, filter: filter, extent, in: $0)
                }
            }
            expected += best.count
            let bound = (best.last ?? 0) - 2e-6
            found += result?.neighbors.prefix(10).count { $0.score >= bound } ?? 0
            ways[result?.way.rawValue ?? "failed", default: 0] += 1
        }
        let recall = String(format: "%.4f", Double(found) / Double(max(1, expected)))
        let way = ways.sorted { $0.key < $1.key }.map { ways.count == 1 ? $0.key : "\($0.value) \($0.key)" }
        report.add(
            .init(
                name: name, parameters: "\(parameters), recall@10 \(recall), \(way.joined(separator: ", "))",
                median: times.median * 1_000, p99: times.p99 * 1_000, unit: "µs",
                peer: ("the exact scan", times.median / exact.median)))
    }

    func search(_ queries: [[Float]], _ efs: [Int], _ report: inout Report) {
        var exactTimes = Samples()
        let truth = exact(queries, nil, &exactTimes)
        report.add(
            .init(
                name: "exact scan", parameters: "\(count) rows", median: exactTimes.median * 1_000,
                p99: exactTimes.p99 * 1_000, unit: "µs"))
        for ef in efs {
            measure("search", "ef \(ef)", queries, truth, ef: ef, filter: nil, exact: exactTimes, &report)
        }
    }

    /// Filters that let a share of the rows through: chosen at random; the rows nearest to some of the rows, and
    /// the questions that are near them; the same rows, and the questions that are far.
    func filter(_ queries: [[Float]], _ rows: [[Float]], _ report: inout Report) {
        let asked = Array(queries.prefix(200))
        var random = SeededRandom(seed: 5)
        let center = rows[17]
        let near = rows.map { row in zip(row, center).reduce(0) { $0 + $1.0 * $1.1 } }
        let order = near.indices.sorted { near[$0] > near[$1] }
        for share in [0.001, 0.01, 0.1, 0.5] {
            let size = Int(Double(rows.count) * share)
            let sets: [(String, [Int])] = [
                ("random", Array(rows.indices.shuffled(using: &random).prefix(size))),
                ("near", Array(order.prefix(size))), ("far", Array(order.suffix(size))),
            ]
            let byNearness = asked.sorted { a, b in
                zip(a, center).reduce(0) { $0 + $1.0 * $1.1 } > zip(b, center).reduce(0) { $0 + $1.0 * $1.1 }
            }
            for (name, chosen) in sets {
                var words = [UInt64](repeating: 0, count: (rows.count + 63) / 64)
                for row in chosen { words[row >> 6] |= 1 << UInt64(row & 63) }
                let filter = PassageFilter(words: words)
                let questions = name == "random" ? asked : Array(byNearness.prefix(100))
                var exactTimes = Samples()
                let truth = exact(questions, filter, &exactTimes)
                measure(
                    "search among \(share * 100) %", name, questions, truth, ef: nil, filter: filter,
                    exact: exactTimes, &report)
            }
        }
    }
}
