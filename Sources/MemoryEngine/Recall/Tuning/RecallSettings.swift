import Store

/// How a home ranks where a query does not say otherwise: settings of the home, that travel with its file.
public struct RecallSettings: Sendable, Equatable {
    /// The weights of an open question; those that the intent brings come on top (`RecallWeights.adjusted(for:)`).
    public var weights = RecallWeights()
    /// The share of words in the sum, 0 to 1; `nil` = as the embedder advises. The better the vectors, the less.
    public var lexicalWeight: Double?

    public init(weights: RecallWeights = RecallWeights(), lexicalWeight: Double? = nil) {
        self.weights = weights
        self.lexicalWeight = lexicalWeight
    }

    static let name = "recall"
    private static let lexicalName = "lexical"

    /// The settings of a home; `nil` = it has none.
    static func read(in transaction: borrowing ReadTransaction) throws -> RecallSettings? {
        try Settings.value(name, in: transaction).flatMap { RecallSettings(text: $0) }
    }

    /// `name=number`, with spaces between.
    var text: String {
        let numbers = RecallWeights.names.map { ($0.name, weights[keyPath: $0.path]) }
        return (numbers + (lexicalWeight.map { [(Self.lexicalName, $0)] } ?? []))
            .map { "\($0.0)=\($0.1)" }.joined(separator: " ")
    }

    /// What a later version of the program names, and this one does not know, is passed over. `nil` if a number is none or
    /// lies beyond the bounds.
    init?(text: String) {
        for part in text.split(separator: " ") {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, let value = Double(pair[1]) else { return nil }
            if pair[0] == Self.lexicalName {
                lexicalWeight = value
            } else if let path = RecallWeights.names.first(where: { $0.name == pair[0] })?.path {
                weights[keyPath: path] = value
            }
        }
        do { try check() } catch { return nil }
    }

    /// - Throws: `EngineError.invalid` for a number beyond the bounds.
    func check() throws {
        try weights.check()
        guard lexicalWeight.map({ (0...1).contains($0) }) ?? true else {
            throw EngineError(.invalid, "the weight of words lies between 0 and 1")
        }
    }
}

extension RecallWeights {
    func check() throws {
        for (name, path) in Self.names {
            let weight = self[keyPath: path]
            // A number that is none compares false.
            guard abs(weight) <= Self.maximum else {
                throw EngineError(
                    .invalid, "the weight `\(name)` is \(weight); it lies within \(Self.maximum) of 0")
            }
        }
    }
}

extension Engine {
    /// How a home ranks where a query does not say otherwise; `nil` = by the defaults.
    ///
    /// - Throws: `EngineError`: `notFound`.
    public func recallSettings(in namespace: Namespace) async throws -> RecallSettings? {
        try await withExistingHome(of: namespace) { home in
            try await read(home) { try RecallSettings.read(in: $0) }
        }
    }

    /// Sets how a home ranks where a query does not say otherwise; `nil` = by the defaults.
    ///
    /// - Throws: `EngineError`: `notFound`, `invalid` (a weight beyond its bounds).
    public func setRecallSettings(_ settings: RecallSettings?, in namespace: Namespace) async throws {
        try checkWritable(namespace)
        try settings?.check()
        let mutation = Mutation(
            at: options.clock(), changes: [.setting(RecallSettings.name, settings?.text)])
        try await withExistingHome(of: namespace) { _ = try await $0.apply(mutation) }
    }
}
