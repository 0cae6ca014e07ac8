import MemoryEngine

/// What is written under a key: a function of key and version, so that whoever knows both knows the memory.
package enum Workload {
    package static let home = Namespace.project("crash")
    /// A segment of it has 126 rows, so that the indexer folds vectors too.
    package static let space = EmbeddingSpace(model: "crash", dimension: 512)

    /// SplitMix64, so that a run can be repeated.
    package struct Random: RandomNumberGenerator {
        private var state: UInt64
        package init(_ seed: UInt64) { state = seed }
        package mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var word = state
            word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
            return word ^ (word >> 31)
        }
    }

    private static let words = [
        "deploy", "token", "expired", "region", "backup", "restore", "queue", "latency", "customer",
        "invoice",
        "Kraków", "schema", "migration", "rollback", "certificate", "harbor", "quiet", "green", "violin",
        "42",
    ]

    /// The memory of a version: short with a vector, short without, or long; a few with an attachment.
    package static func draft(_ key: String, version: Int, words count: Int? = nil) -> MemoryDraft {
        let seed = key.utf8.reduce(UInt64(version) &* 0x1000_0000_01B3) { ($0 ^ UInt64($1)) &* 0x1_0000_01B3 }
        var random = Random(seed)
        let kind = random.next() % 5
        let count = count ?? Int.random(in: kind == 4 ? 300...900 : 6...30, using: &random)
        var text = "\(key) \(version)"
        for _ in 0..<count { text += " " + words[Int.random(in: words.indices, using: &random)] }
        var draft = MemoryDraft(text)
        draft.key = key
        draft.tags = ["t\(kind)"]
        if kind < 2 {
            draft.embeddings = [
                Embedding(
                    (0..<space.dimension).map { _ in Float.random(in: -1...1, using: &random) }, in: space)
            ]
        }
        if random.next() % 8 == 0 {
            let bytes = (0..<5_000).map { UInt8(truncatingIfNeeded: $0 &* Int(kind + 3)) }
            draft.attachments = [.data(bytes, name: "log.txt")]
        }
        return draft
    }

    /// The keys of a batch.
    package static func keys(_ key: String, count: Int) -> [String] {
        count == 0 ? [key] : (0..<count).map { "\(key).\($0)" }
    }
}
