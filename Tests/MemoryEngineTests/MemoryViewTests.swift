import Testing

@testable import MemoryEngine

@Suite struct `A view` {
    private let project = Namespace.project("atlas")
    private let user = Namespace.user("ada")
    private var session: Namespace { project.session("s1") }

    private func store() async throws -> ScratchStore {
        let store = try ScratchStore()
        let told: [(String, Namespace)] = [
            ("The deploy of the spring failed: its token had expired.", project),
            ("Deploys are signed off by two people.", project),
            ("Prefers short answers about a deploy.", user),
            ("The deploy of another session went well.", project.session("s0")),
            ("The deploy fails again today.", session), ("Shall I look at its log?", session),
            ("Yes, and tell me what the token says.", session),
        ]
        for (text, place) in told {
            store.clock.advance()
            try await store.engine.remember(MemoryDraft(text), in: place)
        }
        return store
    }

    @Test func `begins with what the session said lately, and goes on with what is recalled of each scope`()
        async throws
    {
        let store = try await store()
        let view = MemoryView(session: session, user: user, project: project)
        let pack = try await store.engine.context(
            for: "Why did the deploy fail?", in: view, tokenBudget: 2_000)
        let lately = pack.entries.prefix(3)
        #expect(
            lately.map(\.text) == [
                "The deploy fails again today.", "Shall I look at its log?",
                "Yes, and tell me what the token says.",
            ])
        #expect(lately.allSatisfy { $0.scope == .session && $0.note == "lately" })
        let recalled = pack.entries.dropFirst(3)
        #expect(Set(recalled.map(\.scope)) == [.user, .project])
        #expect(recalled.first { $0.scope == .user }?.citation.namespace == user)
        // Nothing is given twice.
        #expect(Set(pack.entries.map(\.citation.id)).count == pack.entries.count)
        #expect(pack.text.contains("session | ") && pack.text.contains("user | "))
        #expect(pack.tokenCount == TokenCounter.estimate.count(pack.text))
        // It is stored nowhere.
        for home in [project, user] {
            #expect(try await store.engine.stats(in: home).receipts == 0)
            try await store.engine.expectClean(home)
        }
    }

    @Test func `leaves half of its budget to what is recalled, and keeps the newest of the session`()
        async throws
    {
        let store = try await store()
        for number in 0..<40 {
            store.clock.advance()
            try await store.engine.remember("Step \(number) of the search in the log is done.", in: session)
        }
        var view = MemoryView(session: session, user: user, project: project)
        for budget in [200, 400, 1_000] {
            let pack = try await store.engine.context(
                for: "Why did the deploy fail?", in: view, tokenBudget: budget)
            #expect(pack.tokenCount <= budget)
            let lately = pack.entries.filter { $0.note == "lately" }
            #expect(lately.last?.text == "Step 39 of the search in the log is done.")
            #expect(lately.count < 20 || budget == 1_000)
            #expect(TokenCounter.estimate.count(ContextPack.serialized(lately)) <= budget / 2)
            #expect(pack.entries.contains { $0.note == nil })
        }
        view.recentLimit = 0
        let without = try await store.engine.context(
            for: "Why did the deploy fail?", in: view, tokenBudget: 400)
        #expect(without.entries.allSatisfy { $0.note != "lately" })
        #expect(without.entries.contains { $0.scope == .session })
    }

    @Test func `is a question to its scopes, each with its weight`() {
        var view = MemoryView(session: session, user: user, project: project)
        #expect(view.query("deploy").namespaces == [session: 1, user: 1, project: 1])
        view.weights = [.user: 0.5]
        view.session = project
        #expect(view.query("deploy").namespaces == [user: 0.5, project: 1])
        view.session = session
        #expect(view.scope(of: session) == .session && view.scope(of: project.session("s2")) == .project)
        #expect(view.scope(of: user) == .user && view.scope(of: .user("grace")) == nil)
    }

    @Test func `without a scope is refused, and a session that is not there holds nothing`() async throws {
        let store = try await store()
        let engine = store.engine
        let refused = await refusal { try await engine.context(for: "x", in: MemoryView(), tokenBudget: 100) }
        #expect(refused?.code == .invalid)
        let view = MemoryView(session: .project("none").session("s"), user: user)
        let pack = try await engine.context(for: "Which deploy answers?", in: view, tokenBudget: 500)
        #expect(pack.entries.map(\.scope) == [.user])
    }
}
