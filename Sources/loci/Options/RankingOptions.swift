import ArgumentParser
import MemoryEngine

/// How hits are ranked and put in order, beside the share of words.
struct RankingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What is asked for: \(Intent.allCases.map(\.name).joined(separator: ", ")); read from the question otherwise.",
            valueName: "intent"),
        transform: Accept.intent)
    var intent: Intent?
    @Option(
        help: ArgumentHelp(
            "Put hits in the order of their score, of time, or in chains of causes.",
            valueName: "order"))
    var order: RecallQuery.Order?
    @Option(
        name: .customLong("weight"),
        help: ArgumentHelp(
            "How much what stands around a memory counts, in the place of what the home has: \(RecallWeights.names.map(\.name).joined(separator: ", ")).",
            valueName: "name=number"),
        transform: Accept.weight)
    var weights: [WeightArgument] = []

    /// Sets what was said of it.
    func apply(to query: inout RecallQuery) {
        query.intent = intent
        query.order = order
        for weight in weights { query.weightOverrides[weight.name] = weight.value }
    }
}

extension RecallQuery.Order: ExpressibleByArgument {}

/// `NAME=NUMBER` of a weight.
struct WeightArgument: Equatable {
    let name: String
    let value: Double
}

extension Accept {
    /// The name of an intent.
    static func intent(_ text: String) throws -> Intent {
        guard let intent = Intent(name: text) else {
            throw ValidationError("write one of \(Intent.allCases.map(\.name).joined(separator: ", "))")
        }
        return intent
    }

    /// A weight of what stands around a memory.
    static func weight(_ text: String) throws -> WeightArgument {
        let parts = text.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let value = Double(parts[1]), abs(value) <= RecallWeights.maximum,
            RecallWeights.names.contains(where: { $0.name == parts[0] })
        else {
            let names = RecallWeights.names.map(\.name).joined(separator: ", ")
            throw ValidationError("write NAME=NUMBER, as reply=0.3, with one of \(names)")
        }
        return WeightArgument(name: String(parts[0]), value: value)
    }
}
