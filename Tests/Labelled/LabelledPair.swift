import Foundation

/// Two short texts, of which the younger takes back what the older says, or only looks as if it did (`contradictions.jsonl`).
package struct LabelledPair: Decodable, Sendable {
    /// `open`, or `held out`: not looked at while the rules were written.
    package var part: String
    package var contradicts: Bool
    package var older: String
    package var younger: String
    /// Who says them, in this order.
    package var actors: [String]?

    /// All pairs of the file beside this one.
    package static func all() throws -> [LabelledPair] {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
            path: "contradictions.jsonl")
        return try String(contentsOf: path, encoding: .utf8).split(separator: "\n").map {
            try JSONDecoder().decode(LabelledPair.self, from: Data($0.utf8))
        }
    }
}
