/// How near two vectors are.
public enum EmbeddingMetric: String, Sendable, CaseIterable {
    case cosine
    case innerProduct
    case l2
}

/// A model's space: vectors of different spaces never mix.
public struct EmbeddingSpace: Hashable, Sendable {
    public let model: String
    public let revision: String
    public let dimension: Int
    public let metric: EmbeddingMetric

    /// The largest dimension of a space.
    public static let maximumDimension = 8_192

    public init(model: String, revision: String = "", dimension: Int, metric: EmbeddingMetric = .cosine) {
        self.model = model
        self.revision = revision
        self.dimension = dimension
        self.metric = metric
    }

    /// `model@revision/dimension/metric`, as it is shown and named on the command line.
    public var name: String {
        (revision.isEmpty ? model : "\(model)@\(revision)") + "/\(dimension)/\(metric.rawValue)"
    }

    /// Whether it can be kept with a vector: its name has at most 400 bytes, and reads back.
    var isStorable: Bool { name.utf8.count <= 400 && EmbeddingSpace(name: name) == self }

    /// Reads what `name` gives; the metric may be left out (cosine).
    public init?(name: String) {
        var parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 2 else { return nil }
        // "m/3/ip/3" would be the model "m/3/ip".
        if parts.count >= 4, parts[parts.count - 1] == parts[parts.count - 3],
            Int(parts[parts.count - 1]) != nil
        {
            return nil
        }
        var metric = EmbeddingMetric.cosine
        if let given = EmbeddingMetric(rawValue: parts[parts.count - 1]) {
            metric = given
            parts.removeLast()
        }
        guard parts.count >= 2, let dimension = Int(parts.removeLast()),
            (1...Self.maximumDimension).contains(dimension)
        else { return nil }
        let model = parts.joined(separator: "/")
        guard let at = model.lastIndex(of: "@"), at != model.startIndex else {
            guard !model.isEmpty else { return nil }
            self.init(model: model, dimension: dimension, metric: metric)
            return
        }
        self.init(
            model: String(model[..<at]), revision: String(model[model.index(after: at)...]),
            dimension: dimension,
            metric: metric)
    }
}

/// A vector in its space.
public struct Embedding: Hashable, Sendable {
    public let space: EmbeddingSpace
    public let vector: [Float]
    /// Which passage of the memory it belongs to, from 0; `nil` = its only one.
    public var part: Int?

    /// - Throws: nothing here; the engine refuses a wrong dimension, NaN, infinity and zero norm by name.
    public init(_ vector: [Float], in space: EmbeddingSpace, part: Int? = nil) {
        self.space = space
        self.vector = vector
        self.part = part
    }
}

/// What an embedder takes.
public enum EmbeddingInput: Sendable {
    case text(String)
    /// The bytes of an image file.
    case image([UInt8])
    /// The bytes of a video file.
    case video([UInt8])
    /// The frames of a video in their order, each the bytes of an image file.
    case frames([[UInt8]])
}

/// What a vector is for. Some models embed questions and passages differently.
public enum EmbeddingPurpose: Sendable { case passage, query }

/// What kind of content a memory or an embedder deals with.
public enum Modality: String, Sendable, Hashable, CaseIterable { case text, image, video }

/// Turns texts, images or videos into vectors of one space.
///
/// The engine awaits it while no transaction is open, checks what it returns, and stores it with its space.
public protocol Embedder: Sendable {
    var space: EmbeddingSpace { get }
    var modalities: Set<Modality> { get }
    /// Bounds on one call.
    var limits: EmbedderLimits { get }
    /// How many passages of a backlog it wants at once, 1 to 10,000; more than a call may hold are several calls. What it
    /// makes of them is stored together, so a process that is killed has them made again.
    var preferredBatchCount: Int { get }
    /// How much of a recall's score words should carry beside this space, 0 to 1.
    var lexicalWeight: Double { get }
    /// Whether words of like meaning have like vectors, however they are spelled; consolidation finds synonyms by them then.
    var knowsMeanings: Bool { get }

    /// One vector for each input, in their order.
    ///
    /// - Throws: any error; nothing is stored then.
    func embed(_ inputs: [EmbeddingInput], for purpose: EmbeddingPurpose) async throws -> [[Float]]
}

extension Embedder {
    public var modalities: Set<Modality> { [.text] }
    public var limits: EmbedderLimits { EmbedderLimits() }
    public var preferredBatchCount: Int { 256 }
    /// Measured with all-MiniLM-L6-v2 on two data sets (conversations and project history).
    public var lexicalWeight: Double { 0.35 }
    public var knowsMeanings: Bool { true }
}

/// What one call to an embedder may hold, and what it costs.
public struct EmbedderLimits: Sendable, Equatable {
    public var maximumBatchCount: Int
    public var maximumInputByteCount: Int
    /// Dollars for a million bytes of input; 0 for one that runs in this process.
    public var costPerMegabyte: Double

    public init(
        maximumBatchCount: Int = 256, maximumInputByteCount: Int = 1 << 20, costPerMegabyte: Double = 0
    ) {
        self.maximumBatchCount = maximumBatchCount
        self.maximumInputByteCount = maximumInputByteCount
        self.costPerMegabyte = costPerMegabyte
    }
}
