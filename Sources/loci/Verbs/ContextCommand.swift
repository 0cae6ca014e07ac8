import ArgumentParser
import MemoryEngine

struct ContextCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "context",
        abstract: "Gather what a model should read to answer a question, within a budget of tokens.",
        usage:
            "loci context (<words> ... | -) [--also <question>] ... [--tokens <count>] [-n <path[=weight]>] ... [options]",
        discussion: """
              loci context "Why did the deploy fail?" --tokens 1000
              loci context "What does Ada like?" -n user/ada -n project/atlas=0.5 --json
              loci context "What is left to do?" -n project/atlas/session/s1 -n user/ada -n project/atlas
              loci context "What broke?" --also "Who mended it?" -n project/atlas

            Each entry has its time, who said it, and where it stands (ID@VERSION#FROM-TO). Causes come first where the question \
            asks why, and what happened first comes first where it asks when. Tokens are estimated, rather too many than too \
            few; the text is never over the budget. Of several questions each gets its best in turn. Where memories of a session \
            find no place, its summary (loci consolidate) may stand for them. What found no place is told on standard error. Exit status 2 if none of \
            the homes is there.
            """)

    @Argument(help: "The question; `-` reads standard input.")
    var words: [String] = []
    @Option(help: ArgumentHelp("One more question; may be repeated.", valueName: "question"))
    var also: [String] = []
    @Option(
        help: ArgumentHelp("The budget, 1 to 1,000,000 (by default 2,000).", valueName: "count"),
        transform: Accept.count(1...1_000_000, as: 2_000))
    var tokens = 2_000
    @OptionGroup var filter: FilterOptions
    @OptionGroup var clocks: ClockOptions
    @OptionGroup var namespaces: NamespaceOptions
    @OptionGroup var store: StoreOptions

    func run() async throws {
        try store.check()
        let weighted = try namespaces.weighted()
        var query = RecallQuery(try Words.question(words, of: "context"), in: weighted)
        query.filter = try filter.condition()
        query.asOf = clocks.asOf
        query.validAt = clocks.validAt
        var asked = [query]
        for question in also {
            query.text = try Words.question([question], of: "context")
            asked.append(query)
        }
        let queries = asked
        try await store.withStore(for: .reading) { memories in
            let pack = try await memories.context(for: queries, tokenBudget: tokens)
            if pack.entries.isEmpty { try await memories.checkAnyHome(of: weighted.keys) }
            if store.json {
                Terminal.print(Self.json(pack))
            } else {
                if !pack.entries.isEmpty { Terminal.print(Visible.text(pack.text)) }
                if !pack.entries.isEmpty, let confidence = pack.confidence,
                    confidence < Recall.leastConfidence
                {
                    Terminal.note(
                        also.isEmpty
                            ? "the answer is likely not there: this has little of what was asked"
                            : "the answer to one of the questions is likely not there")
                }
                for reason in pack.leftOut { Terminal.note("left out: \(reason)") }
                Terminal.note(
                    "\(pack.entries.count) memories, \(Terminal.grouped(pack.tokenCount)) of "
                        + "\(Terminal.grouped(pack.tokenBudget)) tokens")
            }
        }
    }

    private static func json(_ pack: ContextPack) -> String {
        var json = JSONWriter()
        json.beginObject()
        json.member("recall", pack.recall.description)
        json.member("intent", pack.intent.name)
        json.member("confidence", pack.confidence)
        json.member("tokens", pack.tokenCount)
        json.member("budget", pack.tokenBudget)
        json.member("text", pack.text)
        json.objects("entries", pack.entries) { json, entry in
            json.member("citation", entry.citation.description)
            json.member("namespace", entry.citation.namespace.description)
            // A server tells where entries stand, and their words in the text.
            if entry.text.isEmpty { return }
            json.member("happened", entry.happened.lowerBound.description)
            json.member("actor", entry.actor)
            json.member("kind", entry.kind.rawValue)
            json.member("score", entry.score)
            json.member("note", entry.note)
            json.member("text", entry.text)
        }
        json.member("leftOut", pack.leftOut)
        json.endObject()
        return json.text
    }
}
