import Testing

@testable import MemoryEngine

/// A home as a consolidation reads it, of texts alone.
func study(_ texts: [String], actors: [String?] = []) -> HomeStudy {
    var study = HomeStudy()
    for (place, text) in texts.enumerated() {
        study.memories.append(
            StudiedMemory(
                id: MemoryID(rawValue: UInt128(place + 1)), version: 1, passage: UInt32(place), kind: .note,
                actor: place < actors.count ? actors[place] : nil, happened: Int64(place)..<Int64(place + 1),
                content: Array(text.utf8)))
    }
    study.nextPassage = UInt32(texts.count)
    return study
}

@Suite struct `Near duplicates` {
    private func pairs(_ study: HomeStudy, from mark: UInt32 = 0) -> [[Int]] {
        NearDuplicates.find(in: study, from: mark).map { [Int($0.from.rawValue), Int($0.to.rawValue)] }
    }

    @Test func `lead from the younger to the older one that says the same`() {
        let found = pairs(
            study([
                "The deploy failed because its token had expired.", "Lunch is at twelve on most days.",
                "the deploy failed, because its token had EXPIRED",
                "The deploy failed because the token had expired!",
                "The deploy failed because its token had expired.",
            ]))
        #expect(found == [[3, 1], [5, 1]])
    }

    @Test(arguments: [
        ("The port of the main server is 8080 now", "The port of the main server is 8081 now"),
        (
            "Version 1.2.3 of the index is out and works well",
            "Version 1.3.2 of the index is out and works well"
        ),
        (
            "On most days of the year the build is not slow at all",
            "On most days of the year the build is slow at all"
        ),
        (
            "After a long day of work in the lab we went to dine with Ada and her friends at the river",
            "After a long day of work in the lab we went to dine with Grace and her friends at the river"
        ),
        ("Good morning to you", "Good morning to you"),
        ("", ""),
    ])
    func `are not what tells of other numbers or names, denies it, or is short`(_ a: String, _ b: String) {
        #expect(pairs(study([a, b])) == [])
        // And what makes the difference is that alone.
        let longer = a + " as all of us have seen today"
        if !a.isEmpty { #expect(pairs(study([longer, longer])) == [[2, 1]]) }
    }

    @Test func `are of one kind and by one actor`() {
        let text = "I will water the plants on the balcony every evening"
        #expect(pairs(study([text, text], actors: ["Ada", "Grace"])) == [])
        #expect(pairs(study([text, text], actors: ["Ada", "Ada"])) == [[2, 1]])
        var other = study([text, text])
        other.memories[1].kind = .event
        #expect(pairs(other) == [])
        // Two commits are two changes.
        for place in other.memories.indices { other.memories[place].kind = .commit }
        #expect(pairs(other) == [])
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `agree with a comparison of all pairs`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let words = (0..<40).map {
            "w" + String(repeating: "a", count: $0 % 7)
                + String($0 / 7, radix: 2).map { $0 == "0" ? "x" : "y" }
        }
        var texts: [String] = []
        for _ in 0..<60 {
            var text: [String]
            if random.chance(0.5), let old = texts.randomElement(using: &random) {
                text = old.split(separator: " ").map(String.init)
                for _ in 0..<random.below(3) where !text.isEmpty {
                    text[random.below(text.count)] = random.pick(words)
                }
            } else {
                text = (0..<random.below(24)).map { _ in random.pick(words) }
            }
            texts.append(text.joined(separator: " "))
        }
        let study = study(texts)
        let said = study.memories.map { SaidWords($0.content) }
        // The oldest that is not itself a duplicate of an older one.
        var originals: [Int] = []
        var expected: [[Int]] = []
        for place in texts.indices where said[place].words.count >= NearDuplicates.leastWords {
            if let older = originals.first(where: { said[place].likeness(to: said[$0]) >= 0.9 }) {
                expected.append([place + 1, older + 1])
            } else {
                originals.append(place)
            }
        }
        #expect(pairs(study) == expected)
        let mark = UInt32(random.below(60))
        #expect(pairs(study, from: mark) == expected.filter { $0[0] > Int(mark) })
    }
}
