import Glibc

/// A question whose answers are known.
public struct LabelledQuestion: Sendable {
    /// What is asked and where, by which filter and when. Its weights and limit do not count.
    public var query: RecallQuery
    /// The memories that answer it.
    public var evidence: Set<MemoryID>

    public init(_ query: RecallQuery, evidence: Set<MemoryID>) {
        self.query = query
        self.evidence = evidence
    }
}

/// What fitting the weights of recall to labelled questions came to.
public struct RecallTuning: Sendable {
    /// How well questions were answered, in means over them.
    public struct Quality: Sendable, Equatable {
        /// The share of the evidence among the first ten hits.
        public var recall = 0.0
        /// Normalised discounted cumulative gain of the first ten hits (Järvelin and Kekäläinen, 2002), with a gain of 1
        /// for evidence.
        public var gain = 0.0

        /// What is fitted: the mean of both.
        var objective: Double { (recall + gain) / 2 }
    }

    /// The best settings for all of the questions.
    public var settings: RecallSettings
    /// With the settings that the fit began from, and with `settings`, over all questions that these were fitted to.
    public var before: Quality
    public var after: Quality
    /// Over questions that were not fitted: each half answered with what was fitted to the other half.
    public var heldOutAfter: Quality
    public var questionCount: Int
    /// The standard error of the mean by which questions that were not fitted are answered better.
    public var heldOutError: Double

    /// Whether what was fitted to one half was better for the other, by more than chance does in one of twenty (1.65 standard
    /// errors). Where it was not, the settings say something of these questions only, and are better left alone.
    public var isBetter: Bool {
        heldOutAfter.objective > before.objective + max(1e-9, 1.65 * heldOutError)
    }
}

extension Engine {
    /// Fits the weights of recall to questions whose answers are known: one weight after another is halved, doubled, left
    /// out and so on, and what is best for recall@10 and nDCG@10 stays (coordinate ascent). Nothing is stored; see
    /// `setRecallSettings`.
    ///
    /// - Parameters:
    ///   - questions: at least 10; some hundreds tell more, and differences of a point or less are chance below a thousand.
    ///   - start: where the search begins.
    ///   - progress: how many recalls were made, and how many there are at most.
    /// - Throws: `EngineError`: `invalid` (fewer questions, or one without evidence), and what `recall` throws;
    ///   `CancellationError`.
    /// - Complexity: O(weights) recalls a question, some 280 at most.
    public func tuneRecall(
        _ questions: [LabelledQuestion], from start: RecallSettings = RecallSettings(),
        progress: (@Sendable (Int, Int) -> Void)? = nil
    ) async throws -> RecallTuning {
        guard questions.count >= 10, questions.allSatisfy({ !$0.evidence.isEmpty }) else {
            throw EngineError(
                .invalid, "weights are fitted to 10 questions or more, each with the memories that answer it")
        }
        try start.check()
        var tuner = RecallTuner(engine: self, questions: questions, progress: progress)
        try await tuner.prepare()
        let all = Array(questions.indices)
        let halves = (0..<2).map { half in all.filter { $0 % 2 == half } }
        let before = try await tuner.quality(of: start, all)
        var heldOut = RecallTuning.Quality()
        let count = Double(all.count)
        var (sum, squares) = (0.0, 0.0)
        for half in 0..<2 {
            let fitted = try await tuner.fit(from: start, halves[half])
            for question in halves[1 - half] {
                let quality = try await tuner.quality(of: fitted, [question])
                heldOut.recall += quality.recall
                heldOut.gain += quality.gain
                let gained = try await quality.objective - tuner.quality(of: start, [question]).objective
                sum += gained
                squares += gained * gained
            }
        }
        heldOut.recall /= count
        heldOut.gain /= count
        let variance = max(0, squares - sum * sum / count) / (count - 1)
        let settings = try await tuner.fit(from: start, all)
        let after = try await tuner.quality(of: settings, all)
        return RecallTuning(
            settings: settings, before: before, after: after, heldOutAfter: heldOut,
            questionCount: questions.count, heldOutError: (variance / count).squareRoot())
    }
}

