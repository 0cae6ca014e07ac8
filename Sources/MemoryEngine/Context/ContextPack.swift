/// What a model is given to answer a question: memories within a budget of tokens, each with where it is from.
public struct ContextPack: Sendable {
    /// One memory, or a part of it.
    public struct Entry: Sendable, Equatable {
        /// Where the text stands; `content(of:)` gives it again, word for word.
        public let citation: Citation
        public let text: String
        public let happened: Range<Timestamp>
        public let actor: String?
        public let kind: MemoryKind
        /// Of the recall; 0 for what is here as a cause, or in the place of what it supersedes.
        public let score: Double
        /// What it has to do with other entries: whose cause it is, and what says so; of a summary, of how many memories; or
        /// `lately`, where a view begins with it.
        public let note: String?
        /// The part of a view that it is from; `nil` where none was asked.
        public internal(set) var scope: MemoryView.Scope?

        /// As it stands in `ContextPack.text`.
        ///
        /// - Parameter number: counted from 1.
        func serialized(_ number: Int) -> String {
            // A name has no time of its own.
            var head = [kind == .entity ? "[\(number)]" : "[\(number)] \(happened.lowerBound.minute)"]
            if let scope { head.append(scope.rawValue) }
            if let actor { head.append(actor) }
            if kind != .note { head.append(kind.rawValue) }
            head.append(citation.description)
            if let note { head.append(note) }
            return head.joined(separator: " | ") + "\n" + text + "\n"
        }
    }

    /// In the order of the text: of time where the question asks when, causes first where it asks why, else the best
    /// first.
    public let entries: [Entry]
    /// What is to be handed to the model.
    public let text: String
    /// Tokens of `text`, by the counter that was given; never more than the budget.
    public let tokenCount: Int
    public let tokenBudget: Int
    public let intent: Intent
    /// With which an outcome can be recorded, where the query keeps a receipt.
    public let recall: RecallID
    /// How sure it is that the answer is told at all (`Recall.confidence`); of several questions, that of the least sure one.
    /// `nil` where it is told of none of them.
    public let confidence: Double?
    /// What is not here, and why.
    public let leftOut: [String]

    public var citations: [Citation] { entries.map(\.citation) }

    static func serialized(_ entries: [Entry]) -> String {
        entries.enumerated().map { $1.serialized($0 + 1) }.joined(separator: "\n")
    }
}
