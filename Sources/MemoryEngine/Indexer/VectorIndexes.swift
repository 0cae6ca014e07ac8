import HNSW
import Store

/// The vector indexes of an open home, one for each embedding space. They keep addresses and scratch memory from
/// search to search, so there is one of each as long as the home is open.
final class VectorIndexes: Sendable {
    let parameters: HNSWParameters
    private let indexOfSpace = Mutex<[UInt16: HNSWIndex]>([:])

    init(parameters: HNSWParameters = HNSWParameters()) { self.parameters = parameters }

    func index(of space: SpaceRecord) -> HNSWIndex {
        indexOfSpace.withLock { indexes in
            if let index = indexes[space.number] { return index }
            let index = HNSWIndex(table: Schema.link, segments: space.segments, parameters: parameters)
            indexes[space.number] = index
            return index
        }
    }

    /// Rows in segments that no graph holds, in a space that has one or is to get one: every search scans them.
    struct Backlog: Sendable {
        var space: SpaceRecord
        var byteCount: Int
    }

    /// The first space with something to do for its graph's author.
    func due(
        _ spaces: [SpaceRecord], in transaction: borrowing ReadTransaction
    ) throws -> Backlog? {
        for space in spaces {
            let index = index(of: space)
            guard try index.dueWork(space.extent, in: transaction) != nil else { continue }
            let linked = try index.state(in: transaction)?.linkedSlots ?? 0
            let rows = Int(space.segmentedSlots) - Int(min(linked, space.segmentedSlots))
            return Backlog(space: space, byteCount: rows * space.space.dimension * 4)
        }
        return nil
    }
}