/// Asks labelled questions with one setting after another.
private struct RecallTuner {
    let engine: Engine
    var questions: [LabelledQuestion]
    let progress: (@Sendable (Int, Int) -> Void)?
    private var asked = 0
    /// What was measured already, by the settings and the first question of a part.
    private var known: [String: RecallTuning.Quality] = [:]

    /// What a weight is multiplied by; what is 0 is set to these instead.
    private static let factors = [0, 0.5, 0.7, 1.4, 2]
    private static let beginnings = [0.05, 0.1, 0.3, 1]
    private static let lexicalShares = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8]
    private static let rounds = 2
    private static let depth = 10

    init(
        engine: Engine, questions: [LabelledQuestion], progress: (@Sendable (Int, Int) -> Void)?
    ) {
        self.engine = engine
        self.questions = questions
        self.progress = progress
    }

    /// Recalls that are made at most: of two fits of a half, one of all, and what is measured beside.
    private var total: Int {
        let tries = Self.rounds * (RecallWeights.names.count * Self.factors.count + Self.lexicalShares.count)
        return questions.count * (2 * tries + 5)
    }

    /// Makes the vectors of all questions, once, and takes away what settings are to say.
    mutating func prepare() async throws {
        for index in questions.indices {
            var query = questions[index].query
            query.weights = nil
            query.weightOverrides = [:]
            query.lexicalWeight = nil
            query.limit = Self.depth
            query.order = .score
            query.keepReceipt = false
            query.embeddings = try await engine.embeddings(of: query)
            questions[index].query = query
        }
    }

    /// The best settings for some of the questions.
    mutating func fit(from start: RecallSettings, _ part: [Int]) async throws -> RecallSettings {
        var best = start
        var quality = try await quality(of: best, part)
        for _ in 0..<Self.rounds {
            let before = best
            for share in Self.lexicalShares where share != best.lexicalWeight {
                var other = best
                other.lexicalWeight = share
                try await take(other, &best, &quality, part)
            }
            for (_, path) in RecallWeights.names {
                let known = best.weights[keyPath: path]
                for value in known == 0 ? Self.beginnings : Self.factors.map({ $0 * known }) {
                    var other = best
                    other.weights[keyPath: path] = max(
                        -RecallWeights.maximum, min(RecallWeights.maximum, value))
                    try await take(other, &best, &quality, part)
                }
            }
            if best == before { break }
        }
        return best
    }

    /// Keeps settings that are better by more than one question in a thousand.
    private mutating func take(
        _ other: RecallSettings, _ best: inout RecallSettings, _ quality: inout RecallTuning.Quality,
        _ part: [Int]
    ) async throws {
        let found = try await self.quality(of: other, part)
        guard found.objective > quality.objective + 5e-4 else { return }
        best = other
        quality = found
    }

    /// How well some of the questions are answered.
    mutating func quality(of settings: RecallSettings, _ part: [Int]) async throws -> RecallTuning.Quality {
        let key = "\(part[0]) \(part.count) \(settings.text)"
        if let quality = known[key] { return quality }
        var quality = RecallTuning.Quality()
        for index in part {
            let question = questions[index]
            var query = question.query
            query.settings = settings
            let hits = try await engine.recall(query).hits.map { question.evidence.contains($0.memory.id) }
            let found = hits.count { $0 }
            quality.recall += Double(found) / Double(question.evidence.count)
            var gain = 0.0
            for (rank, isEvidence) in hits.enumerated() where isEvidence { gain += Self.discount(rank) }
            let ideal = (0..<min(Self.depth, question.evidence.count)).reduce(0) { $0 + Self.discount($1) }
            quality.gain += gain / ideal
            asked += 1
            if asked % 64 == 0 { progress?(asked, total) }
        }
        quality.recall /= Double(part.count)
        quality.gain /= Double(part.count)
        known[key] = quality
        return quality
    }

    /// Of the hit at a rank, from 0.
    private static func discount(_ rank: Int) -> Double { 1 / log2(Double(rank + 2)) }
}
