import HNSW
import Store

/// The vector indexes of an open home, one for each embedding space. They keep addresses and scratch memory from
/// search to search, so there is one of each as long as the home is open.
final class VectorIndexes: Sendable {
    let parameters: HNSWParameters
    /// Fewer erased slots are no reason to rewrite a space.
    let leastErased: UInt32
    private let indexOfSpace = Mutex<[UInt16: HNSWIndex]>([:])

    init(parameters: HNSWParameters = HNSWParameters(), leastErased: UInt32 = 1_024) {
        self.parameters = parameters
        self.leastErased = leastErased
    }

    func index(of space: SpaceRecord) -> HNSWIndex {
        indexOfSpace.withLock { indexes in
            // A number may have belonged to another space before.
            if let index = indexes[space.number], index.segments == space.segments { return index }
            let index = HNSWIndex(table: Schema.link, segments: space.segments, parameters: parameters)
            indexes[space.number] = index
            return index
        }
    }

    /// What is kept of a space whose number is free is of no use to the next one that gets it.
    func forget(_ space: SpaceRecord) { _ = indexOfSpace.withLock { $0.removeValue(forKey: space.number) } }

    struct Backlog: Sendable {
        var space: SpaceRecord
        /// Bytes of rows in segments that no graph holds, where searches scan them.
        var byteCount: Int
        /// Whether erased nodes are taken out of its graph.
        var repairs: Bool
    }

    /// Whether erased nodes are taken out of the graph of a space: not where a copy will take its place.
    func repairs(_ space: SpaceRecord, vacuums: Bool) -> Bool {
        !vacuums || !SpaceVacuum.isWorn(space, leastErased)
    }

    /// The first space with something to do for its graph's author: those that are searched come first.
    ///
    /// - Parameter vacuums: a copy will take the place of spaces that are worn: nothing is mended there any more, which after much
    ///   was forgotten at once would take far longer than to link the rest.
    func due(
        _ spaces: [SpaceRecord], vacuums: Bool, in transaction: borrowing ReadTransaction
    ) throws -> Backlog? {
        for space in [SpaceRecord.Stage.open, .leaving, .copy].flatMap({ stage in
            spaces.filter { $0.stage == stage }
        }) {
            let index = index(of: space)
            let repairs = self.repairs(space, vacuums: vacuums)
            guard try index.dueWork(space.extent, repairs: repairs, in: transaction) != nil else { continue }
            let linked = try index.state(in: transaction)?.linkedSlots ?? 0
            let rows = Int(space.segmentedSlots) - Int(min(linked, space.segmentedSlots))
            let isScanned = space.stage == .open
            return Backlog(
                space: space, byteCount: isScanned ? rows * space.space.dimension * 4 : 0, repairs: repairs)
        }
        return nil
    }
}
