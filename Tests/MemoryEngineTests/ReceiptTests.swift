import Foundation
import Testing

@testable import MemoryEngine
@testable import Store

@Suite struct `Receipts` {
    let atlas = Namespace.project("atlas")
    let user = Namespace.user("u-7")
    let other = Namespace.agent("bot", tenant: "acme")

    /// Three homes with a memory each, and a receipt over all of them, which lies in the first by path.
    private func filled() async throws -> (store: ScratchStore, ids: [Namespace: MemoryID], recall: RecallID)
    {
        let store = try ScratchStore()
        var ids: [Namespace: MemoryID] = [:]
        for home in [atlas, user, other] {
            ids[home] = try await store.engine.remember(
                "The token of the deploy in \(home)", in: home == user ? home.session("s") : home
            ).id
        }
        return (store, ids, try await receipt(store.engine))
    }

    private func receipt(_ engine: Engine) async throws -> RecallID {
        var query = RecallQuery("zorba token", in: [atlas: 1, user: 1, other: 1])
        query.keepReceipt = true
        let recall = try await engine.recall(query)
        #expect(recall.count == 3 && !recall.leftOut.contains { $0.hasPrefix("receipt") })
        return recall.id
    }

    @Test func `take an outcome without being told where they lie, also in a home that is not open`()
        async throws
    {
        let (store, _, recall) = try await filled()
        try await store.engine.record(.success, of: recall)
        await store.engine.close()
        let engine = try store.reopened()
        try await engine.record(.failure, of: recall)
        let outcome = try await engine.read(in: other) { try Lookup.receipt(recall, in: $0)?.outcome }
        #expect(outcome == .failure)
        let unknown = try #require(RecallID("01a214db-0826-7dde-8a06-b2758a584f66"))
        let error = await refusal { try await engine.record(.success, of: unknown) }
        #expect(error?.code == .notFound && error?.message.contains("keepReceipt") == true)
        await engine.close()
    }

    private func traces(_ engine: Engine) async throws -> Int {
        try await engine.entries(of: other).filter { entry in
            Data(entry.value).range(of: Data("zorba".utf8)) != nil
        }.count
    }

    @Test(arguments: 0..<5)
    func `go with a memory of another home that they cite, however it is forgotten`(way: Int) async throws {
        let (store, ids, recall) = try await filled()
        let engine = store.engine
        #expect(try await traces(engine) == 1)
        try await engine.record(.success, of: recall, in: other)
        let id = try #require(ids[way == 4 ? atlas : user])
        var receipts: Int?
        switch way {
        case 0: receipts = try await engine.forget(.id(id), under: user).counts["receipts"]
        case 1: receipts = try await engine.forget(.everything, under: user.session("s")).counts["receipts"]
        case 2: receipts = try await engine.forget(.everything, under: user).counts["receipts"]
        case 3:
            receipts = try await engine.forget(.filter(.principal("tester")), under: user).counts["receipts"]
        default:
            let now = store.clock.time
            try await engine.update(id, in: atlas) { $0.expires = now }
            #expect(try await engine.vacuum(in: atlas).expired == 1)
        }
        #expect(receipts == (way == 4 ? nil : 1))
        #expect(try await traces(engine) == 0)
        #expect(try await engine.stats(in: other).receipts == 0)
        let error = await refusal { try await engine.record(.success, of: recall, in: other) }
        #expect(error?.code == .notFound)
        for home in try engine.homes() { try await engine.expectClean(home) }
    }

    @Test func `stay when memories that they do not cite are forgotten`() async throws {
        let (store, _, _) = try await filled()
        let engine = store.engine
        let unrelated = try await engine.remember("unrelated", in: user).id
        try await engine.forget(.id(unrelated), under: user)
        let elsewhere = try await engine.remember("token", in: .user("u-8")).id
        try await engine.forget(.id(elsewhere), under: .user("u-8"))
        #expect(try await engine.stats(in: other).receipts == 1)
    }

    @Test func `leave no name of their home behind when it is forgotten`() async throws {
        let (store, _, _) = try await filled()
        let engine = store.engine
        let noted = try await engine.homesCiting(atlas)
        #expect(noted == [other])
        try await engine.forget(.everything, under: other)
        for home in [atlas, user] {
            #expect(try await engine.homesCiting(home).isEmpty)
            let entries = try await engine.entries(of: home)
            #expect(!entries.contains { Data($0.key).range(of: Data("acme".utf8)) != nil })
        }
    }

    @Test func `are found after the home that they cite, or their own, was restored`() async throws {
        let (store, ids, _) = try await filled()
        let engine = store.engine
        let path = store.directory.path + "-snapshot"
        defer {
            for end in ["", ".manifest.json"] { try? FileManager.default.removeItem(atPath: path + end) }
        }
        // A snapshot of before the receipt knows nothing of it.
        let fresh = try ScratchStore()
        try await fresh.engine.importMemories(try await engine.exported(user))
        _ = try await fresh.engine.snapshot(of: user, to: path)
        try await engine.restore(from: path, replacing: true)
        #expect(try await engine.homesCiting(user) == [other])
        // A copy of the receipt's home cites too.
        for end in ["", ".manifest.json"] { try? FileManager.default.removeItem(atPath: path + end) }
        _ = try await engine.snapshot(of: other, to: path)
        try await engine.restore(from: path, as: .project("copy"))
        try await engine.forget(.id(try #require(ids[user])), under: user)
        #expect(try await engine.stats(in: other).receipts == 0)
        #expect(try await engine.stats(in: .project("copy")).receipts == 0)
    }

    @Test func `are not kept of a memory that is forgotten while the recall goes on`() async throws {
        let (store, ids, _) = try await filled()
        let engine = store.engine
        var query = RecallQuery("zorba token", in: [atlas: 1, user: 1, other: 1])
        let hits = try await engine.recall(query).hits
        query.keepReceipt = true
        for home in [user, other] {
            try await engine.forget(.id(try #require(ids[home])), under: home)
            #expect(try await engine.stats(in: other).receipts == 0)
            var leftOut: [String] = []
            try await engine.keepReceipt(
                RecallID(rawValue: 5), query, hits, store.clock.time, in: other, &leftOut)
            #expect(leftOut.count == 1)
            #expect(try await engine.stats(in: other).receipts == 0)
        }
        try await engine.expectClean(other)
    }
}
