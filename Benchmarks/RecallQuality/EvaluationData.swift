import ArgumentParser
import Foundation
import MemoryEngine

/// Conversations with questions, the turns that answer each, and vectors of both.
///
/// A folder holds `turns.jsonl` (conv, id, session, time, speaker, text, caption), `questions.jsonl` (conv, qid, category,
/// text, asked_at, until), and, if answers are known, `evidence.jsonl` (conv, qid, evidence). Vectors called NAME have a row
/// for each line in `turns.NAME.f16` and `questions.NAME.f16` (16-bit floats, little-endian); a vocabulary, if there is one, is
/// `vocab.txt`, a stem a line, with `vocab.NAME.f16`.
struct EvaluationData {
    struct Turn {
        var conversation: String
        var id: String
        var session: String?
        var time: Timestamp
        var speaker: String
        var text: String
        var caption: String?
        var vector: [Float]?

        var withoutVector: Turn {
            var turn = self
            turn.vector = nil
            return turn
        }

        /// Its id is a hash.
        var isCommit: Bool { id.utf8.count >= 12 && id.allSatisfy(\.isHexDigit) }
    }

    struct Question {
        var conversation: String
        var id: String
        var category: String
        var text: String
        var askedAt: Timestamp
        /// The answer may only come from what happened before it.
        var until: Timestamp?
        /// The ids of the turns that answer it, if that is known.
        var evidence: Set<String>
        var vector: [Float]?
    }

    private(set) var turns: [Turn] = []
    private(set) var questions: [Question] = []
    /// The space of the vectors.
    let space: EmbeddingSpace
    let hasEvidence: Bool
    /// Vectors of stems, if the folder has them.
    private(set) var vocabulary: [String: [Float]] = [:]

    /// What a folder lacks of it, by path.
    static func missing(in folder: String, vectors: String?) -> [String] {
        let files =
            ["turns.jsonl", "questions.jsonl"]
            + (vectors.map { ["turns.\($0).f16", "questions.\($0).f16"] } ?? [])
        return files.map { folder + "/" + $0 }.filter { !FileManager.default.isReadableFile(atPath: $0) }
    }

    /// - Parameter vectors: the name of those to read; `nil` = none.
    init(_ folder: String, vectors: String?) throws {
        let turnLines = try Self.lines(folder + "/turns.jsonl")
        let (turnVectors, dimension) = try Self.vectors(
            vectors.map { folder + "/turns.\($0).f16" }, count: turnLines.count)
        space = EmbeddingSpace(model: vectors ?? "none", dimension: dimension)
        hasEvidence = FileManager.default.isReadableFile(atPath: folder + "/evidence.jsonl")
        for (line, vector) in zip(turnLines, turnVectors) {
            turns.append(
                Turn(
                    conversation: try Self.string("conv", line), id: try Self.string("id", line),
                    session: line["session"].map { "\($0)" }, time: try Self.time("time", line),
                    speaker: try Self.string("speaker", line), text: try Self.string("text", line),
                    caption: line["caption"] as? String, vector: vector))
        }
        questions = try Self.questions(
            in: folder, vectors, evidence: hasEvidence ? Self.evidence(in: folder) : [:])
        guard questions.allSatisfy({ $0.vector?.count ?? dimension == dimension }) else {
            throw ValidationError("\(folder): the vectors of turns and of questions differ in length")
        }
        if let vectors, let text = FileManager.default.contents(atPath: folder + "/vocab.txt") {
            let stems = String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
            let path = folder + "/vocab.\(vectors).f16"
            if FileManager.default.isReadableFile(atPath: path) {
                for (stem, vector) in zip(stems, try Self.vectors(path, count: stems.count).0) {
                    if let vector { vocabulary[stem] = vector }
                }
            }
        }
    }

