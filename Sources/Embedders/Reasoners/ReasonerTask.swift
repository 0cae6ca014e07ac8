import Foundation
import MemoryEngine

/// One thing that a model is asked to do with memories.
///
/// In what it is given, memories have labels (`m0`, `m1`, …) in the place of their ids, so that an answer cannot name others.
struct ReasonerTask<Result: Sendable>: Sendable {
    let prompt: Prompt
    /// The memories, as JSON.
    let memories: String
    let memoryCount: Int
    let shape: AnswerShape
    /// What an answer of that form says. Throws `AnswerComplaint`.
    let read: @Sendable (AnswerValue) throws -> Result
}

extension ReasonerTask where Result == ReasonerNote {
    static func note(
        on memory: ReasonerMemory, beside others: [ReasonerMemory], maximumContentByteCount: Int
    ) throws -> ReasonerTask {
        let others = Array(others.prefix(ReasonerNote.maximumOthers))
        let given = GivenMemories([memory] + others, maximumContentByteCount: maximumContentByteCount)
        let labels = others.indices.map { GivenMemories.label($0 + 1) }
        let ids = Dictionary(zip(labels, others.map(\.id)), uniquingKeysWith: { first, _ in first })
        return ReasonerTask(
            prompt: .note, memories: try given.json, memoryCount: others.count + 1,
            shape: .note(beside: labels)
        ) { answer in
            var note = ReasonerNote()
            note.keywords = answer.texts("keywords")
            note.tags = answer.texts("tags")
            note.facts = (answer["facts"]?.list ?? []).map { fact in
                ReasonerNote.Fact(
                    subject: fact["subject"]?.text ?? "", relation: fact["relation"]?.text ?? "",
                    value: fact["value"]?.text ?? "", quote: fact["quote"]?.text ?? "")
            }
            note.links = (answer["links"]?.list ?? []).compactMap { link in
                guard let to = link["to"]?.text.flatMap({ ids[$0] }),
                    let relation = link["relation"]?.text.flatMap(ReasonerNote.Relation.init),
                    let confidence = link["confidence"]?.number
                else { return nil }
                let quote = link["quote"]?.text.flatMap { $0.isEmpty ? nil : $0 }
                return ReasonerNote.Link(to: to, relation, confidence: confidence, quote: quote)
            }
            note.refinements = (answer["refinements"]?.list ?? []).compactMap { refinement in
                guard let id = refinement["of"]?.text.flatMap({ ids[$0] }) else { return nil }
                return ReasonerNote.Refinement(
                    of: id, keywords: refinement.texts("keywords"), tags: refinement.texts("tags"))
            }
            return note
        }
    }
}

extension ReasonerTask where Result == String {
    /// - Returns: `nil` where so little of each memory would be left that nothing can be told of them.
    static func summary(
        of episode: [ReasonerMemory], wordCount: Int, maximumContentByteCount: Int
    ) throws -> ReasonerTask? {
        let given = GivenMemories(episode, maximumContentByteCount: maximumContentByteCount)
        guard given.leastByteCount >= GivenMemories.usefulByteCount else { return nil }
        // Models count badly: they are asked for fewer words than they may write.
        let prompt = Prompt.summary(wordCount: max(1, wordCount * 4 / 5))
        return ReasonerTask(
            prompt: prompt, memories: try given.json, memoryCount: episode.count, shape: .summary
        ) { answer in
            let summary = answer["summary"]?.text ?? ""
            let count = summary.split(whereSeparator: \.isWhitespace).count
            guard (1...wordCount).contains(count) else {
                throw AnswerComplaint(.mismatch, "the summary has \(count) words and not 1 to \(wordCount)")
            }
            return summary
        }
    }
}

extension AnswerShape {
    private static let word = text(1...64)
    private static let words = list(word, maximumCount: ReasonerNote.maximumCount)
    private static let quote = text(0...1_000, hasLines: true)

    /// - Parameter labels: of the memories that it may speak of beside the first.
    fileprivate static func note(beside labels: [String]) -> AnswerShape {
        let part = text(1...256)
        let fact = record([
            Field("subject", part), Field("relation", part), Field("value", part),
            Field("quote", text(1...1_000, hasLines: true)),
        ])
        let fields = [
            Field("keywords", words), Field("tags", words),
            Field("facts", list(fact, maximumCount: ReasonerNote.maximumCount)),
        ]
        guard !labels.isEmpty else { return record(fields) }
        let link = record([
            Field("to", choice(labels)),
            Field("relation", choice(ReasonerNote.Relation.allCases.map(\.rawValue))),
            Field("confidence", share), Field("quote", quote),
        ])
        let refinement = record([Field("of", choice(labels)), Field("keywords", words), Field("tags", words)])
        return record(
            fields + [
                Field("links", list(link, maximumCount: ReasonerNote.maximumCount)),
                Field("refinements", list(refinement, maximumCount: labels.count)),
            ])
    }

    /// Bytes as the engine takes them of a summary.
    fileprivate static let summary = record([Field("summary", text(1...8_192, hasLines: true))])
}

/// Memories as they stand in a question.
struct GivenMemories {
    private let memories: [ReasonerMemory]
    /// Of each content at most so many.
    let leastByteCount: Int

    /// Two or three sentences.
    static let usefulByteCount = 200
    /// Of an actor, a keyword or a tag.
    private static let nameByteCount = 128

    init(_ memories: [ReasonerMemory], maximumContentByteCount: Int) {
        self.memories = memories
        leastByteCount = Self.share(of: memories.map(\.content.utf8.count), within: maximumContentByteCount)
    }

    static func label(_ place: Int) -> String { "m\(place)" }

    /// How much each may have at most, so that all together have no more than `total`: short ones leave theirs to the long ones.
    static func share(of counts: [Int], within total: Int) -> Int {
        var rest = total
        for (place, count) in counts.sorted().enumerated() {
            let share = rest / (counts.count - place)
            if count > share { return share }
            rest -= count
        }
        return .max
    }

    /// An object with all of them by label. A `/` in it is escaped, so that no content ends what it stands between.
    var json: String {
        get throws {
            let fields = memories.enumerated().map { (Self.label($0), field(of: $1)) }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            let all = ServiceField.object(Dictionary(fields, uniquingKeysWith: { first, _ in first }))
            return String(decoding: try encoder.encode(all), as: UTF8.self)
        }
    }

    private func field(of memory: ReasonerMemory) -> ServiceField {
        let content = Self.cut(memory.content, to: leastByteCount)
        var fields: [String: ServiceField] = [
            "content": .string(content),
            "kind": .string(Self.cut(memory.kind.rawValue, to: Self.nameByteCount)),
            "happened": .string("\(memory.happened)"),
        ]
        if content.utf8.count < memory.content.utf8.count { fields["isCutOff"] = .flag(true) }
        if let actor = memory.actor { fields["actor"] = .string(Self.cut(actor, to: Self.nameByteCount)) }
        for (name, words) in [("keywords", memory.keywords), ("tags", memory.tags)] where !words.isEmpty {
            fields[name] = .list(
                words.prefix(ReasonerNote.maximumCount).map { .string(Self.cut($0, to: Self.nameByteCount)) })
        }
        return .object(fields)
    }

    /// The beginning of a text, of whole characters.
    private static func cut(_ text: String, to byteCount: Int) -> String {
        guard text.utf8.count > byteCount else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: byteCount)
        while end > text.startIndex, end.samePosition(in: text.unicodeScalars) == nil {
            end = text.utf8.index(before: end)
        }
        return String(text[..<end])
    }
}
