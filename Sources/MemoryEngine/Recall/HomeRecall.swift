import Store

/// A recall in one home, over one snapshot: candidates by words and vectors, fused by normalised scores; what
/// stands around them vouches (`Vouching`); the best are decoded. Where other homes are asked too, it goes in steps
/// (`HomeWork`), and what is much is a matter of all of them (`SharedStatistics`).
struct HomeRecall {
    let query: RecallQuery
    let words: WordQuery
    /// The question's vector in each space that takes part.
    let embeddings: [Embedding]
    /// The question in the space of what is attached: what the text tower of its model makes of the words, or what is shown.
    var media: MediaQuestion?
    /// The share of words that the embedder advises.
    let advisedLexicalWeight: Double?
    /// The space of an embedder that knows no meanings.
    let spelledSpace: EmbeddingSpace?
    let intent: Intent
    /// What is asked of this home: the weight of all of it, and of single sessions.
    let home: Namespace
    let homeWeight: Double?
    let sessionWeights: [String: Double]
    /// When it is asked.
    let now: Timestamp
    /// What has expired by then is gone: now, whenever it is asked.
    let expiry: Timestamp
    let deadline: ContinuousClock.Instant?
    /// What the query says, or the home, or the defaults: settled by `settled`.
    var weights = RecallWeights()
    var lexicalWeight = Self.lexicalWeight
    var isTuned = false
    /// What earlier recalls of the home found, and this one may use.
    var kept: KeptSets?

    /// The share of words, where nobody says another.
    static let lexicalWeight = 0.35

    /// The best of each way of finding that become candidates.
    static let candidateCount = 100

    struct Answer: Sendable {
        var hits: [Hit] = []
        var timings = Recall.Timings()
        var leftOut: [String] = []
        var sequence: UInt64 = 0
        var signs = ConfidenceSigns()
        var explanation: RecallExplanation?
    }

    /// What was measured of the time so far.
    struct Laps {
        private var mark = ContinuousClock.now
        mutating func lap() -> Duration {
            let start = mark
            mark = ContinuousClock.now
            return mark - start
        }
    }

    /// How many of the best of each way of finding become candidates.
    var listCount: Int { max(Self.candidateCount, query.limit * 2) }

    private var includesSummaries: Bool {
        query.includesSummaries || query.filter?.asksForSummaries ?? false
    }

    private var isLate: Bool { deadline.map { ContinuousClock.now >= $0 } ?? false }

    /// All of a recall of one home, over one snapshot.
    func run(
        _ indexes: VectorIndexes, kept: KeptSets?, in transaction: borrowing ReadTransaction
    ) throws -> Answer {
        var settled = try settled(in: transaction)
        settled.kept = kept
        var laps = Laps()
        let words = try settled.words.expanded(settled.weights.synonyms, in: transaction)
        let view = try HomeView(words, kept: kept, in: transaction)
        var scored = try settled.scored(words, view, nil, indexes, &laps, in: transaction)
        guard scored.eligibleCount > 0 else { return settled.nothing(scored, view, nil, &laps) }
        scored.found = settled.lists(scored)
        if query.fusion == .ranks { scored.own.rank(by: scored.found) }
        let vouching = try settled.gathered(&scored, view, nil, in: transaction)
        return try settled.answer(vouching, scored, nil, &laps, in: transaction)
    }

    /// With what the query says, or the home, or the defaults.
    func settled(in transaction: borrowing ReadTransaction) throws -> HomeRecall {
        var settled = self
        let settings = try query.settings ?? RecallSettings.read(in: transaction)
        settled.weights = query.weights ?? (settings?.weights ?? RecallWeights()).adjusted(for: intent)
        if !query.weightOverrides.isEmpty {
            for (name, path) in RecallWeights.names {
                if let weight = query.weightOverrides[name] { settled.weights[keyPath: path] = weight }
            }
        }
        settled.lexicalWeight =
            query.lexicalWeight ?? settings?.lexicalWeight ?? advisedLexicalWeight ?? Self.lexicalWeight
        settled.isTuned = query.weights == nil && settings != nil
        return settled
    }

