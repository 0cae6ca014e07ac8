import Store

/// The words that a reasoner added to a memory, as an attribute of it, so that they can be taken back; and of which content, so
/// that it is not noted again for being a version newer.
///
/// The attribute is the model, then the digest of the content that it noted (`-` where it has not), then a line for each word:
/// `k` and a keyword, or `t` and a tag.
struct NotedWords: Sendable, Equatable {
    static let attribute = "loci.noted"
    private static let rules = 1

    let model: String
    private let digest: String
    private(set) var keywords: [String] = []
    private(set) var tags: [String] = []

    /// - Returns: `nil` if no reasoner added anything.
    init?(_ attributes: [String: AttributeValue]) {
        guard case .string(let text)? = attributes[Self.attribute] else { return nil }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 2 else { return nil }
        (model, digest) = (String(lines[0]), String(lines[1]))
        for line in lines.dropFirst(2) {
            if line.hasPrefix("k ") { keywords.append(String(line.dropFirst(2))) }
            if line.hasPrefix("t ") { tags.append(String(line.dropFirst(2))) }
        }
    }

    /// What is known of a memory with what is to be added to it.
    ///
    /// - Parameter isNoted: the memory itself has been noted.
    /// - Returns: `nil` where nothing is to be added, or there is no room for it.
    init?(adding new: ReasonerNote.Refinement, to memory: Memory, by model: String, isNoted: Bool) {
        let known = NotedWords(memory.attributes)
        func isLine(_ word: String) -> Bool { !word.contains("\n") }
        let newKeywords = new.keywords.filter { isLine($0) && !memory.keywords.contains($0) }
        let newTags = new.tags.filter { isLine($0) && !memory.tags.contains($0) }
        let room = DraftPreparation.maximumListCount
        guard !newKeywords.isEmpty || !newTags.isEmpty, memory.keywords.count + newKeywords.count <= room,
            memory.tags.count + newTags.count <= room, memory.attributes.count < room
        else { return nil }
        self.model = model
        digest = isNoted ? Self.digest(Array(memory.content.utf8)) : known?.digest ?? "-"
        keywords = (known?.keywords ?? []) + newKeywords
        tags = (known?.tags ?? []) + newTags
        guard text.utf8.count <= DraftPreparation.maximumValueByteCount else { return nil }
    }

    private var text: String {
        ([model, digest] + keywords.map { "k " + $0 } + tags.map { "t " + $0 }).joined(separator: "\n")
    }

    /// Whether a model noted this content, of which a study has the beginning.
    func isOf(_ content: [UInt8], by model: String) -> Bool {
        self.model == model && digest == Self.digest(content)
    }

    private static func digest(_ content: [UInt8]) -> String {
        MemoryID(digestOf: Array(content.prefix(StudiedMemory.maximumByteCount))).description
    }

    /// The version of the rules for a model; with another model, all is noted again.
    static func rules(for model: String) -> Int {
        rules << 32 | Int(TermHash.hash(Array(model.utf8)))
    }

    func add(to draft: inout MemoryDraft) {
        draft.keywords += keywords.filter { !draft.keywords.contains($0) }
        draft.tags += tags.filter { !draft.tags.contains($0) }
        draft.attributes[Self.attribute] = .string(text)
    }

    var isTakenBack: Bool { keywords.isEmpty && tags.isEmpty }

    /// Takes the words away, and leaves what keeps it from being noted again.
    func remove(from draft: inout MemoryDraft) {
        draft.keywords.removeAll { keywords.contains($0) }
        draft.tags.removeAll { tags.contains($0) }
        var rest = self
        (rest.keywords, rest.tags) = ([], [])
        draft.attributes[Self.attribute] = .string(rest.text)
    }
}
