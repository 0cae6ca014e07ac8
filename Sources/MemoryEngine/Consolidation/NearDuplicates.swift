/// Finds memories that say the same as an older one of the same kind, by the same actor: the same words, numbers and signs in the
/// same order, but for articles and the like, case and punctuation (`SaidWords`). Recalls hide one behind the other, so nothing
/// that tells anything may differ. No commits: each is a change of its own, cited as that, whatever it says.
enum NearDuplicates {
    /// The version of these rules: with another number, all is looked at again.
    static let rules = 1
    /// A shorter text says what it does by where it stands, most of all in a conversation.
    private static let leastWords = 2
    private static let leastWordsOfMessage = 4

    private struct Said: Hashable {
        var content: [UInt64]
        var kind: MemoryKind
        var actor: String?
    }

    /// - Parameter mark: memories from this passage on are looked at; those before were.
    /// - Complexity: O(bytes of all memories).
    static func find(in study: HomeStudy, from mark: UInt32) -> [Derivation] {
        var originals: [Said: Int] = [:]
        var found: [Derivation] = []
        for (place, memory) in study.memories.enumerated() where memory.kind != .commit {
            let said = Said(
                content: SaidWords(memory.content).content, kind: memory.kind, actor: memory.actor)
            let least = memory.kind == .message ? leastWordsOfMessage : leastWords
            guard said.content.count >= least else { continue }
            guard let older = originals[said] else {
                originals[said] = place
                continue
            }
            guard memory.passage >= mark else { continue }
            let original = study.memories[older]
            found.append(
                Derivation(
                    step: .duplicates, kind: .duplicateOf, from: memory.id, to: original.id, weight: 1,
                    says: "says the same, but for articles and the like",
                    evidence: [memory.evidence, original.evidence]))
        }
        return found
    }
}
