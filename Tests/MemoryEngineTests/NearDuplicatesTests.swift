import TestSupport
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
        #expect(found == [[3, 1], [4, 1], [5, 1]])
    }

    @Test(arguments: [
        ("The port of the main server is 8080 now", "The port of the main server is 8081 now"),
        (
            "Version 1.2.3 of the index is out and works well",
            "Version 1.3.2 of the index is out and works well"
        ),
        (
            "Version two of the index is out and works well",
            "Version three of the index is out and works well"
        ),
        ("On most days of the year the build is not slow", "On most days of the year the build is slow"),
        (
            "Replication of the index is enabled on the server",
            "Replication of the index is disabled on the server"
        ),
        ("Why is the build slower than the server?", "Why is the server slower than the build?"),
        ("After a long day we went to dine with Ada", "After a long day we went to dine with Grace"),
        ("The load was < 5 on all days of May", "The load was > 5 on all days of May"),
        ("Lunch", "Lunch"), ("", ""),
    ])
    func `are not what differs in anything that tells something, or is of one word`(_ a: String, _ b: String)
    {
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

    @Test func `are longer in a conversation than in notes`() {
        var texts = study(["Lunch is at twelve.", "lunch is at twelve", "I do like it", "I do like it!"])
        #expect(pairs(texts) == [[2, 1], [4, 3]])
        for place in texts.memories.indices { texts.memories[place].kind = .message }
        #expect(pairs(texts) == [])
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `are those before with the same words that matter, wherever the last look ended`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let words = ["the", "a", "index", "server", "slow", "not", "two", "7", "Ada", "of"]
        let texts = (0..<200).map { _ in
            (0..<1 + random.below(5)).map { _ in random.pick(words) }.joined(separator: " ")
        }
        let study = study(texts)
        var originals: [[String]: Int] = [:]
        var expected: [[Int]] = []
        for (place, text) in texts.enumerated() {
            let told = text.split(separator: " ").map(String.init).filter {
                !["the", "a", "of"].contains($0)
            }
            guard told.count >= 2 else { continue }
            if let older = originals[told] {
                expected.append([place + 1, older + 1])
            } else {
                originals[told] = place
            }
        }
        #expect(!expected.isEmpty && pairs(study) == expected)
        let mark = UInt32(random.below(200))
        #expect(pairs(study, from: mark) == expected.filter { $0[0] > Int(mark) })
    }
}
