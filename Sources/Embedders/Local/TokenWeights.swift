import Foundation
import MemoryEngine

/// What each token of a vocabulary counts for in a text: the rarer it is, the more.
///
/// A vocabulary of WordPiece is in the order of frequency, behind its marks and single characters. By Zipf's law the token at
/// rank r stands in some 7/r of all texts, which is what is believed of it until texts have been counted: they count beside
/// 3,000 texts of that expectation. A token weighs the logarithm of one over its share of texts, above that of a token of
/// every seventh text; one of punctuation, or a mark of the model, weighs nothing.
package struct TokenWeights: Sendable {
    private let vocabulary: WordPiece
    /// Of each token the share of texts that is expected; 0 = it does not count.
    private let expected: [Double]
    private var textsWithToken: [Int]
    private var textCount = 0

    static let expectedTextCount = 3_000.0

    /// - Parameter lines: the tokens, as in `vocab.txt`.
    init(_ lines: [UInt8], _ vocabulary: WordPiece) {
        self.vocabulary = vocabulary
        let names = lines.split(separator: 0x0A, omittingEmptySubsequences: false).prefix(vocabulary.count)
            .map { String(decoding: $0.last == 0x0D ? $0.dropLast() : $0, as: UTF8.self) }
        func isMark(_ name: String) -> Bool { name.count > 2 && name.first == "[" && name.last == "]" }
        func piece(_ name: String) -> Substring {
            name.count > 2 && name.hasPrefix("##") ? name.dropFirst(2) : name[...]
        }
        let first = names.firstIndex { !isMark($0) && piece($0).count > 1 } ?? 0
        expected = names.enumerated().map { token, name in
            guard !isMark(name), piece(name).contains(where: { $0.isLetter || $0.isNumber }) else { return 0 }
            return min(1, 7 / Double(max(1, token - first + 1)))
        }
        textsWithToken = [Int](repeating: 0, count: expected.count)
    }

    /// Counts a text of those for which the weights are.
    package mutating func count(_ text: String) {
        textCount += 1
        for token in Set(vocabulary.tokens(of: text, atMost: text.utf8.count + 2)) {
            textsWithToken[Int(token)] += 1
        }
    }

    /// By tokens.
    var values: [Double] {
        expected.indices.map { token in
            guard expected[token] > 0 else { return 0 }
            let count = Double(textsWithToken[token]) + Self.expectedTextCount * expected[token]
            return max(0.05, log((Double(textCount) + Self.expectedTextCount) / count) - 2)
        }
    }
}
