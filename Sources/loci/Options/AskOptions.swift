import ArgumentParser
import Embedders
import MemoryEngine

/// A question and how to look for its answer: the options of verbs that recall.
struct AskOptions: ParsableArguments {
    @Argument(help: "The question; `-` reads standard input.")
    var words: [String] = []
    @Option(
        help: ArgumentHelp(
            "Show an image or a video: what is attached and like it is found. Words are not needed then.",
            valueName: "file"), completion: .file())
    var like: String?
    @Option(
        help: ArgumentHelp("How many hits at most, 1 to 1,000 (by default 10).", valueName: "count"),
        transform: Accept.count(1...RecallQuery.maximumLimit, as: 20))
    var limit = 10
    @Flag(help: "Ask the words only.")
    var wordsOnly = false
    @Flag(help: "Ask the vectors only.")
    var vectorsOnly = false
    @OptionGroup var filter: FilterOptions
    @OptionGroup var clocks: ClockOptions
    @OptionGroup var ranking: RankingOptions
    @Option(
        help: ArgumentHelp("The share of words in the score, 0 to 1.", valueName: "number"),
        transform: Accept.number(0...1, as: "0.7"))
    var wordWeight: Double?
    @OptionGroup var namespaces: NamespaceOptions

    func validate() throws {
        guard !(wordsOnly && vectorsOnly) else {
            throw ValidationError("--words-only and --vectors-only exclude each other")
        }
        guard like != nil else { return }
        guard !wordsOnly else {
            throw ValidationError("--like is compared by vectors, and --words-only asks none")
        }
        let ofWords = [
            ("--intent", ranking.intent != nil), ("--weight", !ranking.weights.isEmpty),
            ("--word-weight", wordWeight != nil),
        ]
        if words.isEmpty, let said = ofWords.first(where: \.1)?.0 {
            throw ValidationError(
                "\(said) is of a question in words: leave it out, or say some beside --like")
        }
    }

    /// What is asked.
    func query(of verb: String) throws -> RecallQuery {
        let weighted = try namespaces.weighted()
        let isWordless = like != nil && words.isEmpty
        var query = RecallQuery(isWordless ? "" : try Words.question(words, of: verb), in: weighted)
        query.like = try like.map { try MediaArgument.shown($0) }
        query.limit = limit
        query.filter = try filter.condition()
        query.asOf = clocks.asOf
        query.validAt = clocks.validAt
        query.lexicalWeight = wordWeight
        ranking.apply(to: &query)
        if wordsOnly { query.channels = [.words] }
        if vectorsOnly { query.channels = [.vectors] }
        return query
    }
}

extension RecallQuery {
    /// What a store finds; where nothing is there to compare what is shown, with what would be.
    ///
    /// - Throws: `notFound` where none of the homes is there; as a recall besides.
    func answer(of store: any MemoryStore) async throws -> Recall {
        do {
            return try await store.recallOfSome(self)
        } catch let error as EngineError where [.notFound, .invalid].contains(error.code) {
            guard let like, let engine = store as? Engine else { throw error }
            let services = try? Settings.current.services
            var homes: [[String]: [Namespace]] = [:]
            for home in Set(namespaces.keys.map(\.home)).sorted(by: { $0.description < $1.description }) {
                guard try engine.homes(under: home).contains(home),
                    try await engine.space(of: like.modality, in: home) == nil
                else { continue }
                let planned = try await engine.plannedSpace(of: like.modality, in: home)
                let able = ServiceSettings.services(of: like.modality)
                let own = planned == nil ? [] : able.filter { services?.space(of: $0) == planned }
                homes[(own.isEmpty ? able : own).map { "--media \($0.rawValue)" }, default: []].append(home)
            }
            let advice = homes.map { ways, homes in
                "\(homes.map { "`loci reembed -n \($0)`" }.joined(separator: ", ")) "
                    + "\(homes.count == 1 ? "gives" : "give") vectors to what is attached, with "
                    + ways.joined(separator: " or ")
            }
            throw advice.isEmpty
                ? error
                : EngineError(error.code, ([error.message] + advice.sorted()).joined(separator: "; "))
        }
    }
}
