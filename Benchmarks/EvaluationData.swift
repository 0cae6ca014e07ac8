import ArgumentParser
import Foundation
import MemoryEngine

/// Conversations with questions, the turns that answer each, and vectors of both.
///
/// A folder holds `turns.jsonl` (conv, id, session, time, speaker, text, caption), `questions.jsonl` (conv, qid, category,
/// text, asked_at, until), `evidence.jsonl` (qid, evidence), and a vector for each line in `turns.minilm.f16` and
/// `questions.minilm.f16` (16-bit floats, little-endian, a row for each line).
struct EvaluationData {
    struct Turn {
        var conversation: String
        var id: String
        var session: String?
        var time: Timestamp
        var speaker: String
        var text: String
        var caption: String?
        var vector: [Float]
    }

    struct Question {
        var conversation: String
        var category: String
        var text: String
        var askedAt: Timestamp
        /// The answer may only come from what happened before it.
        var until: Timestamp?
        /// The ids of the turns that answer it.
        var evidence: Set<String>
        var vector: [Float]
    }

    private(set) var turns: [Turn] = []
    private(set) var questions: [Question] = []

    static let files = [
        "turns.jsonl", "questions.jsonl", "evidence.jsonl", "turns.minilm.f16", "questions.minilm.f16",
    ]

    /// What a folder lacks of it, by path.
    static func missing(in folder: String) -> [String] {
        files.map { folder + "/" + $0 }.filter { !FileManager.default.isReadableFile(atPath: $0) }
    }

    init(_ folder: String) throws {
        let turnLines = try Self.lines(folder + "/turns.jsonl")
        let turnVectors = try Self.vectors(folder + "/turns.minilm.f16", count: turnLines.count)
        for (line, vector) in zip(turnLines, turnVectors) {
            turns.append(
                Turn(
                    conversation: try Self.string("conv", line), id: try Self.string("id", line),
                    session: line["session"].map { "\($0)" }, time: try Self.time("time", line),
                    speaker: try Self.string("speaker", line), text: try Self.string("text", line),
                    caption: line["caption"] as? String, vector: vector))
        }
        questions = try Self.questions(in: folder, evidence: Self.evidence(in: folder))
    }

    /// By the id of a question, the turns that answer it.
    private static func evidence(in folder: String) throws -> [String: Set<String>] {
        var evidence: [String: Set<String>] = [:]
        for line in try lines(folder + "/evidence.jsonl") {
            guard let ids = line["evidence"] as? [String] else {
                throw ValidationError("evidence.jsonl: a line has no \"evidence\"")
            }
            evidence[try string("qid", line)] = Set(ids)
        }
        return evidence
    }

    private static func questions(in folder: String, evidence: [String: Set<String>]) throws -> [Question] {
        let lines = try lines(folder + "/questions.jsonl")
        return try zip(lines, try vectors(folder + "/questions.minilm.f16", count: lines.count)).compactMap {
            line, vector in
            guard let ids = evidence[try string("qid", line)], !ids.isEmpty else { return nil }
            return Question(
                conversation: try string("conv", line), category: try string("category", line),
                text: try string("text", line), askedAt: try time("asked_at", line),
                until: line["until"] == nil ? nil : try time("until", line), evidence: ids, vector: vector)
        }
    }

    /// The questions of `folder` as `scripts/swap-questions` put them to other conversations.
    func swapped(in other: String, of folder: String) throws -> [Question] {
        try Self.questions(in: other, evidence: Self.evidence(in: folder))
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

    private static func vectors(_ path: String, count: Int) throws -> [[Float]] {
        let dimension = CorpusVectors.space.dimension
        guard let data = FileManager.default.contents(atPath: path), data.count == count * dimension * 2
        else { throw ValidationError("\(path) has not \(count) rows of \(dimension) 16-bit floats") }
        let bytes = [UInt8](data)
        return (0..<count).map { row in
            (0..<dimension).map { column in
                let place = (row * dimension + column) * 2
                return Float(Float16(bitPattern: UInt16(bytes[place]) | UInt16(bytes[place + 1]) << 8))
            }
        }
    }
}
