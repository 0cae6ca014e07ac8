import TestSupport
import Testing

@testable import MemoryEngine
@testable import Store

@Suite struct `The words of a question that passages have` {
    private let atlas = Namespace.project("atlas")
    /// More than two blocks of postings hold.
    private static let count = 3_000

    /// "build" is in all, "red" in each third, "seldom" in one.
    private static func text(_ index: Int) -> String {
        "build \(index % 3 == 0 ? "red" : "green")" + (index == 1_500 ? " seldom" : "")
    }

    @Test(arguments: [true, false], 1...2 as ClosedRange<UInt64>)
    func `are those of their texts, whatever block or tail they stand in`(
        isFolded: Bool, seed: UInt64
    ) async throws {
        let store = try ScratchStore()
        _ = try await store.engine.remember((0..<Self.count).map { MemoryDraft(Self.text($0)) }, in: atlas)
        try await store.engine.fold(atlas)
        _ = try await store.engine.remember("seldom red", in: atlas)
        if isFolded { try await store.engine.fold(atlas) }
        var random = SeededRandom(seed: seed)
        let chosen = Set((0..<20).map { _ in UInt32.random(in: 0..<UInt32(Self.count), using: &random) })
        let passages = (chosen.union([0, 1_500, UInt32(Self.count)])).sorted()
        let found = try #require(
            try await store.engine.read(in: atlas) { try Self.held(by: passages, in: $0) })
        for passage in passages {
            let text = passage == Self.count ? "seldom red" : Self.text(Int(passage))
            let words = text.split(separator: " ").map(String.init)
            #expect(
                found[passage] == ["build", "red", "seldom"].map { words.contains($0) }, "passage \(passage)")
        }
        await store.engine.close()
    }

    /// Whether each passage has each word.
    @inline(never)
    private static func held(
        by passages: [UInt32], in transaction: borrowing ReadTransaction
    ) throws -> [UInt32: [Bool]] {
        let query = WordQuery("build red seldom", Tokenizer())
        let view = try HomeView(query, in: transaction)
        let asked = try WordScores(query, view, k1: 0.9, b: 0.4, in: transaction).asked
        var held: [UInt32: [Bool]] = [:]
        for term in ["build", "red", "seldom"] {
            let word = asked.filter { $0.term == Array(term.utf8) }
            let coverage = try WordCoverage(of: passages, word, view, in: transaction)
            for passage in passages { held[passage, default: []].append(coverage.worth(of: [passage]) > 0) }
        }
        return held
    }
}
