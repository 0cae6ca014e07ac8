import MemoryEngine

/// The memories that an import has read so far, so that edges to what is not there are refused before anything is
/// stored.
///
/// It holds an id of 16 bytes for each memory of an export, and nothing of its text.
struct KnownMemories {
    /// By home: an id says nothing outside of its own.
    private var ids: [Namespace: Set<MemoryID>] = [:]

    mutating func insert(_ memory: ExportedMemory) {
        guard let home = memory.versions.last?.memory.namespace.home else { return }
        ids[home, default: []].insert(memory.id)
    }

    /// Looks for the ends of an edge that lie in its home, among what was read and in the store. Evidence in memories
    /// that are not there is left out by the import, and so is no reason to refuse.
    ///
    /// - Throws: `EngineError`: `notFound`, which names the end.
    mutating func check(_ edge: Edge, in home: Namespace, _ engine: Engine) async throws {
        let leadsOut = edge.toHome.map { $0.home != home } ?? false
        for id in leadsOut ? [edge.from] : [edge.from, edge.to] {
            if Self.isOfName(id) || ids[home]?.contains(id) ?? false { continue }
            guard try await !engine.versions(of: id, in: home).isEmpty else {
                throw EngineError(
                    .notFound,
                    "there is no memory \(id) in \(home), and none stands before the edge that names it")
            }
            ids[home, default: []].insert(id)
        }
    }

    /// Whether it is the id of a name (a UUID of version 8, a digest): exports leave names out, because they are made
    /// anew of the words that have them.
    private static func isOfName(_ id: MemoryID) -> Bool { id.rawValue >> 76 & 0xF == 8 }
}
