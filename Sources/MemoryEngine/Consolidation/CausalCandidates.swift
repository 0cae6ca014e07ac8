/// Finds what may be the cause of something where no text states it; candidates, never as sure as what is stated.
///
/// - A commit whose title repairs something may repair what the nearest earlier commit did that changed most of its files, or
///   has the same part of the program before its title where no files are known, and shares two rare words with it (after
///   Śliwerski, Zimmermann and Zeller, When do changes induce fixes?, 2005, without the lines that were changed).
/// - A turn that begins with "that's why" or the like comes of what was said before it.
struct CausalCandidates {
    /// The version of these rules.
    static let rules = 1

    /// Of repairs whose cause is known, about so many have it there (docs/decisions/0022-names-of-one-thing.md).
    static let repairWeight: Float = 0.37
    /// What a turn leads back to was too seldom seen to be counted, so it is less.
    static let turnWeight: Float = 0.3

    /// How many commits back a cause is looked for.
    private static let reach = 4_000
    private static let leastRareWords = 2
    /// A change of more files is no more about one than about another.
    private static let maximumFileCount = 32

    /// - Parameters:
    ///   - mark: memories from this passage on are looked at; those before were.
    ///   - caused: what has an edge to its cause already, or had one that was taken back.
    /// - Complexity: O(words of all commits), and O(commits that share a rare word) for each repair.
    static func find(in study: HomeStudy, from mark: UInt32, caused: Set<MemoryID> = []) -> [Derivation] {
        repairs(in: study, from: mark, caused) + turns(in: study, from: mark, caused)
    }

    // MARK: Repairs

    private struct Commit {
        var memory: StudiedMemory
        var words: [UInt64]
        /// Where its first line ends.
        var titleEnd: Int
        var files: Set<String>

        init(_ memory: StudiedMemory) {
            self.memory = memory
            words = Set(SaidWords(memory.content).content).sorted()
            titleEnd = memory.content.firstIndex(of: 0x0A) ?? memory.content.count
            files = Set(memory.keywords)
        }

        var title: [UInt8] { Array(memory.content[..<titleEnd]) }

        /// "fetch" of "fetch: do not update what was not fetched".
        var part: String? {
            guard let colon = title.firstIndex(of: UInt8(ascii: ":")), (1...40).contains(colon) else {
                return nil
            }
            return String(decoding: title[..<colon], as: UTF8.self).lowercased()
        }
    }

    private static func repairs(
        in study: HomeStudy, from mark: UInt32, _ caused: Set<MemoryID>
    ) -> [Derivation] {
        let commits = study.memories.filter { $0.kind == .commit }.map(Commit.init).sorted {
            ($0.memory.happened.lowerBound, $0.memory.passage) < (
                $1.memory.happened.lowerBound, $1.memory.passage
            )
        }
        var holders: [UInt64: [Int]] = [:]
        for (place, commit) in commits.enumerated() {
            for word in commit.words { holders[word, default: []].append(place) }
        }
        let rareCount = max(3, commits.count / 100)
        var found: [Derivation] = []
        for (place, commit) in commits.enumerated() where commit.memory.passage >= mark {
            guard RepairWord.stands(in: commit.title), commit.files.count <= maximumFileCount,
                !caused.contains(commit.memory.id), !statesCause(commit.memory)
            else { continue }
            var shared: [Int: Int] = [:]
            for word in commit.words {
                guard let others = holders[word], others.count <= rareCount else { continue }
                for other in others where other < place && other >= place - reach {
                    shared[other, default: 0] += 1
                }
            }
            let candidates = shared.filter { other, count in
                count >= leastRareWords && isNear(commit, commits[other])
            }
            guard let cause = candidates.keys.max(), let count = candidates[cause] else { continue }
            let older = commits[cause]
            let common = commit.files.intersection(older.files).count
            let place = common > 0 ? "\(common) of its files" : "the same part"
            found.append(
                Derivation(
                    step: .causes, kind: .causedBy, from: commit.memory.id, to: older.memory.id,
                    weight: repairWeight,
                    says:
                        "may repair it: the nearest that changed \(place), with \(count) rare words in common",
                    evidence: [
                        commit.memory.evidence(0..<commit.titleEnd),
                        older.memory.evidence(0..<older.titleEnd),
                    ]))
        }
        return found
    }

