/// Finds memories that say nearly the same as an older one of the same kind, by the same actor: nine tenths of the words of
/// both are common to them, and what differs is no number, no name and no denial. No commits: each is a change of its own, cited as
/// that, whatever it says.
///
/// It is a set similarity join with prefix filtering (Chaudhuri, Ganti and Kaushik, 2006; Bayardo, Ma and Srikant, 2007): two
/// sets with so much in common share one of the few rarest words of each, so only memories are compared that do. What is a
/// duplicate is not compared with later ones again, as the memory is that it duplicates.
enum NearDuplicates {
    /// The version of these rules: with another number, all is looked at again.
    static let rules = 1
    static let leastLikeness: Float = 0.9
    /// A text of fewer words is like many others by chance.
    static let leastWords = 5

    /// - Parameter mark: memories from this passage on are looked at; those before were.
    /// - Complexity: O(words of all memories), and O(words) for each pair that shares a rare word.
    static func find(in study: HomeStudy, from mark: UInt32) -> [Derivation] {
        let texts = study.memories.map { SaidWords($0.content) }
        var frequency: [UInt64: UInt32] = [:]
        for text in texts { for word in text.words { frequency[word, default: 0] += 1 } }
        var holders: [UInt64: [Int32]] = [:]
        var found: [Derivation] = []
        for (place, text) in texts.enumerated() where text.words.count >= leastWords {
            let memory = study.memories[place]
            if memory.kind == .commit { continue }
            let rarest = prefix(of: text, frequency)
            var compared: Set<Int32> = []
            var best: (place: Int, likeness: Float)?
            for word in rarest {
                for other in holders[word] ?? [] where compared.insert(other).inserted {
                    let older = study.memories[Int(other)]
                    guard older.kind == memory.kind, older.actor == memory.actor,
                        isNear(texts[Int(other)].words.count, text.words.count)
                    else { continue }
                    let likeness = text.likeness(to: texts[Int(other)])
                    guard likeness >= leastLikeness else { continue }
                    if let best, best.place < Int(other) { continue }
                    best = (Int(other), likeness)
                }
            }
            guard let best else {
                for word in rarest { holders[word, default: []].append(Int32(place)) }
                continue
            }
            guard memory.passage >= mark else { continue }
            let original = study.memories[best.place]
            found.append(
                Derivation(
                    step: .duplicates, kind: .duplicateOf, from: memory.id, to: original.id,
                    weight: best.likeness,
                    says: "has \(Int((best.likeness * 100).rounded())) % of its words in common",
                    evidence: [memory.evidence, original.evidence]))
        }
        return found
    }

    private static func isNear(_ a: Int, _ b: Int) -> Bool {
        Float(min(a, b)) >= leastLikeness * Float(max(a, b))
    }

    /// The rarest words of a text, so many that each text as like as that has one of them among its own.
    private static func prefix(of text: SaidWords, _ frequency: [UInt64: UInt32]) -> ArraySlice<UInt64> {
        let count = text.words.count
        let length = count - Int((leastLikeness * Float(count)).rounded(.up)) + 1
        let ranked = text.words.sorted {
            let (a, b) = (frequency[$0] ?? 0, frequency[$1] ?? 0)
            return a != b ? a < b : $0 < $1
        }
        return ranked.prefix(length)
    }
}
