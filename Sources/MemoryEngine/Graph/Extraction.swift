/// Reads what a memory's words point to: entities that they name, commits, keys and subjects that they cite, causes
/// that they state. Rules only: the same bytes give the same references (`Schema.graphVersion` is theirs).
enum Extraction {
    /// The most references of a memory; what lies behind them in the text is not read.
    static let maximumCount = 64
    /// The bytes of a content that are read for references.
    static let maximumByteCount = 64 << 10

    /// The references of a content, each target and kind once, where it is said first.
    ///
    /// - Complexity: O(n) in the bytes that are read.
    static func references(in content: [UInt8], _ fields: VersionFields) -> [Reference] {
        // What it is made of names all that already.
        if fields.isConcluded { return [] }
        var found: [Reference] = []
        var seen = Set<Seen>()
        func add(_ reference: Reference) {
            guard found.count < maximumCount,
                seen.insert(Seen(target: reference.target, kind: reference.kind)).inserted
            else { return }
            found.append(reference)
        }
        if let actor = fields.actor {
            let key = actor.lowercased()
            if key.utf8.count <= EntityName.maximumByteCount {
                add(
                    Reference(
                        target: .entity(EntityName(sort: .actor, key: key, surface: actor)), kind: .mentions,
                        weight: 1, rule: .actor, range: 0..<0))
            }
        }
        if fields.actor != nil, let address = fields.address.flatMap(PersonAlias.init(address:)) {
            var name = address.entity
            name.surface = fields.address ?? name.key
            add(Reference(target: .entity(name), kind: .mentions, weight: 1, rule: .address, range: 0..<0))
        }
        let read = content.prefix(maximumByteCount)
        let text = Array(read)
        for citation in Citations.find(in: text.span) { add(citation) }
        // The import of a history gives the files of a commit as keywords.
        if fields.kind == MemoryKind.commit.rawValue {
            for file in fields.keywords.prefix(maximumFileCount) {
                guard let name = path(file) else { continue }
                add(
                    Reference(target: .entity(name), kind: .mentions, weight: 1, rule: .file, range: 0..<0))
            }
        }
        for mention in Mentions.find(in: text.span, limit: maximumCount) {
            let range = UInt32(mention.range.lowerBound)..<UInt32(mention.range.upperBound)
            if mention.kind == .commit {
                add(
                    Reference(
                        target: .commit(mention.key), kind: .refersTo, weight: 1, rule: .citedHash,
                        range: range))
            } else if let sort = EntitySort(mention.kind), !mention.isTentative,
                mention.key.utf8.count <= EntityName.maximumByteCount
            {
                let surface = String(decoding: text[mention.range], as: UTF8.self)
                add(
                    Reference(
                        target: .entity(EntityName(sort: sort, key: mention.key, surface: surface)),
                        kind: .mentions, weight: 1, rule: .mention, range: range))
            }
        }
        return found + links(of: fields)
    }

    /// The links of a note: each target once, and as many as a memory may have attributes.
    private static func links(of fields: VersionFields) -> [Reference] {
        NoteName.targets(of: fields).map {
            Reference(target: .note($0), kind: .refersTo, weight: 1, rule: .link, range: 0..<0)
        }
    }

    /// How many files of a commit are entities; a change of more is no more about one than about another.
    private static let maximumFileCount = 32

    /// The path that a keyword is; `nil` for any other word. A text that names the path means the same entity.
    private static func path(_ keyword: String) -> EntityName? {
        guard keyword.utf8.count <= EntityName.maximumByteCount,
            keyword.contains("/") || keyword.contains(".")
        else { return nil }
        let bytes = Array(keyword.utf8)
        let mention = Mentions.find(in: bytes.span, limit: 1).first
        let isWhole = mention.map { $0.kind == .path && $0.range == 0..<bytes.count } ?? false
        return EntityName(sort: .path, key: isWhole ? mention?.key ?? keyword : keyword, surface: keyword)
    }

    private struct Seen: Hashable {
        let target: Reference.Target
        let kind: EdgeKind
    }
}

extension VersionFields {
    /// The e-mail address of who said or did it, as the imports of histories give it.
    var address: String? {
        guard case .string(let address)? = attributes[Self.addressAttribute] else { return nil }
        return address
    }

    static let addressAttribute = "email"
}

extension EntitySort {
    /// The sort of what a mention names; `nil` for a commit, which is a memory of its own.
    init?(_ kind: Mention.Kind) {
        switch kind {
        case .name: self = .name
        case .identifier: self = .identifier
        case .flag: self = .flag
        case .code: self = .code
        case .path: self = .path
        case .url: self = .url
        case .handle: self = .handle
        case .address: self = .address
        case .issue: self = .issue
        case .version: self = .version
        case .commit: return nil
        }
    }
}
