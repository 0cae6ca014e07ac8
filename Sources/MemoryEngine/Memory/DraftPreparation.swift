import Store

/// Checks drafts against the limits, splits them into passages, and makes them ready for a mutation.
struct DraftPreparation {
    static let maximumContentByteCount = 16_000_000
    static let maximumNameByteCount = Names.maximumByteCount
    static let maximumValueByteCount = 4_096
    static let maximumListCount = 256
    static let maximumAttachmentCount = 64
    static let maximumAttachmentByteCount = 64 << 20

    let splitter: PassageSplitter
    let principal: String
    let now: Timestamp

    /// - Throws: `EngineError`, which names the field and the limit.
    func prepare(
        _ draft: MemoryDraft, id: MemoryID, in namespace: Namespace, passages given: [Range<Int>]? = nil
    ) throws(EngineError) -> Mutation.NewVersion {
        try check(draft)
        let content = Array(draft.content.utf8)
        let ranges: [Range<Int>]
        if let given {
            ranges = try checked(given, content.count)
        } else {
            ranges = splitter.split(content.span)
        }
        var passages = ranges.map { UInt32($0.lowerBound)..<UInt32($0.upperBound) }
        if passages.isEmpty { passages = [0..<UInt32(content.count)] }
        var fields = VersionFields(
            kind: draft.kind.rawValue, session: namespace.session, actor: draft.actor, thread: draft.thread,
            happened: interval(draft.happened), valid: valid(draft.valid),
            expires: draft.expires?.microseconds ?? .max, isPinned: draft.isPinned,
            importance: draft.importance,
            tags: unique(draft.tags), keywords: unique(draft.keywords), attributes: draft.attributes,
            origin: draft.origin, attachments: draft.attachments)
        fields.origin.principal = principal
        var vectors: [Mutation.NewVector] = []
        for embedding in draft.embeddings {
            vectors.append(try Self.vector(embedding, passageCount: passages.count, others: vectors))
        }
        return Mutation.NewVersion(
            id: id, key: draft.key, content: content, passages: passages, vectors: vectors, fields: fields,
            saysHappened: draft.happened != nil, terms: [])
    }

    /// Passages that a caller brings: in order, without overlap, none empty (but the only one of no content), at most
    /// 1 MiB each.
    private func checked(_ passages: [Range<Int>], _ byteCount: Int) throws(EngineError) -> [Range<Int>] {
        var end = 0
        for passage in passages {
            guard end <= passage.lowerBound, passage.upperBound <= byteCount, passage.count <= 1 << 20,
                !passage.isEmpty || passages.count == 1
            else {
                throw EngineError(.invalid, "the passages of a memory overlap, or lie outside of its content")
            }
            end = passage.upperBound
        }
        return passages
    }

    /// A caller's vector, checked against its space and against those before it.
    static func vector(
        _ embedding: Embedding, passageCount: Int, others: [Mutation.NewVector]
    ) throws(EngineError) -> Mutation.NewVector {
        let space = embedding.space
        guard space.isStorable else {
            throw EngineError(
                .invalidVector,
                "space `\(space.name.prefix(100))` needs a model and 1 to \(EmbeddingSpace.maximumDimension) "
                    + "dimensions; a revision has no `@`, and a model has one only beside a revision"
            )
        }
        if embedding.part == nil, passageCount > 1 {
            throw EngineError(
                .invalidVector,
                "the content has \(passageCount) passages: say which one the vector in \(space.name) belongs to (`part`)"
            )
        }
        let part = embedding.part ?? 0
        guard (0..<passageCount).contains(part) else {
            throw EngineError(
                .invalidVector,
                "the content has \(passageCount) passages; there is no part \(part) for a vector")
        }
        guard !others.contains(where: { $0.space == space && $0.part == UInt32(part) }) else {
            throw EngineError(.invalidVector, "part \(part) has two vectors in \(space.name)")
        }
        let vector = Mutation.NewVector(space: space, part: UInt32(part), vector: embedding.vector)
        try Mutation.NewVector.check(vector)
        return vector
    }

