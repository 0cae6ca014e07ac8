import HNSW
import Store

/// Links each memory to those that are about the same, by the nearest pair of their vectors, as notes are linked in A-Mem (Xu et
/// al., arXiv 2502.12110, section 3.2), without a model: the likeness that counts is measured in the home itself (`Likeness`).
/// What is much more alike than that, and says neither other numbers nor the opposite, says the same in other words.
struct NoteLinks {
    static let rules = 1
    /// The most links that lead from a memory.
    static let maximumCount = 4
    /// So far from the least likeness to 1 two memories are paraphrases.
    private static let paraphraseShare: Float = 0.6

    private let near: NearMemories
    private let space: SpaceRecord
    private let least: Float

    /// - Returns: `nil` if the home has no vectors of the space.
    init?(
        _ space: EmbeddingSpace, _ now: Timestamp, _ indexes: VectorIndexes,
        in transaction: borrowing ReadTransaction
    ) throws {
        let view = try HomeView(in: transaction)
        guard let record = view.spaces.first(where: { $0.space == space && $0.nextSlot > 0 }) else {
            return nil
        }
        self.space = record
        least = try Likeness.threshold(of: record, isBest: true, in: transaction)
        near = try NearMemories(
            likeIn: record, least: least, notExpiredAt: now, view, indexes, in: transaction)
    }

    /// The links of some memories.
    ///
    /// - Complexity: a search of the index for each passage, of eight passages at most.
    func find(
        for memories: [StudiedMemory], in transaction: borrowing ReadTransaction
    ) throws -> [Derivation] {
        var found: [Derivation] = []
        for memory in memories {
            guard let row = try Lookup.row(of: memory.id, in: transaction) else { continue }
            let words = SaidWords(memory.content)
            for other in try near.similar(to: row, in: transaction).prefix(Self.maximumCount) {
                guard let head = try HeadRecord.read(other.row, in: transaction),
                    let record = try VersionRecord.read(other.row, head.version, in: transaction),
                    record.isCurrent, !record.fields.isOwn, record.contentByteCount > 0
                else { continue }
                let count = min(Int(record.contentByteCount), StudiedMemory.maximumByteCount)
                let content = try record.content(other.row, head.version, 0..<count, in: transaction)
                let evidence = [
                    memory.evidence,
                    Evidence(id: head.id, version: head.version, range: 0..<UInt64(content.count)),
                ]
                // One link for both ways, from the younger to the older.
                let isYounger = memory.id > head.id
                let otherWords = SaidWords(content)
                let isParaphrase =
                    other.weight >= least + Self.paraphraseShare * (1 - least)
                    && words.numbers == otherWords.numbers && words.denials == otherWords.denials
                    && words.names == otherWords.names
                found.append(
                    Derivation(
                        step: .links, kind: isParaphrase ? .paraphrases : .relatesTo,
                        from: isYounger ? memory.id : head.id, to: isYounger ? head.id : memory.id,
                        weight: other.weight,
                        says:
                            "is like it by a vector: cosine \(Self.text(other.weight)), by chance below \(Self.text(least))",
                        evidence: isYounger ? evidence : evidence.reversed()))
            }
        }
        return found
    }

    private static func text(_ cosine: Float) -> String {
        let hundredths = Int((cosine * 100).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}
