import Embedders
import MemoryEngine
import Testing

@Suite struct `The hash embedder` {
    private let embedder = HashEmbedder()

    private func similarity(_ a: String, _ b: String) -> Float {
        zip(embedder.vector(of: a), embedder.vector(of: b)).reduce(0) { $0 + $1.0 * $1.1 }
    }

    private func length(_ vector: [Float]) -> Float { vector.reduce(0) { $0 + $1 * $1 }.squareRoot() }

    /// FNV-1a over the bits of the components.
    private func fingerprint(_ vector: [Float]) -> UInt64 {
        vector.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1.bitPattern)) &* 0x100_0000_01B3 }
    }

    @Test func `names its space by model, revision and dimension`() {
        #expect(embedder.space.name == "loci-hash@1/256/cosine")
        #expect(HashEmbedder(dimension: 64).vector(of: "a word").count == 64)
        #expect(embedder.lexicalWeight > 0.5)
    }

    @Test func `gives the bits that revision 1 has always given`() {
        // A change here makes stored vectors wrong: it needs another revision of the space.
        #expect(
            fingerprint(embedder.vector(of: "The deploy failed: its token had expired."))
                == 16_780_308_842_429_198_745)
        #expect(
            fingerprint(embedder.vector(of: "Über Ångström, 東京タワー, 👍 and v2.0-rc1"))
                == 8_928_056_808_636_072_032)
    }

    @Test func `embeds texts in their order, questions like passages, and refuses images`() async throws {
        let texts = ["one", "two", "three"]
        let inputs = texts.map(EmbeddingInput.text)
        let passages = try await embedder.embed(inputs, for: .passage)
        #expect(passages == texts.map(embedder.vector))
        #expect(try await embedder.embed(inputs, for: .query) == passages)
        await #expect(throws: EngineError.self) { try await embedder.embed([.image([1, 2])], for: .passage) }
    }

    @Test(arguments: [
        "a", "The the the THE", "deploy", "🤖", "👩‍👩‍👧", "é", "東", "123456789", "-- \u{0} x",
        String(repeating: "word ", count: 3_000),
    ])
    func `gives vectors of length 1`(text: String) {
        let vector = embedder.vector(of: text)
        #expect(abs(length(vector) - 1) < 1e-5)
        #expect(!vector.contains { !$0.isFinite })
    }

    @Test(arguments: ["", " ", "\n\t", "?!… — ‘’", "\u{301}", "\u{200D}"])
    func `gives one fixed vector for a text that says nothing`(text: String) {
        let vector = embedder.vector(of: text)
        #expect(vector == embedder.vector(of: ""))
        #expect(length(vector) == 1)
    }

    @Test func `finds texts near that share words or pieces of words`() {
        let question = "Why did the deployment fail?"
        let near = similarity(question, "The deploy failed because its token had expired.")
        let far = similarity(question, "Melanie painted a sunrise by the lake last summer.")
        #expect(near > far + 0.1)
        // A typing error leaves some pieces.
        #expect(similarity("Kubernetes", "Kuberentes") > similarity("Kubernetes", "Postgres") + 0.1)
    }

    @Test func `weighs rare words more than frequent ones`() {
        let text = "the zeppelin of the museum"
        #expect(similarity(text, "zeppelin") > 2 * similarity(text, "the of the"))
    }

    @Test func `minds neither case nor accents nor how they are composed`() {
        #expect(embedder.vector(of: "CAFÉ Noir") == embedder.vector(of: "cafe noir"))
        #expect(embedder.vector(of: "Cafe\u{301}") == embedder.vector(of: "Caf\u{E9}"))
        #expect(embedder.vector(of: "Straße, größe") == embedder.vector(of: "straße GRÖßE"))
    }

    @Test func `takes pairs of characters where a script has no spaces`() {
        let visit = "東京タワーに行きました"
        #expect(similarity(visit, "昨日は東京タワーを見た") > similarity(visit, "猫が好きです") + 0.15)
    }

    @Test func `keeps emoji apart`() {
        #expect(similarity("👍", "👍👍") > 0.99)
        #expect(abs(similarity("👍", "🐙")) < 0.5)
    }

    @Test func `embeds a megabyte of text, and a word without an end`() {
        let text = (0..<20_000).map {
            "Item \($0 % 997) was seen by observer \($0 % 31) of the northern station."
        }
        .joined(separator: "\n")
        #expect(text.utf8.count > 1_000_000)
        #expect(abs(length(embedder.vector(of: text)) - 1) < 1e-4)
        let run = String(repeating: "x", count: 1_000_000)
        #expect(abs(length(embedder.vector(of: run)) - 1) < 1e-4)
    }
}
