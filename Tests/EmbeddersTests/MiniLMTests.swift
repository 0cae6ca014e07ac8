import Embedders
import Foundation
import MemoryEngine
import Testing

/// all-MiniLM-L6-v2, if `make model` was run on this machine or LOCI_MODEL names it.
private let miniLM: LocalEncoder? = {
    guard let local = try? AvailableEmbedders().local, local.space.model == "all-MiniLM-L6-v2" else {
        return nil
    }
    return local
}()

/// What the libraries of the model's makers give: tokens by `tokenizers` 0.23.3, components 0, 1, 100, 200, 300 and 383 by
/// `sentence-transformers` 6.2.0 in 32-bit floats.
private struct Golden: Sendable {
    let text: String
    let tokens: [Int32]
    let components: [Float]

    static let all = [
        Golden(
            text: "The deploy failed: its token had expired.",
            tokens: [101, 1996, 21296, 3478, 1024, 2049, 19204, 2018, 13735, 1012, 102],
            components: [-0.024032, -0.024482, 0.020905, 0.07263, 0.008033, -0.034788]),
        Golden(
            text: "Ada Lovelace wrote the first program for Babbage’s engine.",
            tokens: [
                101, 15262, 2293, 19217, 2626, 1996, 2034, 2565, 2005, 8670, 22414, 3351, 1521, 1055, 3194,
                1012,
                102,
            ],
            components: [-0.087659, -0.003024, -0.04921, 0.012817, -0.00739, -0.055385]),
        Golden(
            text: "ÅNGSTRÖM naïve café e\u{301}", tokens: [101, 17076, 15687, 15743, 7668, 1041, 102],
            components: [0.057111, 0.004443, -0.06249, 0.079599, 0.00872, -0.031604]),
        Golden(
            text: "東京タワー and 한국어",
            tokens: [
                101, 1879, 1755, 1709, 30262, 30265, 1998, 1469, 30006, 30021, 29991, 30014, 30020, 29999,
                30008,
                102,
            ],
            components: [-0.02113, 0.065688, -0.000387, 0.068427, -0.063439, 0.029245]),
        Golden(
            text: "🙂👍🏽 x\u{0}y\u{200D}z\u{FFFD}", tokens: [101, 100, 1060, 2100, 2480, 102],
            components: [-0.045556, -0.064346, 0.087168, 0.121638, 0.01748, -0.111287]),
        Golden(
            text: String(repeating: "b", count: 101) + " ok", tokens: [101, 100, 7929, 102],
            components: [-0.032564, -0.059507, 0.096201, 0.12265, 0.02386, -0.023023]),
        Golden(
            text: "C++ isn't (always) 50% faster_than C#",
            tokens: [
                101, 1039, 1009, 1009, 3475, 1005, 1056, 1006, 2467, 1007, 2753, 1003, 5514, 1035, 2084, 1039,
                1001, 102,
            ],
            components: [0.001097, 0.0424, -0.011416, -0.023864, 0.094725, 0.047615]),
        Golden(
            text: "", tokens: [101, 102],
            components: [-0.118838, 0.048299, 0.035949, 0.037718, -0.018427, -0.015717]),
        Golden(
            text: "Ελλάδα ΣΟΦΟΣ Привет ≮ ﬁ ½",
            tokens: [
                101, 1159, 29727, 29727, 14608, 29722, 14608, 1173, 29730, 29736, 29730, 29733, 1194, 16856,
                10325, 25529, 15290, 22919, 1026, 1984, 1092, 102,
            ],
            components: [0.00418, 0.027835, -0.034932, 0.032493, -0.118347, -0.062944]),
    ]
}

@Suite(.enabled(if: miniLM != nil, "there is no model on this machine: run `make model`"))
struct `The local encoder with all-MiniLM-L6-v2` {
    @Test func `makes the tokens and vectors that its makers' libraries make`() async throws {
        let folder = try #require(miniLM).folder
        for arithmetic in LocalEncoder.Arithmetic.allCases {
            let encoder = try LocalEncoder(folder: folder, arithmetic: arithmetic)
            let inputs = Golden.all.map { EmbeddingInput.text($0.text) }
            let vectors = try await encoder.embed(inputs, for: .passage)
            for (golden, vector) in zip(Golden.all, vectors) {
                #expect(encoder.tokens(of: golden.text) == golden.tokens)
                for (place, component) in zip([0, 1, 100, 200, 300, 383], golden.components) {
                    #expect(abs(vector[place] - component) < (arithmetic == .float32 ? 1e-5 : 2e-3))
                }
            }
        }
    }

    @Test func `has the space that stored vectors name`() throws {
        // A change here makes vectors that are stored those of another space.
        #expect(try #require(miniLM).space.name == "all-MiniLM-L6-v2@cb9362b019f9/384/cosine")
    }

    @Test func `brings near what means the same in other words`() throws {
        let encoder = try #require(miniLM)
        func similarity(_ a: String, _ b: String) throws -> Float {
            zip(try encoder.vector(of: a), try encoder.vector(of: b)).reduce(0) { $0 + $1.0 * $1.1 }
        }
        let question = "How do I get a refund for my order?"
        let same = try similarity(question, "I would like my money back for what I bought.")
        #expect(try same > similarity(question, "How do I get a passport for my dog?") + 0.1)
    }
}
