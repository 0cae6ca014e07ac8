import TestSupport
import Testing

@testable import MemoryEngine

@Suite struct `Causal cues` {
    private func read(_ text: String) -> [String] {
        let bytes = Array(text.utf8)
        func part(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        return CausalCues.find(in: text).map { "\($0.rule): \(part($0.cause)) > \(part($0.effect))" }
    }

    @Test(arguments: [
        (
            "The deploy failed because its token had expired.",
            ["because: its token had expired > The deploy failed"]
        ),
        ("It was late. Because it rained, we stayed. Then we left.", ["because: it rained > we stayed"]),
        ("Why? Because it rained.", ["because: it rained > Why"]),
        ("He stayed because of the rain; she left.", ["because: the rain > He stayed"]),
        ("Due to rain, the game was off.", ["dueTo: rain > the game was off"]),
        ("The delay is due to a bug in v1.2.3.", ["dueTo: a bug in v1.2.3 > The delay is"]),
        ("The crash was caused by a race.", ["causedBy: a race > The crash was"]),
        ("A race caused the crash.", ["causes: A race > the crash"]),
        ("The race led to a crash.", ["ledTo: The race > a crash"]),
        ("Heat results in loss.", ["ledTo: Heat > loss"]),
        (
            "The disk was full. As a result, the write failed.",
            ["asAResult: The disk was full > the write failed"]
        ),
        ("It failed as a result of the change.", ["asAResult: the change > It failed"]),
        ("The key is old. Therefore we rotate it.", ["therefore: The key is old > we rotate it"]),
        ("Since it is old, we replace it.", ["since: it is old > we replace it"]),
        ("We replace it, since nobody can read it.", ["since: nobody can read it > We replace it"]),
        ("Cache it so that reads are fast.", ["soThat: Cache it > reads are fast"]),
        ("It was dark, so we went home.", ["so: It was dark > we went home"]),
        ("We lock it in order to be safe.", ["inOrderTo: We lock it > be safe"]),
        ("It rained. That's why we stayed.", ["thatIsWhy: It rained > we stayed"]),
        ("It rained, which is why we stayed.", ["thatIsWhy: It rained > we stayed"]),
        ("In order to be safe, we lock it.", ["inOrderTo: we lock it > be safe"]),
        ("It rained. The game was therefore off.", ["therefore: It rained > off"]),
        ("We wait (because it is slow) for it.", ["because: it is slow > We wait"]),
        ("Read it\n\nIt failed because it is old\n\nSo.", ["because: it is old > It failed"]),
        ("Thanks to the cache, reads are fast.", ["thanksTo: the cache > reads are fast"]),
        ("Added in response to a report.", ["inResponseTo: a report > Added"]),
        (
            "It failed because A and it failed because B.",
            [
                "because: A and it failed because B > It failed",
                "because: B > It failed because A and it failed",
            ]
        ),
    ])
    func `part a sentence into cause and effect`(text: String, expected: [String]) {
        #expect(read(text) == expected)
    }

    @Test(arguments: [
        ("Fixes #12", ["fixes: #12 > "], ["issue #12 cause"]),
        (
            "Parse the header again.\n\nCloses: #1234, #99", ["fixes: #1234, #99 > Parse the header again"],
            ["issue #1234 cause", "issue #99 cause"]
        ),
        ("This reverts commit 66ee8f2a1b.", ["reverts: 66ee8f2a1b > "], ["commit 66ee8f2a1b cause"]),
        (
            "Read twice.\nFixes: 66ee8f2 (\"Read once\")", ["fixes: 66ee8f2 (\"Read once\") > Read twice"],
            ["commit 66ee8f2 cause", "subject Read once cause"]
        ),
        (
            "Read twice.\nFixes: 299650e84794 (\"Read once\")",
            ["fixes: 299650e84794 (\"Read once\") > Read twice"],
            ["commit 299650e84794 cause", "subject Read once cause"]
        ),
        (
            "Fixes: 5860855 (\"Read once\")", ["fixes: 5860855 (\"Read once\") > "],
            ["commit 5860855 cause", "subject Read once cause"]
        ),
        ("This reverts commit 2996508.", ["reverts: 2996508 > "], ["commit 2996508 cause"]),
        (
            "Revert \"Read once\"\n\nIt broke.", ["reverts: \"Read once\" > It broke"],
            ["subject Read once cause"]
        ),
        ("A regression from 66ee8f2 here", ["introduced: 66ee8f2 > A"], ["commit 66ee8f2 cause"]),
        ("It is broken since version 1.2", ["introduced: version 1.2 > It is"], ["version 1.2 cause"]),
        (
            "It fails due to bug 1234 in 1.2.3.", ["dueTo: bug 1234 in 1.2.3 > It fails"],
            ["issue #1234 cause", "version 1.2.3 cause"]
        ),
        (
            "1.2.3-4 fails because of 66ee8f2.", ["because: 66ee8f2 > 1.2.3-4 fails"],
            ["version 1.2.3-4 effect", "commit 66ee8f2 cause"]
        ),
    ])
    func `name what can be looked up`(text: String, expected: [String], references: [String]) {
        #expect(read(text) == expected)
        let found = CausalCues.find(in: text).flatMap(\.references)
        #expect(found.map { "\($0.kind) \($0.key) \($0.isInCause ? "cause" : "effect")" } == references)
    }

    @Test(arguments: [
        "We have known each other since May 2023.", "Since we last spoke, I moved.",
        "He is here since yesterday.", "since then", "Since 2019 it is slow.",
        "It's been years since I was there.", "since version 2", "The train is due to arrive at noon.",
        "Thanks to Ada for the report.", "many thanks",
        "The result of it", "a root cause", "the causes are unknown", "So far so good", "So I went home",
        "He said so.", "She led the team to it",
        "This fixes a bug in the parser.", "Fixed the tests", "The fix is in", "closes the door",
        "reverts to form", "This reverts nothing",
        "We revert 66ee8f2", "fixes \"log -LN\" here", "It has been ages since I have seen it",
        "good causes like this", "many causes and effects", "He broke it", "in order", "as a result",
        "therefore", "because", "Because.",
        "so that", ", so", "due to", "in response",
        "That is it. This is what", "That's what he said", "becauseof", "", "#12", "fixes", "Fixes:",
        "Fixes: (\"\")", "Therefores", "Thusly",
    ])
    func `are not seen in`(text: String) {
        #expect(read(text) == [])
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `stay within the text and its scalars`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let pieces =
            "because of since it is due to , . ; so that so therefore caused by Fixes : #12 66ee8f2 ( \" ) led to as a result \u{2019} é 語 🙂 \n this reverts commit version 1.2.3 in order thanks for which why"
            .split(separator: " ").map(String.init)
        for _ in 0..<300 {
            var text = ""
            for _ in 0..<random.below(40) { text += random.pick(pieces) + (random.chance(0.8) ? " " : "") }
            let bytes = Array(text.utf8)
            for cue in CausalCues.find(in: text) {
                for range in [cue.range, cue.cause, cue.effect] + cue.references.map(\.range) {
                    #expect(range.upperBound <= bytes.count)
                    let part = String(decoding: bytes[range], as: UTF8.self)
                    #expect(part.unicodeScalars.allSatisfy { $0 != "\u{fffd}" }, "\(text)")
                }
                #expect(
                    !cue.range.isEmpty && !cue.cause.overlaps(cue.range) && !cue.effect.overlaps(cue.range),
                    "\(text)")
                #expect(!cue.cause.overlaps(cue.effect), "\(text)")
                #expect(cue.references.count <= 16)
            }
        }
    }

    @Test func `have bounds and take linear time`() {
        #expect(CausalCues.find(in: String(repeating: "A because B. ", count: 1_000)).count == 64)
        for unit in ["because ", "since it ", "fixes ", "\"", "a", ". ", "fixes \"", "due to "] {
            let text = String(repeating: unit, count: 200_000 / unit.utf8.count)
            // Quadratic work would take minutes.
            _ = CausalCues.find(in: text)
        }
    }
}
