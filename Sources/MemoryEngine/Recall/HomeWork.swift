import Store

/// The part of one home in a recall over several. It is done in steps, each over a snapshot of its own: no snapshot is
/// held while another home is waited for. After each step the homes tell what they hold, and `SharedStatistics` sums it up.
///
/// Scores outlive the snapshot that they were read in. Where the home has changed since, they are read again, and measured
/// by the sums of before.
struct HomeWork: Sendable {
    enum Step: CaseIterable {
        /// What the question names: words that mean about the same, actors, times.
        case lookUp
        /// How many passages have each word.
        case count
        /// What words and vectors say.
        case score
        /// What may be a hit.
        case gather
        /// What vouches, and the best.
        case answer
    }

    private(set) var recall: HomeRecall
    private(set) var told = Told()
    private(set) var answer: HomeRecall.Answer?
    private var known: HomeView.Known?
    private var scored: HomeRecall.Scored?
    private var candidates: [Candidate] = []
    private var intervals: [Range<Int64>] = []

    /// What the other homes need to know.
    struct Told: Sendable {
        var synonyms: [[EmbeddingSpace: [Synonym]]] = []
        var actors: [String] = []
        var first = Timestamp.distantFuture
        var words = WordStatistics()
        var wordMoments = WordMoments()
        var vectorMoments: [EmbeddingSpace: Moments] = [:]
        /// The scores of what each way of finding found, the best first.
        var wordList: [Float] = []
        var vectorLists: [EmbeddingSpace: [Float]] = [:]
        var candidateCount = 0
    }

    init(_ recall: HomeRecall) { self.recall = recall }

    /// Does a step, by what all homes told after the one before.
    func after(
        _ step: Step, _ shared: SharedStatistics, _ indexes: VectorIndexes, kept: KeptSets? = nil,
        in transaction: borrowing ReadTransaction
    ) throws -> HomeWork {
        var work = self
        work.recall.kept = kept
        var laps = HomeRecall.Laps()
        switch step {
        case .lookUp: try work.lookUp(in: transaction)
        case .count:
            let words = words(shared)
            let view = try HomeView(words, kept: kept, in: transaction)
            work.told.words = try WordScores.statistics(of: words, view, in: transaction)
            work.known = view.known
        case .score: try work.score(shared, indexes, &laps, in: transaction)
        case .gather: try work.gather(shared, indexes, &laps, in: transaction)
        case .answer: try work.finish(shared, indexes, &laps, in: transaction)
        }
        return work
    }

    private mutating func lookUp(in transaction: borrowing ReadTransaction) throws {
        recall = try recall.settled(in: transaction)
        let query = recall.query
        if recall.weights.synonyms > 0, query.channels.contains(.words) {
            told.synonyms = try recall.words.synonyms(in: transaction)
        }
        guard query.channels.contains(.context) else { return }
        let reading = QuestionReading(query.text, now: recall.now)
        if reading.namesTimes {
            told.first = try QuestionReading.first(try HomeState.read(in: transaction), in: transaction)
        }
        if recall.weights.actor != 0 {
            told.actors = try reading.possibleActors(in: transaction).map(\.key)
        }
    }

    /// The words of the question, with those that any home knows to mean about the same.
    private func words(_ shared: SharedStatistics) -> WordQuery {
        let weight = recall.weights.synonyms
        return weight > 0 ? recall.words.expanded(weight, by: shared.synonyms) : recall.words
    }

    private mutating func score(
        _ shared: SharedStatistics, _ indexes: VectorIndexes, _ laps: inout HomeRecall.Laps,
        in transaction: borrowing ReadTransaction
    ) throws {
        let words = words(shared)
        let unchanged = try known.flatMap { try HomeView(unchanged: $0, kept: recall.kept, in: transaction) }
        let view = try unchanged ?? HomeView(words, kept: recall.kept, in: transaction)
        let scored = try recall.scored(words, view, shared, indexes, &laps, in: transaction)
        if let words = scored.own.words { told.wordMoments = words.moments }
        let found = recall.lists(scored)
        told.wordList = found.words.passages.map { scored.own.words?.total($0) ?? 0 }
        for (vectors, (space, list)) in zip(scored.own.vectors, found.vectors) {
            told.vectorMoments[space] = vectors.moments
            told.vectorLists[space] = list.passages.map { vectors.score($0) }
        }
        known = nil
        self.scored = scored
    }

    /// The home in this snapshot, and its scores; these are read again where it has changed.
    private mutating func reopened(
        _ shared: SharedStatistics, _ indexes: VectorIndexes, _ laps: inout HomeRecall.Laps,
        in transaction: borrowing ReadTransaction
    ) throws -> (view: HomeView, scored: HomeRecall.Scored, isUnchanged: Bool) {
        if let scored, let view = try HomeView(unchanged: scored.known, kept: recall.kept, in: transaction) {
            return (view, scored, true)
        }
        let words = words(shared)
        let view = try HomeView(words, kept: recall.kept, in: transaction)
        return (view, try recall.scored(words, view, shared, indexes, &laps, in: transaction), false)
    }

    private mutating func gather(
        _ shared: SharedStatistics, _ indexes: VectorIndexes, _ laps: inout HomeRecall.Laps,
        in transaction: borrowing ReadTransaction
    ) throws {
        let (view, scored, _) = try reopened(shared, indexes, &laps, in: transaction)
        self.scored = nil
        try gather(scored, view, shared, &laps, in: transaction)
    }

    private mutating func gather(
        _ scored: consuming HomeRecall.Scored, _ view: HomeView, _ shared: SharedStatistics,
        _ laps: inout HomeRecall.Laps, in transaction: borrowing ReadTransaction
    ) throws {
        if scored.eligibleCount > 0 {
            scored.own.compare(with: shared, in: recall.embeddings.map(\.space))
            scored.found = recall.lists(scored, shared)
            if recall.query.fusion == .ranks { scored.own.rank(by: scored.found) }
            let vouching = try recall.gathered(&scored, view, shared, in: transaction)
            (candidates, intervals, scored.own) = (vouching.candidates, vouching.intervals, vouching.own)
            told.candidateCount = candidates.count
        }
        scored.timings.ranking += laps.lap()
        self.scored = scored
    }

    private mutating func finish(
        _ shared: SharedStatistics, _ indexes: VectorIndexes, _ laps: inout HomeRecall.Laps,
        in transaction: borrowing ReadTransaction
    ) throws {
        let (view, found, isUnchanged) = try reopened(shared, indexes, &laps, in: transaction)
        if !isUnchanged { try gather(found, view, shared, &laps, in: transaction) }
        guard let scored = self.scored else { return }
        self.scored = nil
        guard scored.eligibleCount > 0 else {
            answer = recall.nothing(scored, view, shared, &laps)
            return
        }
        var vouching = recall.vouching(scored, view, shared)
        (vouching.candidates, vouching.intervals) = (candidates, intervals)
        answer = try recall.answer(vouching, scored, shared, &laps, in: transaction)
    }
}
