import ArgumentParser
import Embedders
import Labelled
import MemoryEngine

/// How well embedders tell wordings of one request from other requests.
struct Intents: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "intents",
        abstract: "Wordings of one request and of others: how well cosines tell them apart, by embedder.",
        discussion: """
            Every pair of wordings of the labelled requests has a cosine. AUROC is the share of cases in which a pair \
            of one request has a larger one than a pair of two; the threshold is where a pair is as likely to be \
            missed as another is to be taken for one.
            """)

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let requests = try LabelledRequests.all()
        let embedders = try AvailableEmbedders()
        var report = Report("intents")
        for embedder in [embedders.embedder].compactMap({ $0 }) + embedders.others {
            let inputs = requests.flatMap { $0 }.map(EmbeddingInput.text)
            let vectors = try await embedder.embed(inputs, for: .query)
            let owners = requests.enumerated().flatMap { place, wordings in wordings.map { _ in place } }
            var pairs: [(cosine: Float, isSame: Bool)] = []
            for first in vectors.indices {
                for second in vectors.indices where second > first {
                    let cosine = zip(vectors[first], vectors[second]).reduce(0) { $0 + $1.0 * $1.1 }
                    pairs.append((cosine, owners[first] == owners[second]))
                }
            }
            pairs.sort { $0.cosine < $1.cosine }
            let (auroc, threshold, error) = Self.separation(pairs)
            report.add(
                .init(
                    name: "AUROC", parameters: embedder.space.name, median: auroc, unit: "",
                    aim: embedder.knowsMeanings ? .init(text: "≥ .96", isMet: auroc >= 0.96) : nil))
            report.add(
                .init(
                    name: "threshold", parameters: "as many missed as mistaken", median: Double(threshold),
                    unit: ""))
            report.add(.init(name: "of each wrong there", parameters: "", median: 100 * error, unit: "%"))
        }
        report.note("\(requests.count) requests, \(requests.reduce(0) { $0 + $1.count }) wordings")
        report.print(json: common.json)
    }

    /// Of pairs in the order of their cosines.
    private static func separation(
        _ pairs: [(cosine: Float, isSame: Bool)]
    ) -> (auroc: Double, threshold: Float, error: Double) {
        let same = pairs.count { $0.isSame }
        let other = pairs.count - same
        var (below, wins) = (0, 0)
        for pair in pairs {
            if pair.isSame { wins += below } else { below += 1 }
        }
        var (missed, mistaken, place) = (0, other, 0)
        while place < pairs.count, missed * other < mistaken * same {
            if pairs[place].isSame { missed += 1 } else { mistaken -= 1 }
            place += 1
        }
        return (
            Double(wins) / Double(same * other), pairs[min(place, pairs.count - 1)].cosine,
            Double(missed) / Double(same)
        )
    }
}
