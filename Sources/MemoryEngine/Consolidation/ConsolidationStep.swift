/// A part of the slow path, by what it looks for. Each can be run alone; their order here is the one in which they are run.
public enum ConsolidationStep: String, Sendable, CaseIterable {
    /// Which words mean alike, by an embedder that knows meanings.
    case words
    /// Which memories say nearly the same as an older one.
    case duplicates
    /// Which memories are about the same, by their vectors.
    case links
    /// Which memories take back what older ones say: where one lives now, what a limit was set to, what is no longer so.
    case contradictions
    /// Which names are one thing's.
    case entities
    /// What may have caused what, where no text states it.
    case causes
    /// What a language model notes of memories, where one is given (`Reasoner`).
    case notes
    /// Which sentences stand for a session or a thread: they become a summary of it.
    case episodes
}

/// How far one step of a consolidation has come.
public struct ConsolidationProgress: Sendable, Equatable {
    public let step: ConsolidationStep
    /// What was looked at, and how much there is: words, memories or what else the step goes over.
    public let done: Int
    public let total: Int
}

/// What a consolidation did.
public struct ConsolidationReport: Sendable, Equatable {
    /// Words that were given a vector.
    public internal(set) var embeddedWords = 0
    /// Words that were compared with all others.
    public internal(set) var comparedWords = 0
    /// Pairs of words that mean about the same, of those that were compared.
    public internal(set) var synonyms = 0
    /// What each step found that had not been found before, and stored.
    public internal(set) var found: [ConsolidationStep: Int] = [:]
    /// Steps that were left out, and why.
    public internal(set) var leftOut: [ConsolidationStep: String] = [:]
}
