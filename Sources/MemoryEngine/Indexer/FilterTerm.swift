import Store

/// What filters ask for beside columns, as terms that postings can hold: tags, keywords, attributes, origin, media types.
/// And the words of titles, which a recall asks for.
enum FilterTerm {
    /// The longest term that is spelled out.
    static let maximumByteCount = 160

    static func tag(_ name: String) -> [UInt8] { spell(0x74, [Array(name.utf8)]) }
    static func keyword(_ word: String) -> [UInt8] { spell(0x6b, [Array(word.utf8)]) }
    static func hasAttribute(_ name: String) -> [UInt8] { spell(0x68, [Array(name.utf8)]) }
    static func attribute(_ name: String, _ value: AttributeValue) -> [UInt8] {
        let spelled: [UInt8] =
            switch value {
            case .string(let text): [0] + Array(text.utf8)
            case .number(let number): [1] + Key().u64(number == 0 ? 0 : number.bitPattern).bytes
            case .bool(let isTrue): [2, isTrue ? 1 : 0]
            }
        return spell(0x61, [Array(name.utf8), spelled])
    }
    static func agent(_ name: String) -> [UInt8] { spell(0x67, [Array(name.utf8)]) }
    static func model(_ name: String) -> [UInt8] { spell(0x6c, [Array(name.utf8)]) }
    static func source(_ name: String) -> [UInt8] { spell(0x73, [Array(name.utf8)]) }
    static func mediaType(_ name: String) -> [UInt8] { spell(0x6d, [Array(name.utf8)]) }
    static let mayContribute: [UInt8] = [0x63]

    /// What terms of titles begin with; the word, as the index of words has it, follows.
    static let titleField: UInt8 = 0x69

    static func title(_ word: [UInt8]) -> [UInt8] { [titleField] + word }

    static func all(of fields: VersionFields, part: Int, titleWords: [[UInt8]]) -> [[UInt8]] {
        let terms = all(of: fields)
        return part > 0 || titleWords.isEmpty
            ? terms : (terms + titleWords.map(title)).sorted { $0.lexicographicallyPrecedes($1) }
    }

    static func all(of fields: VersionFields) -> [[UInt8]] {
        var terms = Set(fields.tags.map(tag))
        for word in fields.keywords { terms.insert(keyword(word)) }
        for (name, value) in fields.attributes {
            terms.insert(hasAttribute(name))
            terms.insert(attribute(name, value))
        }
        if let name = fields.origin.agent { terms.insert(agent(name)) }
        if let name = fields.origin.model { terms.insert(model(name)) }
        if let name = fields.origin.source { terms.insert(source(name)) }
        if fields.origin.mayContribute { terms.insert(mayContribute) }
        for attachment in fields.attachments { terms.insert(mediaType(attachment.mediaType)) }
        return terms.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// A first byte, then the parts with a zero between them. A long one is replaced by its digest, so
    /// that it fits into a key.
    private static func spell(_ first: UInt8, _ parts: [[UInt8]]) -> [UInt8] {
        let bytes = joined(first, parts)
        guard bytes.count > maximumByteCount else { return bytes }
        return long(first) + SHA256.digest(of: bytes)
    }

    private static func joined(_ first: UInt8, _ parts: [[UInt8]]) -> [UInt8] {
        var bytes = [first]
        for (index, part) in parts.enumerated() {
            if index > 0 { bytes.append(0) }
            bytes += part
        }
        return bytes
    }

    // MARK: Beginnings

    /// What all long terms of a sort begin with. No UTF-8 does.
    static func long(_ first: UInt8) -> [UInt8] { [first, 0xff] }

    /// What terms begin with that spell a text with this beginning, unless they are long.
    static func beginning(_ spell: (String) -> [UInt8], _ text: String) -> [UInt8] {
        // Spelled without the text, so that a long one is not replaced by its digest.
        spell("") + Array(text.utf8)
    }

    /// What all numbers of an attribute begin with, unless its name is long.
    static func numbers(_ name: String) -> [UInt8] { joined(0x61, [Array(name.utf8), [1]]) }

    /// The number that a term of an attribute spells.
    static func number(_ term: [UInt8], behind prefix: [UInt8]) -> Double? {
        guard term.count == prefix.count + 8 else { return nil }
        return Double(bitPattern: term.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }
}
