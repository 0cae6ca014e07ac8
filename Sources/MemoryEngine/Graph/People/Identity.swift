/// A name and an address that stand together in a history: how one person called himself at one time.
public struct Identity: Hashable, Sendable {
    public let name: String
    /// An e-mail address; empty where there is none.
    public let address: String
    /// In how many memories they stand together.
    public let count: Int
    /// When the first and the last of these happened.
    public let first: Timestamp
    public let last: Timestamp

    init(name: String, address: String, count: Int = 1, first: Timestamp, last: Timestamp) {
        self.name = name
        self.address = address
        self.count = count
        self.first = first
        self.last = last
    }
}

/// What one person may be found by: a name, or an address. Two identities share one where they have it in common.
struct PersonAlias: Hashable, Sendable, Comparable {
    var isAddress: Bool
    /// As the key of its entity.
    var key: String

    static func < (a: PersonAlias, b: PersonAlias) -> Bool {
        a.isAddress != b.isAddress ? !a.isAddress : a.key < b.key
    }

    var entity: EntityName {
        EntityName(sort: isAddress ? .address : .actor, key: key, surface: key)
    }

    /// `nil` for a name that is too long to be an entity, or empty.
    init?(name: String) {
        let key = name.lowercased()
        guard !key.isEmpty, key.utf8.count <= EntityName.maximumByteCount else { return nil }
        self.init(isAddress: false, key: key)
    }

    /// `nil` for what is no address, or too long to be an entity.
    init?(address: String) {
        let key = FoldedKey.fold(address)
        guard key.utf8.count <= EntityName.maximumByteCount, key.contains("@") else { return nil }
        self.init(isAddress: true, key: key)
    }

    private init(isAddress: Bool, key: String) {
        self.isAddress = isAddress
        self.key = key
    }
}

/// That two aliases are one person's, and why. Each can be taken back alone.
struct PersonMerge: Hashable, Sendable {
    /// Names stand in files, in the origin of the edge.
    enum Rule: String, Sendable, CaseIterable {
        /// A name and an address stand together.
        case together
        /// Two addresses are one but for the way to write it: a tag, points at Gmail, the number of an account.
        case sameMailbox
        /// One full name of two words or more, but for marks, initials, titles, brackets and the order of its words.
        case sameName
        /// The address spells the full name.
        case spellsName
        /// The address abbreviates the full name, and something else agrees.
        case abbreviatesName
        /// Two addresses have one local part, and a word of the name.
        case sameLocalPart
    }

    var first: PersonAlias
    var second: PersonAlias
    var rule: Rule
    /// What agreed, folded.
    var value: String
    /// How sure it is, above 0 and up to 1.
    var weight: Float {
        switch rule {
        case .together: 1
        case .sameMailbox, .sameName: 0.95
        case .spellsName: 0.9
        case .abbreviatesName, .sameLocalPart: 0.8
        }
    }
}