    /// What words and vectors say of the passages of a home. It outlives the snapshot that it was read in.
    struct Scored: Sendable {
        var words: WordQuery
        var known: HomeView.Known
        var eligible: PassageSet
        var eligibleCount = 0
        var visible: PassageSet
        var own: OwnScores
        var spaces: [EmbeddingSpace] = []
        var found = FoundLists()
        var leftOut: [String] = []
        var timings = Recall.Timings()
    }

    /// Looks for the words and vectors of the question.
    ///
    /// - Parameter shared: `nil` = this home alone is asked; then nothing is looked for where nothing may be a hit.
    func scored(
        _ words: WordQuery, _ view: HomeView, _ shared: SharedStatistics?, _ indexes: VectorIndexes,
        _ laps: inout Laps, in transaction: borrowing ReadTransaction
    ) throws -> Scored {
        if let least = query.atLeast, view.state.sequence < least {
            throw EngineError(
                .invalid, "\(home) is at commit \(view.state.sequence); commit \(least) was asked for")
        }
        let eligible = try passages(query.filter, view, in: transaction)
        var scored = Scored(
            words: words, known: view.known, eligible: eligible, visible: eligible,
            own: ownScores(nil, []))
        scored.eligibleCount = eligible.count
        guard scored.eligibleCount > 0 || shared != nil else { return scored }
        if query.filter != nil { scored.visible = try passages(nil, view, in: transaction) }
        let compared = try compared(scored.visible, view, in: transaction)
        scored.timings.filter = laps.lap()

        var wordScores: WordScores?
        if query.channels.contains(.words), !words.isEmpty {
            let scores = try WordScores(
                words, view, k1: query.k1, b: query.b, titleWeight: weights.titles, compared: compared,
                shared: shared?.words, eligible: eligible, bestCount: listCount, in: transaction)
            if weights.titles != 0, view.state.wordsVersion < Schema.wordsVersion {
                scored.leftOut.append(
                    "\(home): titles: open the home for writing once, as `loci vacuum` does")
            }
            if scores.isCut { scored.leftOut.append("\(home): words beyond the bound on postings") }
            wordScores = scores
        }
        scored.timings.words = laps.lap()
        let (spaces, vectorScores) = try vectors(
            view, indexes, eligible, scored.eligibleCount, compared, &scored.leftOut, in: transaction)
        scored.timings.vectors = laps.lap()
        scored.spaces = spaces
        scored.own = ownScores(wordScores, vectorScores)
        return scored
    }

    private func ownScores(_ words: WordScores?, _ vectors: [VectorScores]) -> OwnScores {
        OwnScores(
            words: words, vectors: vectors, lexicalWeight: lexicalWeight, media: media?.embedding.space,
            mediaShare: 1 - (query.lexicalWeight ?? media?.lexicalWeight ?? Self.lexicalWeight))
    }

    /// The answer where nothing may be a hit.
    func nothing(
        _ scored: Scored, _ view: HomeView, _ shared: SharedStatistics?, _ laps: inout Laps
    ) -> Answer {
        var answer = Answer()
        answer.sequence = view.state.sequence
        answer.leftOut = scored.leftOut
        if query.explains {
            let nothing = vouching(scored, view, shared)
            answer.explanation = RecallExplanation(
                home, nothing, FoundLists(), scored.words, 0, isTuned: isTuned)
        }
        answer.timings = scored.timings
        answer.timings.filter += laps.lap()
        return answer
    }

    /// Gathers candidates, and lets what stands beside them in their threads vouch. `scored` lends its scores for it.
    func gathered(
        _ scored: inout Scored, _ view: HomeView, _ shared: SharedStatistics?,
        in transaction: borrowing ReadTransaction
    ) throws -> Vouching {
        var vouching = vouching(scored, view, shared)
        // There is one copy of the scores, so that those which are made up for are not copied all.
        scored.own = ownScores(nil, [])
        guard query.channels.contains(.context) else {
            try vouching.gather(onlyFound: scored.found, in: transaction)
            return vouching
        }
        if weights.calendar != 0 || weights.event != 0 {
            let reading = QuestionReading(query.text, now: now)
            if let shared {
                if reading.namesTimes { vouching.intervals = reading.intervals(since: shared.first) }
            } else {
                vouching.intervals = try reading.intervals(view.state, in: transaction)
            }
        }
        let causes =
            weights.causes == 0 && weights.references == 0
            ? nil : try CausalEdges(weights, asOf: query.asOf, validAt: query.validAt ?? now, in: transaction)
        try vouching.gather(scored.found, causes, in: transaction)
        try vouching.vouchByThread(in: transaction)
        return vouching
    }

