import Foundation
import TestSupport
import Testing

@testable import MemoryEngine
@testable import Store

/// BM25 worked out slowly, from the texts alone.
struct SlowWordScores {
    struct Document {
        var id: MemoryID
        var terms: [(term: [UInt8], frequency: UInt8)]
        var length: UInt32
        var isCurrent: Bool
        /// The terms of its title, if it is a first passage.
        var title: Set<[UInt8]> = []
    }

    var documents: [Document] = []
    var scores: [Double] = []
    /// What words in titles add.
    var titles: [Double] = []
    var titleMean = 0.0
    var mean = 0.0
    var deviation = 0.0

    init(_ query: String, _ documents: [Document], k1: Double = 0.9, b: Double = 0.4, titleWeight: Double = 0)
    {
        self.documents = documents
        let terms = Tokenizer().query(query).terms.terms
        let current = documents.filter(\.isCurrent)
        let count = Double(max(1, current.count))
        let averageLength = max(1, current.reduce(0) { $0 + Double($1.length) } / count)
        let inverses = terms.map { word in
            let documentFrequency = Double(current.count { $0.terms.contains { $0.term == word.term } })
            return log(1 + (count - documentFrequency + 0.5) / (documentFrequency + 0.5))
        }
        titles = documents.map { document in
            zip(terms, inverses).reduce(0) {
                $0 + (document.title.contains($1.0.term) ? titleWeight * $1.1 : 0)
            }
        }
        scores = documents.map { document in
            zip(terms, inverses).reduce(0) { sum, term in
                let (word, inverse) = term
                guard let frequency = document.terms.first(where: { $0.term == word.term })?.frequency else {
                    return sum
                }
                let length = Double(LengthCode.lengths[Int(LengthCode.encode(document.length))])
                let norm = k1 * (1 - b + b * length / averageLength)
                let repetition = 2 * Double(word.frequency) / (Double(word.frequency) + 1)
                return sum + repetition * inverse * (k1 + 1) * Double(frequency)
                    / (Double(frequency) + norm)
            }
        }
        let mine = zip(scores, documents).filter(\.1.isCurrent).map(\.0)
        mean = mine.reduce(0, +) / count
        titleMean = zip(titles, documents).filter(\.1.isCurrent).reduce(0) { $0 + $1.0 } / count
        deviation = (mine.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot()
    }
}

@Suite struct `Scores of words` {
    let atlas = Namespace.project("atlas")
    static let vocabulary =
        (0..<60).map { "word\($0)" } + ["deploy", "token", "snake_case_name", "parseHTTPHeader", "東京都庁"]

    static func text(_ random: inout SeededRandom) -> String {
        (0..<1 + random.below(30)).map { _ in
            vocabulary[min(random.below(vocabulary.count), random.below(vocabulary.count))]
        }.joined(separator: " ")
    }

    /// A home with a past: some of it updated, retracted, forgotten and folded.
    static func fill(
        _ store: ScratchStore, _ random: inout SeededRandom, in home: Namespace, steps: Int = 120
    ) async throws {
        var ids: [MemoryID] = []
        for step in 0..<steps {
            store.clock.advance()
            switch ids.isEmpty ? 0 : random.below(10) {
            case 0...5:
                var draft = MemoryDraft(text(&random))
                if random.chance(0.2) { draft.content = text(&random) + "\n\n" + draft.content }
                if random.chance(0.2) { draft.kind = random.pick([.commit, .message]) }
                if random.chance(0.3) { draft.actor = "word\(random.below(5))" }
                if random.chance(0.3) { draft.keywords = ["token", "word7 word8"] }
                if random.chance(0.3) { draft.thread = "t\(random.below(3))" }
                ids.append(try await store.engine.remember(draft, in: home).id)
            case 6, 7:
                let content = text(&random)
                try await store.engine.update(random.pick(ids), in: home) { $0.content = content }
            case 8:
                let index = random.below(ids.count)
                try await store.engine.forget(.id(ids.remove(at: index)), under: home)
            default: _ = try? await store.engine.retract(random.pick(ids), in: home)
            }
            if step % 40 == 39, random.chance(0.7) { try await store.engine.fold(home) }
        }
    }

