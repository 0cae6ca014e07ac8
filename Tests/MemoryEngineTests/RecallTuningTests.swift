import Foundation
import Testing

@testable import MemoryEngine
@testable import Store

@Suite struct `Weights of recall` {
    let atlas = Namespace.project("atlas")

    /// Questions that are answered by what has their words in its title, while others speak of them more.
    private func labelled(_ store: ScratchStore) async throws -> [LabelledQuestion] {
        var questions: [LabelledQuestion] = []
        for number in 0..<12 {
            let id = try await store.engine.remember(
                "Word\(number) at length\n\nIt is told elsewhere, and by others who were there.", in: atlas
            ).id
            for other in 0..<11 {
                try await store.engine.remember(
                    "word\(number) length length word\(number) \(other)", in: atlas)
            }
            questions.append(LabelledQuestion(RecallQuery("word\(number) length", in: atlas), evidence: [id]))
        }
        return questions
    }

    @Test func `are fitted to what answers, and are better for questions that were not fitted`() async throws
    {
        let store = try ScratchStore()
        let questions = try await labelled(store)
        var start = RecallSettings()
        start.weights.titles = 0
        let progress = Mutex<(done: Int, total: Int)>((0, 0))
        let tuning = try await store.engine.tuneRecall(questions, from: start) { done, total in
            progress.withLock { $0 = (done, total) }
        }
        #expect(tuning.isBetter && tuning.heldOutAfter.recall > tuning.before.recall + 0.5)
        #expect(tuning.after.gain > tuning.before.gain && tuning.questionCount == 12)
        #expect(tuning.settings.weights.titles > 0)
        let (done, total) = progress.withLock { $0 }
        #expect(done > 0 && done <= total)
        // Kept by the home, they count wherever a query does not say otherwise.
        let query = questions[3].query
        try await store.engine.setRecallSettings(start, in: atlas)
        let before = try await store.engine.recall(query)
        try await store.engine.setRecallSettings(tuning.settings, in: atlas)
        #expect(try await store.engine.recallSettings(in: atlas) == tuning.settings)
        let after = try await store.engine.recall(query)
        #expect(!before.contains { questions[3].evidence.contains($0.memory.id) })
        #expect(after.contains { questions[3].evidence.contains($0.memory.id) })
        var own = query
        own.weights = start.weights
        #expect(try await store.engine.recall(own).map(\.memory.id) == before.map(\.memory.id))
        // They are ground state.
        try await store.engine.rebuild(in: atlas)
        #expect(try await store.engine.recallSettings(in: atlas) == tuning.settings)
        try await store.engine.setRecallSettings(nil, in: atlas)
        #expect(try await store.engine.recallSettings(in: atlas) == nil)
        #expect(questions[3].evidence.contains(try await store.engine.recall(query)[0].memory.id))
    }

    @Test func `are not better where nothing but chance is to be fitted`() async throws {
        let store = try ScratchStore()
        var ids: [MemoryID] = []
        for number in 0..<40 {
            ids.append(try await store.engine.remember("note \(number) of the same words", in: atlas).id)
        }
        let questions = (0..<12).map { number in
            LabelledQuestion(RecallQuery("the same words", in: atlas), evidence: [ids[number * 3]])
        }
        let tuning = try await store.engine.tuneRecall(questions)
        #expect(!tuning.isBetter)
    }

    @Test func `are refused beyond their bounds, and fitted to enough questions only`() async throws {
        let store = try ScratchStore()
        let id = try await store.engine.remember("one", in: atlas).id
        let question = LabelledQuestion(RecallQuery("one", in: atlas), evidence: [id])
        for questions in [[], Array(repeating: question, count: 9)] {
            await #expect(throws: EngineError.self) { try await store.engine.tuneRecall(questions) }
        }
        var without = Array(repeating: question, count: 10)
        without[4].evidence = []
        await #expect(throws: EngineError.self) { try await store.engine.tuneRecall(without) }
        for weight in [-101, 101, Double.nan, .infinity] {
            var settings = RecallSettings()
            settings.weights.reply = weight
            await #expect(throws: EngineError.self) {
                try await store.engine.setRecallSettings(settings, in: atlas)
            }
        }
        await #expect(throws: EngineError.self) {
            try await store.engine.setRecallSettings(RecallSettings(lexicalWeight: 1.5), in: atlas)
        }
        await #expect(throws: EngineError.self) {
            try await store.engine.recallSettings(in: .project("other"))
        }
        #expect(try await store.engine.recallSettings(in: atlas) == nil)
    }

    @Test func `are read as they were written, and unknown ones passed over`() {
        var settings = RecallSettings(lexicalWeight: 0.25)
        settings.weights.reply = -3.125
        settings.weights.titles = 0
        #expect(RecallSettings(text: settings.text) == settings)
        #expect(RecallSettings(text: settings.text + " future=7") == settings)
        #expect(RecallSettings(text: "") == RecallSettings())
        for text in ["reply", "reply=", "reply=x", "reply=101", "lexical=2", "reply=nan"] {
            #expect(RecallSettings(text: text) == nil, "\(text)")
        }
    }

    @Test func `ask at the time that a query says`() async throws {
        let store = try ScratchStore()
        var draft = MemoryDraft("The deploy was made")
        draft.happened = Timestamp("2020-03-05")!...Timestamp("2020-03-05")!
        try await store.engine.remember(draft, in: atlas)
        var query = RecallQuery("what was made yesterday", in: atlas)
        #expect(try await store.engine.recall(query)[0].parts.calendar == 0)
        query.now = Timestamp("2020-03-06T10:00Z")
        #expect(try await store.engine.recall(query)[0].parts.calendar > 0)
        // What has expired is not there again for that.
        var brief = MemoryDraft("The deploy was made for a moment")
        brief.expires = store.clock.advance().advanced(by: .seconds(1))
        try await store.engine.remember(brief, in: atlas)
        #expect(try await store.engine.recall(query).count == 2)
        store.clock.advance()
        store.clock.advance()
        #expect(try await store.engine.recall(query).count == 1)
    }
}
