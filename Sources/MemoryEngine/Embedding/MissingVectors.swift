/// What becomes of a text while the engine's embedder does not answer, or is not to be waited for.
public enum EmbeddingPolicy: String, Sendable, CaseIterable {
    /// Nothing is stored without its vectors: a failure of the embedder refuses the call. Where a home's space has no embedder
    /// at all, what is remembered there waits for one (`Remembered.missingSpaces`).
    case required
    /// Stored without vectors where the embedder fails; `Remembered.missingSpaces` tells, and
    /// `Engine.embed(in:)` makes up for it.
    case whenAvailable
    /// Never waited for: `Engine.embed(in:)` gives all vectors, later.
    case later
}

/// What becomes of a question while the embedder of a home does not answer. One whose model is damaged or gone counts as none, and
/// words answer in any case. Vectors of two spaces are never compared: `Recall.leftOut`
/// says which one was asked.
public enum QuestionFallback: String, Sendable, CaseIterable {
    /// The call fails with the embedder's error.
    case none
    /// Words, times and edges answer.
    case words
    /// The space of `Options.fallbackEmbedder` is asked, where the home has vectors in it; else words answer.
    case secondSpace
}

/// A passage that has no vector in a space.
public struct UnembeddedPassage: Sendable, Equatable {
    public let id: MemoryID
    public let version: UInt32
    public let part: Int
    /// Where the memory lies, with its session.
    public let namespace: Namespace
    /// What is to be embedded; empty where there are attachments only.
    public let text: String
    /// Those of the memory, for a model that sees them.
    public let attachments: [Attachment]
}

/// A part of the passages that lack a vector, and how to go on.
public struct UnembeddedPage: Sendable, Equatable {
    public let passages: [UnembeddedPassage]
    /// Give it as `after` for the next page; `nil` = this was the last.
    public let next: String?

    /// How much text a page holds: one with more than one passage ends here.
    static let maximumByteCount = 8 << 20
}

/// Vectors for a version that was stored without them.
public struct AddedEmbeddings: Sendable {
    public var id: MemoryID
    public var version: UInt32
    /// Each with its part, unless the version has one passage only.
    public var embeddings: [Embedding]

    public init(_ embeddings: [Embedding], to id: MemoryID, version: UInt32) {
        self.id = id
        self.version = version
        self.embeddings = embeddings
    }

    /// For a passage of `Engine.passages(lacking:in:)`.
    public init(_ vector: [Float], in space: EmbeddingSpace, to passage: UnembeddedPassage) {
        self.init(
            [Embedding(vector, in: space, part: passage.part)], to: passage.id, version: passage.version)
    }
}

/// How much is to be embedded.
public struct EmbeddingEstimate: Sendable, Equatable {
    public let space: EmbeddingSpace
    /// Passages with text that have no vector in the space.
    public var passages = 0
    /// Of their text, in UTF-8.
    public var bytes = 0
    /// Of the text, by the embedder's `EmbedderLimits.costPerMegabyte`; 0 = it costs nothing, or nobody knows.
    public var dollars = 0.0
    /// Attached images and videos without a vector, where an embedder makes some of them and no other space is named.
    public var attachments = 0
    /// Those of which no embedder makes any.
    public var waiting: [WaitingAttachments] = []

    init(space: EmbeddingSpace) { self.space = space }
}

/// Attached images, or videos, that have no vector and get none now.
public struct WaitingAttachments: Sendable, Equatable {
    public let modality: Modality
    /// Where those of the home have their vectors; `nil` = none has any yet.
    public let space: EmbeddingSpace?
    public let count: Int
    /// Why nothing makes vectors in the space, and the way out; `nil` = there is no space, and no embedder of the kind.
    public let reason: String?
}

/// How far embedding has come.
public struct EmbeddingProgress: Sendable, Equatable {
    /// Vectors that were added.
    public var added = 0
    /// Vectors that were not: their passage has got one meanwhile, or its memory was forgotten.
    public var obsolete = 0
    /// Passages that the embedder cannot take: they have no text, or their image or video is damaged or too large.
    public var skipped = 0
    /// Where to go on; `nil` = at the end.
    public var next: String?

    /// What two kinds of work came to, one after the other.
    static func + (a: EmbeddingProgress, b: EmbeddingProgress) -> EmbeddingProgress {
        EmbeddingProgress(
            added: a.added + b.added, obsolete: a.obsolete + b.obsolete, skipped: a.skipped + b.skipped,
            next: b.next)
    }

    /// Counts another round.
    mutating func add(_ other: EmbeddingProgress) {
        added += other.added
        obsolete += other.obsolete
        skipped = max(skipped, other.skipped)
        next = other.next
    }
}

extension Mutation.NewVersion {
    /// Whether every passage with text has a vector in the space, or what is attached has.
    func isEmbedded(in space: EmbeddingSpace, _ modality: Modality) -> Bool {
        guard modality == .text else {
            return fields.attachments.embedded(modality) == nil
                || vectors.contains { $0.space == space && $0.part == 0 }
        }
        return passages.enumerated().allSatisfy { part, range in
            range.isEmpty || vectors.contains { $0.space == space && $0.part == UInt32(part) }
        }
    }
}
