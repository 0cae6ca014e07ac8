import ArgumentParser
import Embedders
import Foundation
import MemoryEngine

/// Memories of the kind of a folder's turns: the turns and, where more are asked for, mixtures of them.
struct MixedMemories {
    let data: EvaluationData
    let engine: Engine
    let home: Namespace
    /// It was there, filled.
    private(set) var isKept = false

    /// Mixtures come in threads of so many.
    private static let turnsPerThread = 25

    /// Fills a home of a store with so many, and folds and links them, unless it is there.
    ///
    /// - Returns: `nil`, and says so, where the folder lacks files.
    init?(
        _ count: Int, of folder: String, vectors: String?, at path: String, _ name: String,
        _ durability: Durability
    ) async throws {
        let missing = EvaluationData.missing(in: folder, vectors: vectors)
        guard missing.isEmpty else {
            print("bench \(name): skipped, because there is no \(missing.joined(separator: ", no "))")
            return nil
        }
        data = try EvaluationData(folder, vectors: vectors)
        guard data.turns.count > 1 else { throw ValidationError("\(folder) has fewer than two turns") }
        let embedder: (any Embedder)? = vectors == nil ? HashEmbedder() : VocabularyEmbedder(data)
        var options = Engine.benchOptions(durability)
        // One passage for each turn, so that it may bring its own vector.
        options.passageByteCount = 1 << 16
        engine = try Engine.open(at: path + "/" + name, embedder: embedder, options: options)
        home = .project(name)
        if try engine.homes().contains(home) {
            let found = try await engine.stats(in: home).memories
            guard found >= count else {
                throw ValidationError("the home in \(path) has \(found) memories only; remove it")
            }
            isKept = true
            return
        }
        try await fill(count)
        try await engine.settle(home)
    }

    private func fill(_ count: Int) async throws {
        var random = SeededRandom(seed: 11)
        for start in stride(from: 0, to: count, by: 1_000) {
            let drafts = (start..<min(start + 1_000, count)).map { place in
                place < data.turns.count
                    ? draft(data.turns[place], data.space) : mixture(place, data, &random)
            }
            for result in try await engine.remember(drafts, in: home) { _ = try result.get() }
        }
    }

    private func draft(_ turn: EvaluationData.Turn, _ space: EmbeddingSpace) -> MemoryDraft {
        var draft = MemoryDraft(turn.text)
        draft.kind = .message
        draft.actor = turn.speaker
        draft.thread = turn.conversation + "-" + (turn.session ?? "")
        draft.happened = turn.time...turn.time
        if let vector = turn.vector { draft.embeddings = [Embedding(vector, in: space)] }
        return draft
    }

    /// The beginning of one turn and the end of another.
    private func mixture(
        _ place: Int, _ data: EvaluationData, _ random: inout SeededRandom
    ) -> MemoryDraft {
        let one = data.turns[place % data.turns.count]
        let other = data.turns[Int(random.next() % UInt64(data.turns.count))]
        let (begin, end) = (one.text.split(separator: " "), other.text.split(separator: " "))
        var turn = one
        turn.text = (begin.prefix((begin.count + 1) / 2) + end.suffix((end.count + 1) / 2)).joined(
            separator: " ")
        turn.conversation = "mixture-\(place / Self.turnsPerThread)"
        turn.session = nil
        turn.time = one.time.advanced(by: .seconds(place))
        if let a = one.vector, let b = other.vector {
            let share = Float.random(in: 0..<1, using: &random)
            let sum = zip(a, b).map { $0 + share * $1 + Float.random(in: -0.02...0.02, using: &random) }
            let norm = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
            turn.vector = sum.map { $0 / max(norm, 1e-6) }
        }
        return draft(turn, data.space)
    }
}
