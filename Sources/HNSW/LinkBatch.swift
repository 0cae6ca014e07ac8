import Store

/// What one step of the author writes, and what it began from.
package struct LinkBatch: Sendable {
    /// What a step does.
    package enum Work: String, Sendable {
        /// Writes the record of an index that will have a graph.
        case begin
        /// Links rows.
        case link
        /// Takes erased rows out of the graph.
        case repair
        /// Removes pages of a graph that is given up.
        case drop
    }

    struct Page: Sendable {
        let key: Key
        let payload: [UInt8]
    }

    package let work: Work
    /// The record that the step began from; `nil` if there was none.
    let base: IndexState?
    /// The record when it is done.
    let state: IndexState
    var pages: [Page] = []
    /// Pages that go.
    var removed: [Key] = []
    /// Notes of erased slots that are dealt with.
    var notes: [UInt32] = []

    /// How many pages its commit writes.
    package var pageCount: Int { pages.count }
    /// How many rows it links.
    package var linkedCount: Int { Int(state.linkedSlots) - Int(base?.linkedSlots ?? 0) }
}