    /// All passages of all versions, told by the versions themselves.
    static func documents(_ store: ScratchStore, in home: Namespace) async throws -> [SlowWordScores.Document]
    {
        var documents: [SlowWordScores.Document] = []
        for memory in try await store.engine.exported(home) {
            for version in memory.versions {
                let content = Array(version.memory.content.utf8)
                let title = Title.range(in: content, kind: version.memory.kind).map {
                    Set(Tokenizer().terms(in: String(decoding: content[$0], as: UTF8.self)).terms.map(\.term))
                }
                for (part, range) in version.passages.enumerated() {
                    var text = String(decoding: Array(version.memory.content.utf8)[range], as: UTF8.self)
                    if let actor = version.memory.actor { text += "\n" + actor }
                    if part == 0 { text += version.memory.keywords.map { "\n" + $0 }.joined() }
                    let terms = Tokenizer().terms(in: text)
                    documents.append(
                        .init(
                            id: memory.id, terms: terms.terms, length: terms.length,
                            isCurrent: version.memory.isCurrent, title: part == 0 ? title ?? [] : []))
                }
            }
        }
        return documents
    }

    /// Compares the scores of some questions with those worked out slowly.
    private func compare(
        _ store: ScratchStore, _ documents: [SlowWordScores.Document], _ random: inout SeededRandom,
        count: Int
    ) async throws {
        for _ in 0..<count {
            let question = Self.text(&random)
            let (k1, b) = random.pick([(0.9, 0.4), (1.2, 0.75), (0, 0), (2, 1)])
            let slow = SlowWordScores(question, documents, k1: k1, b: b, titleWeight: 2)
            let bestCount = 1 + random.below(40)
            let fast = try #require(
                try await store.engine.read(in: atlas) { transaction in
                    let query = WordQuery(question, Tokenizer())
                    let view = try HomeView(
                        words: query.words.map(\.term), prefixes: query.prefixes, in: transaction)
                    return try WordScores(
                        query, view, k1: k1, b: b, titleWeight: 2, bestCount: bestCount, in: transaction)
                })
            #expect(abs(fast.mean - slow.mean) < 1e-4 && abs(fast.deviation - slow.deviation) < 1e-3)
            let matched = fast.scores.indices.filter { fast.scores[$0] > 0 }
            let found = matched.map { fast.scores[$0] }.sorted()
            let expected = slow.scores.filter { $0 > 0 }.sorted()
            #expect(found.count == expected.count)
            for (a, b) in zip(found, expected) { #expect(abs(Double(a) - b) < 1e-3 * max(1, b)) }
            #expect(abs(fast.totalMean - slow.mean - slow.titleMean) < 1e-3)
            let titles = matched.map { fast.total(UInt32($0)) - fast.scores[$0] }.sorted()
            let expectedTitles = zip(slow.titles, slow.scores).filter { $1 > 0 }.map(\.0).sorted()
            for (a, b) in zip(titles, expectedTitles) { #expect(abs(Double(a) - b) < 1e-3 * max(1, b)) }
            let ranked = matched.map { UInt32($0) }.sorted {
                fast.total($0) != fast.total($1) ? fast.total($0) > fast.total($1) : $0 < $1
            }
            #expect(fast.best == Array(ranked.prefix(bestCount)))
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `agree with BM25 worked out from the texts alone, after every kind of change`(
        seed: UInt64
    ) async throws {
        var random = SeededRandom(seed: seed)
        let store = try ScratchStore { $0.passageByteCount = 128 }
        try await Self.fill(store, &random, in: atlas)
        let documents = try await Self.documents(store, in: atlas)
        let state = try await store.engine.read(in: atlas) { try HomeState.read(in: $0) }
        #expect(state?.currentPassages == UInt64(documents.filter(\.isCurrent).count))
        #expect(state?.currentLength == documents.filter(\.isCurrent).reduce(0) { $0 + UInt64($1.length) })
        for isFolded in [false, true] {
            if isFolded { try await store.engine.fold(atlas) }
            try await compare(store, documents, &random, count: 25)
        }
        try await store.engine.expectClean(atlas)
    }

    /// Lets passages begin at a number, as if those below had been forgotten.
    private func begin(at passage: UInt32, _ store: ScratchStore) async throws {
        try await store.engine.withExistingHome(of: atlas) { home in
            try await home.environment.submit { transaction in
                var state = try HomeState.read(in: transaction.snapshot)
                state.nextPassage = passage
                state.foldedPassages = passage
                state.derivedPassages = passage
                try state.write(in: transaction)
            }
        }
    }

    @Test func `agree with it where passages lie in more than one range of postings`() async throws {
        var random = SeededRandom(seed: 5)
        let store = try ScratchStore()
        let first = try await store.engine.remember("Nothing yet.", in: atlas)
        try await store.engine.forget(.id(first.id), under: atlas)
        try await store.engine.fold(atlas)
        // A block of each column begins there.
        let start = UInt32(16 * Column.lengthCode.rowsPerBlock)
        #expect(start < Postings.rangeCount)
        try await begin(at: start, store)
        let drafts = (0..<1_400).map { _ in MemoryDraft(Self.text(&random)) }
        var ids: [MemoryID] = []
        for result in try await store.engine.remember(drafts, in: atlas) { ids.append(try result.get().id) }
        try await store.engine.fold(atlas)
        for id in ids[990..<1_040] { try await store.engine.forget(.id(id), under: atlas) }
        for id in ids[..<20] { try await store.engine.retract(id, in: atlas) }
        let state = try await store.engine.read(in: atlas) { try HomeState.read(in: $0) }
        #expect(state?.nextPassage ?? 0 > UInt32(Postings.rangeCount))
        try await compare(store, try await Self.documents(store, in: atlas), &random, count: 6)
    }

    /// What the index of words says, whatever the numbers of its terms: term → passage → frequency.
    private func index(_ store: ScratchStore) async throws -> [[UInt8]: [UInt32: UInt8]] {
        try #require(
            try await store.engine.read(in: atlas) { transaction in
                var index: [[UInt8]: [UInt32: UInt8]] = [:]
                try Schema.word.scan(prefix: Key(prefix: Schema.Word.term), in: transaction) { key, value in
                    var postings: [UInt32: UInt8] = [:]
                    try Postings.forEachBlock(of: value.u32(at: 0), in: transaction) { block in
                        for place in 0..<block.count {
                            postings[block.passage(at: place)] = block.frequency(at: place)
                        }
                    }
                    index[key.copy(1..<key.byteCount)] = postings
                    return true
                }
                return index
            })
    }

    private func rows(_ store: ScratchStore) async throws -> [PassageRow] {
        try #require(
            try await store.engine.read(in: atlas) { transaction in
                let view = try HomeView(in: transaction)
                return try (0..<UInt32(view.capacity)).map { passage in
                    var row = try view.row(passage, in: transaction)
                    // What a closed passage is the answer to may change with the memories around it.
                    if !row.flags.contains(.current) { row.previous = PassageRow.none }
                    return row
                }
            })
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `come from the same dictionary, postings and columns after a rebuild`(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let store = try ScratchStore { $0.passageByteCount = 128 }
        try await Self.fill(store, &random, in: atlas)
        try await store.engine.fold(atlas)
        let (words, columns) = (try await index(store), try await rows(store))
        let state = try await store.engine.read(in: atlas) { try HomeState.read(in: $0) }
        try await store.engine.rebuild(in: atlas)
        try await store.engine.expectClean(atlas)
        try await store.engine.fold(atlas)
        #expect(try await index(store) == words)
        let rebuilt = try await rows(store)
        #expect(rebuilt.count == columns.count)
        for (a, b) in zip(rebuilt, columns) { #expect(a == b) }
        let after = try await store.engine.read(in: atlas) { try HomeState.read(in: $0) }
        #expect(
            after?.currentPassages == state?.currentPassages && after?.currentLength == state?.currentLength)
        try await store.engine.expectClean(atlas)
    }

    @Test(arguments: [false, true])
    func `find prefixes, identifiers and parts of them, and signs by pairs`(isFolded: Bool) async throws {
        let store = try ScratchStore()
        let texts = [
            "The deployment of Friday was rolled back", "She deploys on Mondays",
            "call parse_http_header first",
            "parseHTTPHeader is deprecated", "東京都庁に行きました", "CVE-2024-1234 is fixed in libfoo-dev",
            "unrelated words",
        ]
        for text in texts { try await store.engine.remember(text, in: atlas) }
        if isFolded { try await store.engine.fold(atlas) }
        let cases: [(String, Set<Int>)] = [
            ("deploy*", [0, 1]), ("deploying", [0, 1]), ("header", [2, 3]), ("parse_http_header", [2]),
            ("parse_h*", [2]),
            ("東京", [4]), ("都庁", [4]), ("京都", [4]), ("CVE-2024-1234", [5]), ("libfoo", [5]), ("zebra*", []),
        ]
        for (question, expected) in cases {
            var query = RecallQuery(question, in: atlas)
            query.channels = [.words]
            let found = try await store.engine.recall(query).filter { $0.parts.words > 0 }.map {
                texts.firstIndex(of: $0.memory.content)!
            }
            #expect(Set(found).isSuperset(of: expected), "\(question): \(found)")
            // What is asked for as a whole is also found by its parts.
            if !question.contains("-"), question != "parse_http_header" {
                #expect(Set(found) == expected, "\(question): \(found)")
            }
        }
    }
}
