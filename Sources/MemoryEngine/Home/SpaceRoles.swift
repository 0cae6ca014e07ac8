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
        guard let value = try Settings.value(name, in: transaction) else { return nil }
        guard let space = EmbeddingSpace(name: value) else {
            throw StoreError(.corrupted, "the setting `\(name)` names no space: `\(value.prefix(100))`")
        }
        return space
    }

    func write(in transaction: borrowing WriteTransaction) throws {
        try Settings.set(Self.currentName, current?.name, in: transaction)
        try Settings.set(Self.nextName, next?.name, in: transaction)
    }

    /// The same as changes of a mutation.
    var changes: [Mutation.Change] {
        [.setting(Self.currentName, current?.name), .setting(Self.nextName, next?.name)]
    }
}
