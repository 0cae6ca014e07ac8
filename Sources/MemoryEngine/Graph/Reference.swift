import Store

/// What a memory's words point to, as it was read. Whether it leads anywhere is found in the store.
struct Reference: Equatable, Sendable {
    enum Target: Hashable, Sendable {
        /// 7 to 40 hexadecimal digits, small letters.
        case commit(String)
        /// A key of the caller's.
        case key(String)
        /// The first line of a commit.
        case subject(String)
        /// A note, by its path, its file's name, its title or an alias (`NoteName`).
        case note(String)
        case entity(EntityName)
    }

    var target: Target
    var kind: EdgeKind
    var weight: Float
    var rule: DerivationRule
    /// The bytes of the content where it is said.
    var range: Range<UInt32>
}

/// What an entity is found by: its sort and its folded name.
struct EntityName: Hashable, Sendable {
    var sort: EntitySort
    var key: String
    /// As it was written where it was first found.
    var surface: String

    static func == (a: EntityName, b: EntityName) -> Bool { a.sort == b.sort && a.key == b.key }
    func hash(into hasher: inout Hasher) {
        hasher.combine(sort)
        hasher.combine(key)
    }

    /// The longest key in bytes; longer names are no entities.
    static let maximumByteCount = 200

    var aliasKey: Key { Schema.Shared.entityAlias.key.u8(sort.rawValue).raw(key.utf8) }

    /// The id of the entity of that name: the same in every home and after every rebuild (UUID version 8, of a
    /// SHA-256 of sort and key), so that edges to it keep their ends.
    var id: MemoryID {
        MemoryID(digestOf: [sort.rawValue] + Array(key.utf8))
    }
}

extension MemoryID {
    /// An id that is the same for the same bytes (UUID version 8, of a SHA-256).
    init(digestOf bytes: [UInt8]) {
        var value = SHA256.digest(of: bytes).prefix(16).reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        value &= ~(UInt128(0xf) << 76)
        value |= UInt128(8) << 76
        value &= ~(UInt128(3) << 62)
        value |= UInt128(2) << 62
        self.init(rawValue: value)
    }
}

/// What sort of thing an entity is, by the form of its name. The numbers are in files.
public enum EntitySort: UInt8, Sendable, CaseIterable {
    /// A capitalised phrase: a person, a place, a product.
    case name = 1
    case identifier = 2
    case flag = 3
    case code = 4
    case path = 5
    case url = 6
    case handle = 7
    case address = 8
    case issue = 9
    case version = 10
    /// Somebody who said or did something: the actor of a memory.
    case actor = 11

    public var name: String { "\(self)" }

    public init?(name: String) {
        guard let sort = EntitySort.allCases.first(where: { $0.name == name }) else { return nil }
        self = sort
    }
}

/// What memories cite by name, whether it is there or not: when a memory of that name comes later, the edge is made
/// then. Entities are not among them; they are made when they are first named.
enum References {
    /// Behind the prefix: a hash of the name, the citing row, the kind.
    static func key(_ name: UInt32, _ from: UInt64, _ kind: UInt16) -> Key {
        Key(prefix: Schema.Edge.reference).u32(name).u64(from).u16(kind)
    }
    static let keyByteCount = 15

    private static func nameHash(_ text: String) -> UInt32 { TermHash.hash(Array(text.utf8)) }

    /// What a target is filed under. Abbreviated hashes and whole ones meet in their first seven digits.
    static func name(of target: Reference.Target) -> UInt32? {
        switch target {
        case .commit(let hash): nameHash("h" + hash.prefix(7))
        case .key(let key): nameHash("k" + key)
        case .subject(let subject): nameHash(subjectName(subject))
        case .note(let name): nameHash(NoteName.name(of: name))
        case .entity: nil
        }
    }

    static func encode(_ reference: Reference, version: UInt32) -> [UInt8] {
        var writer = ByteWriter()
        switch reference.target {
        case .commit(let text):
            writer.u8(1)
            writer.string(text)
        case .key(let text):
            writer.u8(2)
            writer.string(text)
        case .subject(let text):
            writer.u8(3)
            writer.string(text)
        case .note(let text):
            writer.u8(4)
            writer.string(text)
        case .entity: preconditionFailure("an entity is made at once")
        }
        writer.f32(reference.weight)
        writer.u8(reference.rule.rawValue)
        writer.u32(version)
        writer.u32(reference.range.lowerBound)
        writer.u32(reference.range.upperBound)
        return writer.bytes
    }

    static func decode(_ value: RawSpan, kind: EdgeKind) throws -> (reference: Reference, version: UInt32) {
        var reader = ByteReader(value)
        let tag = try reader.u8()
        let text = try reader.string()
        let target: Reference.Target
        switch tag {
        case 1: target = .commit(text)
        case 2: target = .key(text)
        case 3: target = .subject(text)
        case 4: target = .note(text)
        default: throw StoreError(.corrupted, "a reference is of an unknown sort; run `loci rebuild`")
        }
        let weight = try reader.f32()
        guard weight > 0, weight <= 1, let rule = DerivationRule(rawValue: try reader.u8()) else {
            throw StoreError(.corrupted, "a reference is not one; run `loci rebuild`")
        }
        let version = try reader.u32()
        let from = try reader.u32()
        let until = try reader.u32()
        guard from <= until else { throw StoreError(.corrupted, "a citation ends before it begins") }
        try reader.finish()
        return (
            Reference(target: target, kind: kind, weight: weight, rule: rule, range: from..<until), version
        )
    }

    /// The names under which a memory may be cited beside its key: the first line of a commit, what a note is called.
    /// They are found in `shared` by their hashes.
    static func names(of content: [UInt8], _ fields: VersionFields) -> [String] {
        if let subject = subject(of: content, kind: fields.kind) { return [subjectName(subject)] }
        return NoteName.names(of: fields)
    }

    private static func subjectName(_ subject: String) -> String { "s" + subject }

    /// The hashes of all names under which a memory may be cited.
    static func hashes(key: String?, names given: [String]) -> [UInt32] {
        var names = given.map(nameHash)
        if let key {
            names.append(nameHash("k" + key))
            if let hash = commitHash(ofKey: key) { names.append(nameHash("h" + hash.prefix(7))) }
        }
        return names
    }

    /// The hash that a key names: `git:` and hexadecimal digits, as the import of histories gives them.
    static func commitHash(ofKey key: String) -> String? {
        guard key.hasPrefix(commitPrefix) else { return nil }
        let digits = String(key.dropFirst(commitPrefix.count))
        return isCommitHash(digits) ? digits : nil
    }

    static let commitPrefix = "git:"

    static func isCommitHash(_ text: String) -> Bool {
        (7...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// The subject under which a commit may be cited: its first line.
    static func subject(of content: [UInt8], kind: String) -> String? {
        guard kind == MemoryKind.commit.rawValue else { return nil }
        let line = content.prefix(400).prefix { $0 != 0x0A && $0 != 0x0D }
        guard line.count >= 4, line.count < 400 else { return nil }
        return String(decoding: line, as: UTF8.self)
    }

    /// Where a memory of a name is looked up; without a row, where all of that name are.
    static func nameKey(_ name: String, _ row: UInt64) -> Key { namePrefix(nameHash(name)).u64(row) }
    static func namePrefix(_ hash: UInt32) -> Key { Schema.Shared.memoryBySubject.key.u32(hash) }
}
