import Store

/// A recall in one home, over one snapshot: candidates by words and vectors, fused by normalised scores,
/// the previous memory of the thread as context, the best decoded.
struct HomeRecall {
    let query: RecallQuery
    let words: WordQuery
    /// The question's vector in each space that takes part.
    let embeddings: [Embedding]
    let lexicalWeight: Double
    /// What is asked of this home: the weight of all of it, and of single sessions.
    let home: Namespace
    let homeWeight: Double?
    let sessionWeights: [String: Double]
    let now: Timestamp
    let deadline: ContinuousClock.Instant?

    /// The best of each way of finding that become candidates.
    static let candidateCount = 100
    /// How much the previous memory of a thread vouches for the next: one that asks, and any other. Measured on
    /// conversations (LoCoMo): 0.6 and 0.1 are a flat optimum.
    static let contextOfQuestion = 0.6
    static let contextOfStatement = 0.1

    struct Answer: Sendable {
        var hits: [Hit] = []
        var timings = Recall.Timings()
        var leftOut: [String] = []
        var sequence: UInt64 = 0
    }

    private struct Candidate {
        var passage: UInt32
        var parts: Hit.ScoreParts
        var score: Double { parts.sum }
    }

    func run(in transaction: borrowing ReadTransaction) throws -> Answer {
        var answer = Answer()
        let clock = ContinuousClock()
        var mark = clock.now
        func lap() -> Duration {
            let start = mark
            mark = clock.now
            return mark - start
        }

        let view = try HomeView(words: words.words.map(\.term), prefixes: words.prefixes, in: transaction)
        answer.sequence = view.state.sequence
        if let least = query.atLeast, view.state.sequence < least {
            throw EngineError(
                .invalid, "\(home) is at commit \(view.state.sequence); commit \(least) was asked for")
        }
        let evaluation = FilterEvaluation(view: view)
        let eligible = try evaluation.eligible(
            asOf: query.asOf, validAt: query.validAt ?? now, now: now,
            sessions: homeWeight == nil ? Set(sessionWeights.keys) : nil, filter: query.filter,
            in: transaction)
        let eligibleCount = eligible.count
        answer.timings.filter = lap()
        guard eligibleCount > 0 else { return answer }

        // Ways of finding.
        var wordScores: WordScores?
        if query.channels.contains(.words), !words.isEmpty {
            let scores = try WordScores(words, view, k1: query.k1, b: query.b, in: transaction)
            if scores.isCut { answer.leftOut.append("\(home): words beyond the bound on postings") }
            wordScores = scores
        }
        answer.timings.words = lap()
        let hasClosed = view.state.currentPassages != UInt64(view.capacity)
        let current = hasClosed ? try evaluation.flagged(.current, in: transaction) : nil
        var vectorScores: [VectorScores] = []
        if query.channels.contains(.vectors) {
            for embedding in embeddings {
                guard let space = view.spaces.first(where: { $0.space == embedding.space }),
                    space.nextSlot > 0
                else {
                    answer.leftOut.append("\(home): no vectors in \(embedding.space.name)")
                    continue
                }
                if let deadline, clock.now >= deadline {
                    answer.leftOut.append("\(home): vectors in \(embedding.space.name) (deadline)")
                    continue
                }
                vectorScores.append(
                    try VectorScores(
                        embedding.vector, space, view, eligible: eligible, eligibleCount: eligibleCount,
                        current: current, in: transaction))
            }
        }
        answer.timings.vectors = lap()

        var passages = Set<UInt32>()
        let listCount = max(Self.candidateCount, query.limit * 2)
        if let wordScores {
            var top = TopList(capacity: listCount)
            for passage in wordScores.matched where eligible.contains(passage) {
                top.insert(wordScores.scores[Int(passage)], passage)
            }
            for item in top.items { passages.insert(item.passage) }
        }
        for scores in vectorScores {
            var top = TopList(capacity: listCount)
            eligible.forEachPassage { passage in
                let score = scores.scores[Int(passage)]
                if !score.isNaN { top.insert(score, passage) }
            }
            for item in top.items { passages.insert(item.passage) }
        }

        // Fusion: the words' share and the vectors' share of normalised scores.
        let hasBoth = wordScores != nil && !vectorScores.isEmpty
        let wordShare = hasBoth ? lexicalWeight : 1
        let vectorShare = (hasBoth ? 1 - lexicalWeight : 1) / Double(max(1, vectorScores.count))
        func own(_ passage: UInt32) -> Hit.ScoreParts {
            var parts = Hit.ScoreParts()
            if let wordScores { parts.words = wordShare * wordScores.normalized(passage) }
            for scores in vectorScores { parts.vectors += vectorShare * scores.normalized(passage) }
            return parts
        }
        var candidates = passages.sorted().map { Candidate(passage: $0, parts: own($0)) }
        if query.channels.contains(.context) {
            candidates.sort { $0.score != $1.score ? $0.score > $1.score : $0.passage < $1.passage }
            let answers = try followers(
                of: candidates.prefix(query.limit + 10).map(\.passage), view, eligible, in: transaction)
            for passage in answers where !passages.contains(passage) {
                candidates.append(Candidate(passage: passage, parts: own(passage)))
            }
            for index in candidates.indices {
                let previous = try view.previous(candidates[index].passage, in: transaction)
                guard previous < view.capacity else { continue }
                let flags = try view.flags(previous, in: transaction)
                if flags.contains(.erased) { continue }
                let weight = flags.contains(.question) ? Self.contextOfQuestion : Self.contextOfStatement
                candidates[index].parts.context = weight * own(previous).sum
            }
        }
        // What nothing speaks for is no answer, however little else there is.
        candidates.removeAll { candidate in
            (wordScores?.scores[Int(candidate.passage)] ?? 0) == 0 && candidate.parts.context == 0
                && !vectorScores.contains { $0.matches(candidate.passage) }
        }
        let ranked = try weighted(candidates, view, in: transaction)
        answer.timings.ranking = lap()
        answer.hits = try decode(ranked, view, in: transaction)
        answer.timings.decoding = lap()
        return answer
    }