    /// What vouches, before anything does.
    func vouching(_ scored: Scored, _ view: HomeView, _ shared: SharedStatistics?) -> Vouching {
        let count = shared?.words.passageCount ?? view.state.currentPassages
        return Vouching(
            view: view, weights: weights.scaled(toPassages: count), eligible: scored.eligible,
            visible: scored.visible, own: scored.own)
    }

    /// Lets all else vouch, and reads the best.
    func answer(
        _ gathered: Vouching, _ scored: Scored, _ shared: SharedStatistics?, _ laps: inout Laps,
        in transaction: borrowing ReadTransaction
    ) throws -> Answer {
        var answer = Answer()
        answer.sequence = gathered.view.state.sequence
        answer.leftOut = scored.leftOut
        answer.timings = scored.timings
        var vouching = gathered
        if query.channels.contains(.context) { try vouch(&vouching, shared, in: transaction) }
        // What nothing speaks for is no answer, however little else there is.
        vouching.candidates.removeAll { candidate in
            candidate.parts.context <= 0 && candidate.parts.calendar <= 0 && candidate.parts.causes <= 0
                && !vouching.own.matches(candidate.passage)
        }
        answer.signs = try ConfidenceSigns(
            vouching, scored.found, asked(vouching), spelled: spelledSpace, in: transaction)
        try weigh(&vouching, in: transaction)
        answer.timings.ranking += laps.lap()
        if query.explains {
            answer.explanation = RecallExplanation(
                home, vouching, scored.found, scored.words, scored.eligibleCount, isTuned: isTuned)
        }
        answer.hits = try decode(vouching, scored.found, &answer.explanation, in: transaction)
        answer.timings.decoding = laps.lap()
        return answer
    }

    /// The words of the question but those that only name a time: what was said then rarely says when it was.
    private func asked(_ vouching: Vouching) -> [AskedWord] {
        let asked = vouching.own.words?.asked ?? []
        if vouching.intervals.isEmpty { return asked }
        let terms = QuestionReading(query.text, now: now).termsBesideTimes
        return asked.filter { terms.contains($0.term) }
    }

    /// What may be given of the namespaces that are asked.
    private func passages(
        _ filter: Filter?, _ view: HomeView, in transaction: borrowing ReadTransaction
    ) throws -> PassageSet {
        try FilterEvaluation(view: view).eligible(
            asOf: query.asOf, validAt: query.validAt ?? now, now: expiry,
            sessions: homeWeight == nil ? Set(sessionWeights.keys) : nil, filter: filter,
            includesOwn: includesSummaries, in: transaction)
    }

    /// The passages whose scores say what is much: those of current versions (`nil` = all are), and of another time
    /// those that were there then, or the summaries that are asked for; else its best would be measured by what is nothing like it.
    private func compared(
        _ visible: PassageSet, _ view: HomeView, in transaction: borrowing ReadTransaction
    ) throws -> PassageSet? {
        guard view.hasClosed else { return nil }
        var compared = try FilterEvaluation(view: view).flagged(.current, in: transaction)
        if query.asOf != nil || query.validAt != nil || includesSummaries { compared.formUnion(visible) }
        return compared
    }

