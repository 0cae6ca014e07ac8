import Glibc
import Store

/// A session, or a thread outside of sessions, of which a summary can be made.
struct Episode: Sendable {
    var session: String?
    /// Of the session or the thread.
    var name: String
    /// In the order of time.
    var memories: [StudiedMemory] = []
    var wordCount = 0
    /// The model that is asked to tell it; `nil` = its sentences are chosen.
    var model: String?

    /// The version of the rules: with another number, summaries are made again.
    static let rules: UInt16 = 1
    /// What was said or noted; a commit or a part of a document stands for itself.
    private static let kinds: Set<MemoryKind> = [.message, .event, .note]
    /// Fewer memories of fewer words are read as fast as their summary.
    private static let leastMemories = 8
    private static let leastWords = 200
    /// And with fewer than these, a summary would be most of it.
    private static let fewestWords = 80
    /// What had something within this time may be going on.
    private static let rest: Int64 = 3_600_000_000

    /// The episodes of a home that have enough in them, in the order of their first memory.
    ///
    /// - Complexity: O(bytes of the memories).
    static func all(in study: HomeStudy, at now: Timestamp, model: String? = nil) -> [Episode] {
        struct Series: Hashable {
            var session: String?
            var thread: String?
        }
        var places: [Series: Int] = [:]
        var episodes: [Episode] = []
        for memory in study.memories where kinds.contains(memory.kind) {
            guard memory.valid.contains(now.microseconds), let name = memory.session ?? memory.thread else {
                continue
            }
            let series = Series(session: memory.session, thread: memory.session == nil ? name : nil)
            let place = places[series] ?? episodes.count
            if place == episodes.count {
                places[series] = place
                episodes.append(Episode(session: memory.session, name: name, model: model))
            }
            episodes[place].memories.append(memory)
            episodes[place].wordCount += wordCount(memory.content.span)
        }
        episodes.removeAll {
            $0.memories.count < 2 || $0.wordCount < fewestWords
                || $0.memories.count < leastMemories && $0.wordCount < leastWords
        }
        for place in episodes.indices {
            episodes[place].memories.sort {
                ($0.happened.lowerBound, $0.passage) < ($1.happened.lowerBound, $1.passage)
            }
        }
        return episodes
    }

    /// Words as white space parts them.
    static func wordCount(_ utf8: Span<UInt8>) -> Int {
        var (count, isWord) = (0, false)
        for index in utf8.indices {
            let isSpace = utf8[index] <= 0x20
            if !isSpace, !isWord { count += 1 }
            isWord = !isSpace
        }
        return count
    }

    /// Whether nothing of it happened within the last hour, so that it may be over.
    func isAtRest(at now: Timestamp) -> Bool {
        memories.allSatisfy {
            !(now.microseconds - Self.rest..<now.microseconds + 1).contains($0.happened.lowerBound)
        }
    }

    /// In the namespace of the session, or of the home.
    var key: String { Self.key(of: name) }

    static func key(of name: String) -> String {
        let key = "loci/episode/" + name
        return key.utf8.count <= Names.maximumByteCount
            ? key : "loci/episode/" + MemoryID(digestOf: Array(name.utf8)).description
    }

    /// Of all that a summary is made of: what has the same is not made again.
    var digest: [UInt8] {
        var writer = ByteWriter(capacity: 2 + memories.count * 20)
        writer.u16(Self.rules)
        for memory in memories {
            writer.u128(memory.id.rawValue)
            writer.u32(memory.version)
        }
        if let model { writer.string(model) }
        return SHA256.digest(of: writer.bytes)
    }
}

/// How rare each word of a home is.
struct TermRarity: Sendable {
    private var frequency: [UInt32: Float] = [:]
    private var count: Float = 0

    init(_ study: HomeStudy) {
        for memory in study.memories {
            for word in Self.words(memory.content.span) { frequency[word, default: 0] += 1 }
            count += 1
        }
    }

    /// The distinct terms of a text, by hash.
    static func words(_ utf8: Span<UInt8>) -> Set<UInt32> {
        var words = Set<UInt32>()
        Tokenizer().forEachTerm(in: utf8) { words.insert(TermHash.hash($0)) }
        return words
    }

    /// Its inverse document frequency.
    func weight(_ word: UInt32) -> Float {
        logf((count + 1) / (frequency[word, default: 0] + 0.5))
    }
}

/// The sentences that stand for an episode.
///
/// They are taken one after another, each time the one that adds most for its length: the words that no sentence taken before
/// has, each by how rare it is in the home and how often the episode says it. So nothing is said twice, and the sum is at least
/// near the best there is, as it is submodular (Lin and Bilmes, 2010; the concepts of Gillick and Favre, 2009, are words here).
/// On LoCoMo's sessions it holds more of what questions ask for than LexRank or centroids of the same length
/// (docs/decisions/0023-summaries-of-sentences.md).
struct EpisodeSummary: Sendable {
    /// In the order of the episode, each memory with the sentences taken from it.
    let parts: [(memory: StudiedMemory, ranges: [Range<Int>])]
    let content: String
    /// Who told it, where it is not made of sentences.
    let model: String?

    /// A tenth of the words, within these.
    private static let wordBounds = 40...maximumWordCount
    static let maximumWordCount = 150
    /// Of what a model tells, in bytes.
    private static let maximumByteCount = 8_192
    /// How much a word counts that the episode says often.
    private static let repetitionShare: Float = 0.5
    /// The power of a sentence's length that its words are divided by.
    private static let lengthPower: Float = 0.75
    /// Fewer words say nothing by themselves.
    private static let shortestSentence = 5
    /// Of greetings. A question tells nothing by itself.
    private static let asideFactor: Float = 0.5
    private static let greetings = Lexicon(
        [
            "hi", "hey", "hello", "bye", "goodbye", "thanks", "thank", "welcome", "congrats",
            "congratulations", "cheers", "sorry", "wow", "hallo", "danke", "bonjour", "merci", "salut",
            "hola", "gracias",
        ].map { ($0, 1) })

