import Store

/// How long a home keeps what is closed: versions that were updated, superseded or retracted.
///
/// A closed version goes when it is older than `age` and not among the newest `count` closed ones of its
/// memory; `vacuum` removes it. With both `nil`, the default, everything is kept.
public struct Retention: Sendable, Equatable {
    public var age: Duration?
    public var count: Int?

    public init(age: Duration? = nil, count: Int? = nil) {
        self.age = age
        self.count = count
    }

    func check() throws {
        guard age ?? .zero >= .zero, count ?? 0 >= 0 else {
            throw EngineError(.invalid, "neither the age nor the count of a retention is negative")
        }
    }

    fileprivate static let ageName = "retention.age.seconds"
    fileprivate static let countName = "retention.count"

    static func read(in transaction: borrowing ReadTransaction) throws -> Retention {
        let seconds = try Settings.value(ageName, in: transaction).flatMap { Int64($0) }
        let count = try Settings.value(countName, in: transaction).flatMap { Int($0) }
        return Retention(age: seconds.map { .seconds($0) }, count: count)
    }

    var changes: [Mutation.Change] {
        [
            .setting(Self.ageName, age.map { String($0.components.seconds) }),
            .setting(Self.countName, count.map { String($0) }),
        ]
    }
}

extension Engine {
    /// The retention of a home.
    ///
    /// - Throws: `EngineError`: `notFound`.
    public func retention(in namespace: Namespace) async throws -> Retention {
        guard let retention = try await read(in: namespace, { try Retention.read(in: $0) }) else {
            throw EngineError(.notFound, "there is no home \(namespace.home)")
        }
        return retention
    }

    /// Sets the retention of a home; what it lets go is removed by the next `vacuum`.
    ///
    /// - Throws: `EngineError`: `notFound`, `invalid` (a negative age or count).
    public func setRetention(_ retention: Retention, in namespace: Namespace) async throws {
        try checkWritable(namespace)
        try retention.check()
        let mutation = Mutation(
            at: options.clock(), changes: retention.changes)
        try await withExistingHome(of: namespace) { _ = try await $0.apply(mutation) }
    }
}
