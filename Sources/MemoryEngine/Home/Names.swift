import Store

/// Names that many passages share (kinds, actors, threads, sessions, principals) are stored once, and
/// stand in columns as numbers. Zero is "none".
enum NameClass: UInt8, CaseIterable {
    case kind = 1
    case actor = 2
    case thread = 3
    case session = 4
    case principal = 5
}

enum Names {
    /// The longest name in bytes.
    static let maximumByteCount = 256

    private static func key(_ nameClass: NameClass, _ name: String) -> Key {
        Schema.Shared.name.key.u8(nameClass.rawValue).raw(name.utf8)
    }

    /// The number of a name that is there already; `nil` for one that is not.
    static func number(
        of name: String, _ nameClass: NameClass, in transaction: borrowing ReadTransaction
    ) throws -> UInt32? {
        guard name.utf8.count <= maximumByteCount else { return nil }
        guard let value = try Schema.shared.get(key(nameClass, name), in: transaction) else { return nil }
        guard value.byteCount == 4 else { throw StoreError(.corrupted, "the number of a name is not one") }
        return value.u32(at: 0)
    }

    /// The number of a name that must be there; 0 for none.
    static func number(
        of name: String?, _ nameClass: NameClass, in transaction: borrowing ReadTransaction
    ) throws -> UInt32 {
        guard let name else { return 0 }
        guard let number: UInt32 = try number(of: name, nameClass, in: transaction) else {
            throw StoreError(.corrupted, "the name of a memory has no number")
        }
        return number
    }

    /// The number of a name, given to it now if it has none.
    static func intern(
        _ name: String?, _ nameClass: NameClass, _ state: inout HomeState,
        in transaction: borrowing WriteTransaction
    ) throws -> UInt32 {
        guard let name else { return 0 }
        if let number = try number(of: name, nameClass, in: transaction.snapshot) { return number }
        let number = state.nextName
        state.nextName += 1
        var writer = ByteWriter()
        writer.u32(number)
        try Schema.shared.put(key(nameClass, name), writer.bytes, in: transaction)
        writer = ByteWriter()
        writer.u8(nameClass.rawValue)
        writer.string(name)
        try Schema.shared.put(Schema.Shared.nameOfNumber.key.u32(number), writer.bytes, in: transaction)
        return number
    }

    /// The name of a number.
    static func name(
        of number: UInt32, _ nameClass: NameClass, in transaction: borrowing ReadTransaction
    ) throws -> String? {
        guard number != 0 else { return nil }
        guard let value = try Schema.shared.get(Schema.Shared.nameOfNumber.key.u32(number), in: transaction)
        else { throw StoreError(.corrupted, "there is no name \(number)") }
        var reader = ByteReader(value)
        guard try reader.u8() == nameClass.rawValue else {
            throw StoreError(.corrupted, "name \(number) is of another class")
        }
        return try reader.string()
    }

    /// All names of a class, with their numbers.
    static func all(
        _ nameClass: NameClass, in transaction: borrowing ReadTransaction
    ) throws -> [(name: String, number: UInt32)] {
        var names: [(String, UInt32)] = []
        try Schema.shared.scan(prefix: key(nameClass, ""), in: transaction) { key, value in
            guard let name = String(validating: key.copy(2..<key.byteCount), as: UTF8.self),
                value.byteCount == 4
            else { throw StoreError(.corrupted, "a name is not valid UTF-8") }
            names.append((name, value.u32(at: 0)))
            return true
        }
        return names
    }

    /// Removes a name that no passage has any more.
    static func remove(
        _ name: String, _ nameClass: NameClass, _ number: UInt32, in transaction: borrowing WriteTransaction
    ) throws {
        try Schema.shared.remove(key(nameClass, name), in: transaction)
        try Schema.shared.remove(Schema.Shared.nameOfNumber.key.u32(number), in: transaction)
    }
}