    private struct Sentence {
        var place: Int
        var range: Range<Int>
        var words: Set<UInt32>
        var wordCount: Int
        var factor: Float
    }

    /// - Returns: `nil` where no sentence is short enough.
    /// - Complexity: O(words × sentences taken).
    init?(_ episode: Episode, _ rarity: TermRarity) {
        var sentences: [Sentence] = []
        var frequency: [UInt32: Float] = [:]
        for (place, memory) in episode.memories.enumerated() {
            for range in PassageSplitter.sentences(of: memory.content.span) {
                let text = memory.content.span.extracting(range)
                let words = TermRarity.words(text)
                for word in words { frequency[word, default: 0] += 1 }
                sentences.append(
                    Sentence(
                        place: place, range: range, words: words, wordCount: Episode.wordCount(text),
                        factor: Self.factor(text)))
            }
        }
        var weights: [UInt32: Float] = [:]
        for (word, count) in frequency {
            weights[word] = rarity.weight(word) * (1 + Self.repetitionShare * logf(count))
        }
        var budget = min(
            max(episode.wordCount / 10, Self.wordBounds.lowerBound), Self.wordBounds.upperBound)
        var taken: [Sentence] = []
        while true {
            var best: (place: Int, value: Float)?
            for (place, sentence) in sentences.enumerated() where sentence.wordCount <= budget {
                let value = Self.value(sentence, weights)
                if value > best?.value ?? 0 { best = (place, value) }
            }
            guard let best else { break }
            let sentence = sentences.remove(at: best.place)
            budget -= sentence.wordCount
            // A word that is said has been said.
            for word in sentence.words { weights[word] = 0 }
            taken.append(sentence)
        }
        guard !taken.isEmpty else { return nil }
        let ranges = Dictionary(grouping: taken, by: \.place).sorted { $0.key < $1.key }
        model = nil
        parts = ranges.map { place, sentences in
            (episode.memories[place], sentences.map(\.range).sorted { $0.lowerBound < $1.lowerBound })
        }
        let hasSeveral = Set(episode.memories.map(\.actor)).count > 1
        content = parts.map { memory, ranges in
            let said = ranges.map { String(decoding: memory.content[$0], as: UTF8.self) }.joined(
                separator: " ")
            return hasSeveral ? (memory.actor.map { $0 + ": " } ?? "") + said : said
        }.joined(separator: "\n")
    }

    /// What a model told of an episode; it stands on all of its memories.
    ///
    /// - Returns: `nil` for nothing, or too much.
    init?(_ told: String, of episode: Episode) {
        guard told.contains(where: { !$0.isWhitespace }), told.utf8.count <= Self.maximumByteCount else {
            return nil
        }
        content = told
        model = episode.model
        parts = episode.memories.map { ($0, [$0.content.indices]) }
    }

    private static func value(_ sentence: Sentence, _ weights: [UInt32: Float]) -> Float {
        let sum = sentence.words.reduce(0) { $0 + (weights[$1] ?? 0) }
        return sentence.factor * sum / powf(Float(sentence.wordCount), lengthPower)
    }

    private static func factor(_ text: Span<UInt8>) -> Float {
        var reader = TokenReader(greetings)
        guard Episode.wordCount(text) >= shortestSentence, QuestionForm.read(text) != .mark else { return 0 }
        let isGreeting = reader.next(in: text).map { $0.tag != 0 } ?? false
        return isGreeting ? asideFactor : 1
    }
}

extension EpisodeSummary {
    /// The memory that it becomes.
    func draft(of episode: Episode) -> MemoryDraft {
        var draft = MemoryDraft(content)
        draft.kind = .summary
        draft.key = episode.key
        let start = episode.memories.map(\.happened.lowerBound).min() ?? 0
        let end = episode.memories.map(\.happened.upperBound).max() ?? start + 1
        draft.happened =
            Timestamp(microseconds: start)...Timestamp(microseconds: max(start, end - 1))
        // What it is made of is gone then, or not to be believed.
        if let expires = parts.map(\.memory.expires).min(), expires < .max {
            draft.expires = Timestamp(microseconds: expires)
        }
        draft.attributes = ["memories": .number(Double(episode.memories.count))]
        draft.origin = Origin(
            agent: VersionFields.entityPrincipal,
            model: model,
            source: Derivation.source(
                .episodes,
                says: "\(model == nil ? "sentences" : "told") of \(episode.memories.count) memories"),
            trust: parts.map(\.memory.trust).min() ?? .known)
        draft.origin.sourceDigest = episode.digest
        return draft
    }

    /// From the memory that it becomes to those that its sentences are from, each with the sentences. Another version has
    /// other edges, and one of another episode too.
    func edges(from id: MemoryID, version: UInt32, of episode: Episode) -> [NewEdge] {
        let digest = episode.digest
        return parts.map { memory, ranges in
            let derivation = Derivation(
                step: .episodes, kind: .derivedFrom, from: id, to: memory.id, weight: 1,
                says: model.map { "was told of it by \($0)" }
                    ?? (ranges.count == 1 ? "has a sentence of it" : "has \(ranges.count) sentences of it"),
                evidence: ranges.map(memory.evidence))
            var edge = derivation.edge
            let key = Key(prefix: 0x55).raw(digest).u32(version).u128(edge.id.rawValue)
            edge.id = EdgeID(rawValue: MemoryID(digestOf: key.bytes).rawValue)
            return edge
        }
    }
}
