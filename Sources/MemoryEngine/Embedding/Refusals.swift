/// What embedders refused, so that they are not asked about it again: texts, images and videos, each by its passage.
///
/// It is in memory alone, so that another process, which may know better settings or a model that takes more, asks once again.
final class Refusals: Sendable {
    private struct Refused: Hashable {
        let space: EmbeddingSpace
        let home: Namespace
        let id: MemoryID
        let version: UInt32
        let part: Int

        init(_ passage: UnembeddedPassage, _ space: EmbeddingSpace) {
            self.space = space
            (home, id) = (passage.namespace.home, passage.id)
            (version, part) = (passage.version, passage.part)
        }
    }

    /// Some hundred bytes each. Where there are more, all are asked about once more.
    static let maximumCount = 100_000

    private let all = Mutex<Set<Refused>>([])

    func contains(_ passage: UnembeddedPassage, in space: EmbeddingSpace) -> Bool {
        all.withLock { !$0.isEmpty && $0.contains(Refused(passage, space)) }
    }

    func insert(_ passage: UnembeddedPassage, in space: EmbeddingSpace) {
        all.withLock { all in
            if all.count >= Self.maximumCount { all = [] }
            all.insert(Refused(passage, space))
        }
    }
}
