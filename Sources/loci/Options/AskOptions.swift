import ArgumentParser
import MemoryEngine

/// A question and how to look for its answer: the options of verbs that recall.
struct AskOptions: ParsableArguments {
    @Argument(help: "The question; `-` reads standard input.")
    var words: [String] = []
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
    }

    /// What is asked.
    func query(of verb: String) throws -> RecallQuery {
        let weighted = try namespaces.weighted()
        var query = RecallQuery(try Words.question(words, of: verb), in: weighted)
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