    /// What follows passages that ask something, in their threads: an answer may share no word with
    /// its question.
    private func followers(
        of passages: [UInt32], _ view: HomeView, _ eligible: PassageSet,
        in transaction: borrowing ReadTransaction
    ) throws -> [UInt32] {
        var followers: [UInt32] = []
        for passage in passages where try view.flags(passage, in: transaction).contains(.question) {
            let row = try view.row(passage, in: transaction)
            guard let head = try HeadRecord.read(row.row, in: transaction), head.series != 0,
                head.turn < .max,
                let next = try Lookup.number(
                    Schema.memoryByTurn(head.series, head.turn + 1), in: transaction),
                let nextHead = try HeadRecord.read(next, in: transaction)
            else { continue }
            if eligible.contains(nextHead.firstPassage) { followers.append(nextHead.firstPassage) }
        }
        return followers
    }

    /// Multiplies scores by the weight of the namespace that a passage lies in, and sorts.
    private func weighted(
        _ candidates: [Candidate], _ view: HomeView, in transaction: borrowing ReadTransaction
    ) throws -> [Candidate] {
        var candidates = candidates
        var weights: [UInt32: Double] = [:]
        for (session, weight) in sessionWeights {
            if let number = try Names.number(of: session, .session, in: transaction) {
                weights[number] = weight
            }
        }
        for index in candidates.indices {
            var weight = homeWeight ?? 0
            if !weights.isEmpty {
                let session = try view.row(candidates[index].passage, in: transaction).session
                weight = max(weight, weights[session] ?? 0)
            }
            guard weight != 1 else { continue }
            // A negative score becomes worse with a smaller weight, as a positive one does.
            let factor = candidates[index].score >= 0 ? weight : 1 / max(weight, 1e-6)
            candidates[index].parts.words *= factor
            candidates[index].parts.vectors *= factor
            candidates[index].parts.context *= factor
        }
        return candidates.sorted { $0.score != $1.score ? $0.score > $1.score : $0.passage < $1.passage }
    }

    /// Reads the best memories, each by its best passage.
    private func decode(
        _ candidates: [Candidate], _ view: HomeView, in transaction: borrowing ReadTransaction
    ) throws -> [Hit] {
        var hits: [Hit] = []
        var seen = Set<UInt64>()
        for candidate in candidates {
            if hits.count == query.limit { break }
            let row = try view.row(candidate.passage, in: transaction)
            guard seen.insert(row.row).inserted else { continue }
            let reader = MemoryReader(home: home)
            let (memory, record) = try reader.memory(row.row, row.version, in: transaction)
            let range = Int(row.byteFrom)..<Int(row.byteFrom) + Int(row.byteCount)
            let bytes = try record.content(row.row, row.version, range, in: transaction)
            hits.append(
                Hit(
                    memory: memory, score: candidate.score, parts: candidate.parts,
                    passage: Hit.Passage(
                        part: Int(row.part), text: String(decoding: bytes, as: UTF8.self),
                        citation: Citation(
                            namespace: memory.namespace, id: memory.id, version: memory.version, range: range)
                    )))
        }
        return hits
    }
}

/// Puts a memory together from its records.
struct MemoryReader {
    let home: Namespace

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