    private func vectors(
        _ view: HomeView, _ indexes: VectorIndexes, _ eligible: PassageSet, _ eligibleCount: Int,
        _ compared: PassageSet?, _ leftOut: inout [String], in transaction: borrowing ReadTransaction
    ) throws -> ([EmbeddingSpace], [VectorScores]) {
        guard query.channels.contains(.vectors) else { return ([], []) }
        var spaces: [EmbeddingSpace] = []
        var scores: [VectorScores] = []
        for embedding in embeddings + [media?.embedding].compactMap({ $0 }) {
            guard let space = view.spaces.first(where: { $0.space == embedding.space }), space.nextSlot > 0
            else {
                leftOut.append("\(home): no vectors in \(embedding.space.name)")
                continue
            }
            if isLate {
                leftOut.append("\(home): vectors in \(embedding.space.name) (deadline)")
                continue
            }
            spaces.append(embedding.space)
            let found = try VectorScores(
                embedding.vector, space, view, eligible: eligible, eligibleCount: eligibleCount,
                current: compared, indexes.index(of: space), limit: listCount, in: transaction
            ) { isLate }
            if found.isCut { leftOut.append("\(home): some vectors in \(embedding.space.name) (deadline)") }
            scores.append(found)
        }
        return (spaces, scores)
    }

    /// The best by each way of finding.
    ///
    /// - Parameter shared: its ranks count where other homes are asked too.
    func lists(_ scored: Scored, _ shared: SharedStatistics? = nil) -> FoundLists {
        let own = scored.own
        var found = FoundLists()
        if let words = own.words {
            found.words = FoundList(words.best, ranks: shared.map { $0.wordRanks[home] ?? [] })
        }
        for (space, vectors) in zip(scored.spaces, own.vectors) {
            found.vectors.append(
                (
                    space,
                    FoundList(
                        vectors.best(listCount, of: scored.eligible),
                        ranks: shared.map { $0.vectorRanks[space]?[home] ?? [] })
                ))
        }
        return found
    }

    /// Lets what stands around candidates vouch, other than their threads.
    private func vouch(
        _ vouching: inout Vouching, _ shared: SharedStatistics?, in transaction: borrowing ReadTransaction
    ) throws {
        try vouching.vouchBySession(
            among: shared?.candidateCount ?? vouching.candidates.count, in: transaction)
        if weights.actor != 0 {
            let reading = QuestionReading(query.text, now: now)
            let (view, visible) = (vouching.view, vouching.visible)
            let named =
                if let shared {
                    try reading.namedActors(view, shared.actors, among: visible, in: transaction)
                } else {
                    try reading.namedActors(view, among: visible, in: transaction)
                }
            if !named.isEmpty { try vouching.vouchByActors(named, in: transaction) }
        }
        try vouching.vouchByCalendar(in: transaction)
        // Weights of namespaces may yet bring up what stands low.
        let limit = max(query.limit, ConfidenceSigns.depth)
        try vouching.vouchByEvents(for: sessionWeights.isEmpty ? limit : .max, in: transaction)
    }

    /// Multiplies scores by the weight of the namespace that a passage lies in.
    private func weigh(
        _ vouching: inout Vouching, in transaction: borrowing ReadTransaction
    ) throws {
        var weights: [UInt64: Double] = [:]
        for (session, weight) in sessionWeights {
            if let number = try Names.number(of: session, .session, in: transaction) {
                weights[UInt64(number)] = weight
            }
        }
        let whole = homeWeight ?? 0
        if weights.isEmpty, whole == 1 { return }
        let passages = vouching.candidates.map(\.passage)
        let sessions = try vouching.view.values(.session, of: passages, in: transaction) {
            UInt64($0.session)
        }
        for index in vouching.candidates.indices {
            let weight = max(whole, weights[sessions[index]] ?? 0)
            // A negative score becomes worse with a smaller weight, as a positive one does.
            let factor = vouching.candidates[index].score >= 0 ? weight : 1 / max(weight, 1e-6)
            vouching.candidates[index].factor = factor
            vouching.candidates[index].parts.scale(by: factor)
        }
    }

