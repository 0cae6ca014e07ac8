import Store

/// Which embedding space a home uses. Both are settings of the home.
struct SpaceRoles: Equatable, Sendable {
    /// What texts and questions are embedded in; `nil` = nobody chose, and the engine's embedder tells.
    var current: EmbeddingSpace?
    /// What a re-embedding is filling: what is remembered meanwhile gets its vectors there too.
    var next: EmbeddingSpace?

    static let currentName = "space.current"
    static let nextName = "space.next"

    static func read(in transaction: borrowing ReadTransaction) throws -> SpaceRoles {
        SpaceRoles(
            current: try space(currentName, in: transaction), next: try space(nextName, in: transaction))
    }

    private static func space(
        _ name: String, in transaction: borrowing ReadTransaction
    ) throws -> EmbeddingSpace? {
        // What names no space is as good as none.
        try Settings.value(name, in: transaction).flatMap { EmbeddingSpace(name: $0) }
    }

    func write(in transaction: borrowing WriteTransaction) throws {
        try Settings.set(Self.currentName, current?.name, in: transaction)
        try Settings.set(Self.nextName, next?.name, in: transaction)
    }
}