    private func check(_ draft: MemoryDraft) throws(EngineError) {
        let count = draft.content.utf8.count
        guard count <= Self.maximumContentByteCount else {
            throw EngineError(
                .tooLarge,
                "the content has \(count) bytes; at most \(Self.maximumContentByteCount) are allowed: "
                    + "attach it, or remember its parts")
        }
        let isBlank = draft.content.unicodeScalars.allSatisfy { $0.properties.isWhitespace }
        guard !isBlank || !draft.embeddings.isEmpty || !draft.attachments.isEmpty else {
            throw EngineError(
                .invalid, "the content is empty, and there is neither a vector nor an attachment")
        }
        try name(draft.kind.rawValue, "kind")
        if let actor = draft.actor { try name(actor, "actor") }
        if let thread = draft.thread { try name(thread, "thread") }
        if let key = draft.key { try name(key, "key") }
        for (what, list) in [("tag", draft.tags), ("keyword", draft.keywords)] {
            try bound(list.count, "\(what)s")
            for item in list { try name(item, what) }
        }
        try bound(draft.attributes.count, "attributes")
        for (key, value) in draft.attributes {
            try name(key, "attribute name")
            switch value {
            case .string(let text) where text.utf8.count > Self.maximumValueByteCount:
                throw EngineError(
                    .tooLarge,
                    "attribute `\(key)` has \(text.utf8.count) bytes; at most \(Self.maximumValueByteCount) are allowed"
                )
            case .number(let number) where !number.isFinite:
                throw EngineError(.invalid, "attribute `\(key)` is not a finite number")
            default: break
            }
        }
        guard draft.importance >= 0, draft.importance <= 1 else {
            throw EngineError(.invalid, "the importance is \(draft.importance); it lies between 0 and 1")
        }
        if let happened = draft.happened {
            try date(happened.lowerBound, "happened")
            try date(happened.upperBound, "happened")
        }
        if let valid = draft.valid {
            if valid.lowerBound != .distantPast { try date(valid.lowerBound, "valid from") }
            if valid.upperBound != .distantFuture { try date(valid.upperBound, "valid until") }
            guard !valid.isEmpty else { throw EngineError(.invalid, "the time of validity is empty") }
        }
        if let expires = draft.expires { try date(expires, "expires") }
        for (what, text) in [
            ("agent", draft.origin.agent), ("model", draft.origin.model), ("source", draft.origin.source),
        ] where text?.utf8.count ?? 0 > Self.maximumValueByteCount {
            throw EngineError(.tooLarge, "the origin's \(what) has over \(Self.maximumValueByteCount) bytes")
        }
        guard draft.origin.sourceDigest.map({ $0.count == 32 }) ?? true else {
            throw EngineError(.invalid, "the digest of the source is a SHA-256 of 32 bytes")
        }
        guard draft.attachments.count <= Self.maximumAttachmentCount else {
            throw EngineError(
                .tooLarge,
                "\(draft.attachments.count) attachments; at most \(Self.maximumAttachmentCount) are allowed")
        }
        for attachment in draft.attachments {
            try name(attachment.name, "attachment name")
            try name(attachment.mediaType, "media type")
            guard attachment.digest.count == 32 else {
                throw EngineError(.invalid, "the digest of attachment `\(attachment.name)` is not a SHA-256")
            }
            guard attachment.address != nil || attachment.byteCount <= Self.maximumAttachmentByteCount else {
                throw EngineError(
                    .tooLarge,
                    "attachment `\(attachment.name)` has \(attachment.byteCount) bytes; at most "
                        + "\(Self.maximumAttachmentByteCount) are stored: keep it outside, by its address")
            }
        }
    }

    private func name(_ text: String, _ what: String) throws(EngineError) {
        guard !text.isEmpty else { throw EngineError(.invalid, "a \(what) is empty") }
        guard text.utf8.count <= Self.maximumNameByteCount else {
            throw EngineError(
                .tooLarge,
                "\(what) `\(text.prefix(40))…` has \(text.utf8.count) bytes; at most \(Self.maximumNameByteCount) are allowed"
            )
        }
        guard !text.utf8.contains(0) else { throw EngineError(.invalid, "a \(what) holds a zero byte") }
    }

    private func bound(_ count: Int, _ what: String) throws(EngineError) {
        guard count <= Self.maximumListCount else {
            throw EngineError(.tooLarge, "\(count) \(what); at most \(Self.maximumListCount) are allowed")
        }
    }

    private func date(_ time: Timestamp, _ what: String) throws(EngineError) {
        guard Timestamp.allowed.contains(time) else {
            throw EngineError(.invalid, "the time `\(what)` lies outside of the years 1 to 9999")
        }
    }

    private func interval(_ range: ClosedRange<Timestamp>?) -> Range<Int64> {
        guard let range else { return now.microseconds..<now.microseconds + 1 }
        return range.lowerBound.microseconds..<range.upperBound.microseconds + 1
    }

    private func valid(_ range: Range<Timestamp>?) -> Range<Int64> {
        guard let range else { return Int64.min..<Int64.max }
        return range.lowerBound.microseconds..<range.upperBound.microseconds
    }

    private func unique(_ names: [String]) -> [String] {
        var seen = Set<String>()
        return names.filter { seen.insert($0).inserted }
    }
}