    /// By the id of a question, the turns that answer it.
    private static func evidence(in folder: String) throws -> [String: Set<String>] {
        var evidence: [String: Set<String>] = [:]
        for line in try lines(folder + "/evidence.jsonl") {
            guard let ids = line["evidence"] as? [String] else {
                throw ValidationError("evidence.jsonl: a line has no \"evidence\"")
            }
            let conversation = line["conv"] as? String ?? ""
            evidence[conversation + "\n" + (try string("qid", line))] = Set(ids)
        }
        return evidence
    }

    private static func questions(
        in folder: String, _ vectors: String?, evidence: [String: Set<String>]
    ) throws -> [Question] {
        let lines = try lines(folder + "/questions.jsonl")
        let (rows, _) = try Self.vectors(
            vectors.map { folder + "/questions.\($0).f16" }, count: lines.count)
        return try zip(lines, rows).map { line, vector in
            let (conversation, id) = (try string("conv", line), try string("qid", line))
            return Question(
                conversation: conversation, id: id, category: line["category"] as? String ?? "",
                text: try string("text", line), askedAt: try time("asked_at", line),
                until: line["until"] is String ? try time("until", line) : nil,
                evidence: evidence[conversation + "\n" + id] ?? evidence["\n" + id] ?? [], vector: vector)
        }
    }

    /// The questions of `folder` as `scripts/swap-questions` put them to other conversations.
    func swapped(in other: String, _ vectors: String) throws -> [Question] {
        try Self.questions(in: other, vectors, evidence: [:])
    }

    private static func lines(_ path: String) throws -> [[String: Any]] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ValidationError("\(path) cannot be read")
        }
        return try data.split(separator: UInt8(ascii: "\n")).map { line in
            guard let object = try JSONSerialization.jsonObject(with: line) as? [String: Any] else {
                throw ValidationError("\(path): a line is no object")
            }
            return object
        }
    }

    private static func string(_ name: String, _ line: [String: Any]) throws -> String {
        guard let text = line[name] as? String else { throw ValidationError("a line has no \"\(name)\"") }
        return text
    }

    /// A time that tells no zone is in UTC.
    private static func time(_ name: String, _ line: [String: Any]) throws -> Timestamp {
        let text = try string(name, line)
        guard let time = Timestamp(text) else { throw ValidationError("\"\(text)\" is no time") }
        return time
    }

    /// The rows of a file of vectors, and how long each is; without a file, none.
    private static func vectors(_ path: String?, count: Int) throws -> ([[Float]?], dimension: Int) {
        guard let path else { return (Array(repeating: nil, count: count), 1) }
        guard let data = FileManager.default.contents(atPath: path), count > 0, data.count > 0,
            data.count % (count * 2) == 0
        else { throw ValidationError("\(path) has not \(count) rows of 16-bit floats of one length") }
        let dimension = data.count / count / 2
        let bytes = [UInt8](data)
        let rows = (0..<count).map { row -> [Float]? in
            (0..<dimension).map { column in
                let place = (row * dimension + column) * 2
                return Float(Float16(bitPattern: UInt16(bytes[place]) | UInt16(bytes[place + 1]) << 8))
            }
        }
        return (rows, dimension)
    }
}

/// Knows the vectors of stems alone; everything else brings its own.
struct VocabularyEmbedder: Embedder {
    let space: EmbeddingSpace
    let vocabulary: [String: [Float]]

    /// `nil` where there is no vocabulary.
    init?(_ data: EvaluationData) {
        if data.vocabulary.isEmpty { return nil }
        space = data.space
        vocabulary = data.vocabulary
    }

    func embed(_ inputs: [EmbeddingInput], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        inputs.map { input in
            guard case .text(let text) = input else { return [Float](repeating: 1, count: space.dimension) }
            // The engine asks for a word as it is written, the file has its stem.
            var stem = Array(text.utf8)
            PorterStemmer.stem(&stem)
            if let vector = vocabulary[String(decoding: stem, as: UTF8.self)] { return vector }
            // Not in the file: it lies far from all others (the seed is FNV-1a of its bytes).
            var random = SeededRandom(
                seed: text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 })
            return (0..<space.dimension).map { _ in Float.random(in: -1...1, using: &random) }
        }
    }
}
