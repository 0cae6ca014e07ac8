import Store

/// What the tests of the store share: a file of two tables, and how to compare a table with a model.
enum StoreModel {
    static let first = Table(name: "first", index: 0)
    static let second = Table(name: "second", index: 1)
    static let tables = [first, second]

    static func open(
        _ file: CheckedHome.File, durability: Durability = .none, quota: Int = 1 << 30,
        isReadOnly: Bool = false,
        lock: WriterLock? = nil
    ) throws -> Environment {
        var options = Environment.Options()
        options.durability = durability
        options.mapSizeBytes = quota
        options.isReadOnly = isReadOnly
        options.writerLock = lock
        return try Environment.open(path: file.path, tables: tables, options: options)
    }

    static func put(
        _ bytes: [UInt8], at key: UInt64, in transaction: borrowing WriteTransaction
    ) throws {
        try first.put(Key().u64(key), bytes, in: transaction)
    }

    static func value(_ key: UInt64, in transaction: borrowing ReadTransaction) throws -> [UInt8]? {
        try first.get(Key().u64(key), in: transaction)?.array
    }

    static func value(_ key: UInt64, in environment: Environment) throws -> [UInt8]? {
        try environment.read { try value(key, in: $0) }
    }

    /// Every entry of a table, verified, in the order of keys.
    static func entries(_ table: Table, in transaction: borrowing ReadTransaction) throws -> [Entry] {
        var found: [Entry] = []
        try table.scan(prefix: Key(), in: transaction) { key, value in
            found.append(Entry(key: key.array, value: value.array))
            return true
        }
        return found
    }

    static func entries(_ table: Table, in environment: Environment) throws -> [Entry] {
        try environment.read { try entries(table, in: $0) }
    }

    struct Entry: Equatable {
        let key: [UInt8]
        let value: [UInt8]
    }

    /// The code of the error that `body` throws; `nil` if it throws none of the store's.
    static func code(_ body: () throws -> Void) -> StoreError.Code? {
        do { try body() } catch { return (error as? StoreError)?.code }
        return nil
    }

    static func asyncCode(_ body: () async throws -> Void) async -> StoreError.Code? {
        do { try await body() } catch { return (error as? StoreError)?.code }
        return nil
    }
}

extension [[UInt8]: [UInt8]] {
    /// The model of a table in the order that the table must have.
    var entries: [StoreModel.Entry] {
        sorted { $0.key.lexicographicallyPrecedes($1.key) }.map {
            StoreModel.Entry(key: $0.key, value: $0.value)
        }
    }
}