    /// Whether a commit changed most of the files of another; where either tells none, whether both are about one part.
    private static func isNear(_ commit: Commit, _ older: Commit) -> Bool {
        guard !commit.files.isEmpty, !older.files.isEmpty else {
            return commit.part != nil && commit.part == older.part
        }
        return commit.files.intersection(older.files).count * 2 > commit.files.count
    }

    /// Whether its words name what it came of, whether that is there or not.
    private static func statesCause(_ memory: StudiedMemory) -> Bool {
        Extraction.references(in: memory.content, memory.fields).contains { $0.kind.graph == .causal }
    }

    // MARK: Turns

    private static func turns(
        in study: HomeStudy, from mark: UInt32, _ caused: Set<MemoryID>
    ) -> [Derivation] {
        var last: [UInt32: StudiedMemory] = [:]
        var found: [Derivation] = []
        let ordered = study.memories.filter { $0.series != 0 && $0.kind != .commit }
            .sorted { ($0.series, $0.turn) < ($1.series, $1.turn) }
        for memory in ordered {
            defer { last[memory.series] = memory }
            guard memory.passage >= mark, !caused.contains(memory.id), let before = last[memory.series],
                let range = BackwardReference.find(in: memory.content), !statesCause(memory)
            else { continue }
            let words = String(decoding: memory.content[range], as: UTF8.self)
            found.append(
                Derivation(
                    step: .causes, kind: .causedBy, from: memory.id, to: before.id, weight: turnWeight,
                    says: "comes right behind it, and begins with “\(words)”",
                    evidence: [memory.evidence(range), before.evidence]))
        }
        return found
    }
}

/// Words in the title of a commit that repairs something.
private enum RepairWord {
    private static let lexicon = Lexicon(
        [
            "fix", "fixes", "fixed", "repair", "repairs", "correct", "corrects", "revert", "reverts",
            "regression",
            "broken", "crash", "leak", "bug", "breakage", "segfault",
        ].map { ($0, 1) })

    /// Whether one stands in a title; as a part of an identifier (`git_revert`) it is none.
    static func stands(in title: [UInt8]) -> Bool {
        var reader = TokenReader(lexicon)
        let span = title.span
        func isJoined(_ index: Int) -> Bool {
            title.indices.contains(index) && title[index] == UInt8(ascii: "_")
        }
        while let token = reader.next(in: span) {
            if token.tag != 0, !isJoined(token.start - 1), !isJoined(token.end) { return true }
        }
        return false
    }
}

/// The words at the beginning of a text that lead back to what was said before it.
private enum BackwardReference {
    private static let phrases: [[UInt8]] = [
        "that's why", "that is why", "this is why", "which is why", "so that's why", "so that is why",
        "because of that", "because of this", "as a result", "therefore", "for that reason", "consequently",
    ].map { Array($0.utf8) }

    static func find(in text: [UInt8]) -> Range<Int>? {
        let start = text.prefix(64).firstIndex { $0 > 0x20 } ?? text.count
        // A curly apostrophe is a straight one.
        let beginning = String(decoding: text[start...].prefix(32), as: UTF8.self).lowercased()
        let folded = Array(beginning.replacing("\u{2019}", with: "'").utf8)
        guard let phrase = phrases.first(where: { folded.starts(with: $0) }),
            folded.count > phrase.count,
            folded[phrase.count] == 0x20 || folded[phrase.count] == UInt8(ascii: ",")
        else { return nil }
        let extra = beginning.utf8.prefix(phrase.count + 2).contains(0xE2) ? 2 : 0
        return start..<min(text.count, start + phrase.count + extra)
    }
}