    /// Reads the best memories, each by its best passage.
    private func decode(
        _ vouching: Vouching, _ found: FoundLists, _ explanation: inout RecallExplanation?,
        in transaction: borrowing ReadTransaction
    ) throws -> [Hit] {
        let paths = try HitPaths(vouching, found, in: transaction)
        var hits: [Hit] = []
        var seen = Set<UInt64>()
        let duplicates =
            query.foldsDuplicates ? Duplicates(asOf: query.asOf, validAt: query.validAt ?? now) : nil
        let beginnings = query.validAt.map { Beginnings(asOf: query.asOf, validAt: $0) }
        var placeOfOriginal: [UInt64: Int] = [:]
        for index in vouching.ranked {
            let candidate = vouching.candidates[index]
            if hits.count == query.limit { break }
            let passage = [candidate.passage]
            let row = try vouching.view.values(.row, of: passage, in: transaction) { $0.row }[0]
            guard seen.insert(row).inserted else { continue }
            let place = try PassagePlaces(of: passage, vouching.view, in: transaction)
            let (version, range) = (place.version(0), place.range(0))
            if try beginnings?.isLater(row, version: version, in: transaction) == true { continue }
            if let original = try duplicates?.original(of: row, in: transaction) {
                if let place = placeOfOriginal[original] {
                    if let head = try HeadRecord.read(row, in: transaction) {
                        hits[place].duplicates.append(head.id)
                    }
                    continue
                }
                placeOfOriginal[original] = hits.count
            }
            let part = try vouching.view.values(.part, of: passage, in: transaction) { UInt64($0.part) }[0]
            let (memory, text) = try MemoryReader(home: home).hit(
                row, version, part: part, range, in: transaction)
            hits.append(
                Hit(
                    memory: memory, score: candidate.score, parts: candidate.parts, passage: text,
                    path: try paths.path(of: candidate, in: transaction)))
            explanation?.factors[memory.id] = candidate.factor
            explanation?.scores[memory.id] = RecallExplanation.scores(
                of: candidate.passage, vouching.own, found)
        }
        return hits
    }
}

/// Puts a memory together from its records.
struct MemoryReader {
    let home: Namespace

    /// A version, and the passage of it that was found.
    func hit(
        _ row: UInt64, _ number: UInt32, part: UInt64, _ range: Range<Int>,
        in transaction: borrowing ReadTransaction
    ) throws -> (Memory, Hit.Passage) {
        let (memory, record) = try memory(row, number, in: transaction)
        let bytes = try record.content(row, number, range, in: transaction)
        let citation = Citation(
            namespace: memory.namespace, id: memory.id, version: memory.version, range: range)
        return (
            memory,
            Hit.Passage(part: Int(part), text: String(decoding: bytes, as: UTF8.self), citation: citation)
        )
    }

    func memory(
        _ row: UInt64, _ number: UInt32, in transaction: borrowing ReadTransaction
    ) throws -> (Memory, VersionRecord) {
        guard let head = try HeadRecord.read(row, in: transaction),
            let record = try VersionRecord.read(row, number, in: transaction)
        else { throw StoreError(.corrupted, "a passage belongs to row \(row), which is not there") }
        return (try memory(row, head, number, record, in: transaction), record)
    }

    func memory(
        _ row: UInt64, _ head: HeadRecord, _ number: UInt32, _ record: VersionRecord,
        in transaction: borrowing ReadTransaction
    ) throws -> Memory {
        let fields = record.fields
        guard
            let content = String(
                validating: try record.content(row, number, in: transaction), as: UTF8.self)
        else { throw StoreError(.corrupted, "the content of memory \(head.id) is not valid UTF-8") }
        return Memory(
            id: head.id, version: number, namespace: fields.session.map(home.session) ?? home,
            content: content,
            kind: MemoryKind(rawValue: fields.kind), actor: fields.actor, thread: fields.thread,
            turn: head.series == 0 ? nil : head.turn, key: head.key,
            recorded: Timestamp(
                microseconds: record.recordedFrom)..<Timestamp(microseconds: record.recordedUntil),
            valid: fields.valid.timestamps, happened: fields.happened.timestamps,
            expires: fields.expires == .max ? nil : Timestamp(microseconds: fields.expires),
            isPinned: fields.isPinned, importance: fields.importance, tags: fields.tags,
            keywords: fields.keywords, attributes: fields.attributes, origin: fields.origin,
            attachments: fields.attachments, isCurrent: record.isCurrent)
    }
}

extension Range<Int64> {
    var timestamps: Range<Timestamp> {
        Timestamp(microseconds: lowerBound)..<Timestamp(microseconds: upperBound)
    }
}
