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
        let read = content.prefix(maximumByteCount)
        let text = Array(read)
        for citation in Citations.find(in: text.span) { add(citation) }
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
        return found
    }

    private struct Seen: Hashable {
        let target: Reference.Target
        let kind: EdgeKind
    }
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
