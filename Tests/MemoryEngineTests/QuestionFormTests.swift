import TestSupport
import Testing

@testable import MemoryEngine

@Suite struct `A question's form` {
    @Test(arguments: [
        ("How are you?", QuestionForm.mark), ("Really?!", .mark), ("(is it?)", .mark),
        ("\"Why?\" he said", .mark), ("what?\nyes", .mark),
        ("Is it so?🙂", .mark), ("Why ?", .none), ("本当？", .mark), ("لماذا؟", .mark), ("Sure?...", .mark),
        ("see a?b, then why? Yes.", .mark),
        ("what is it", .questionWord), ("So how did you do it", .questionWord),
        ("Hey Mel, what are you up to", .questionWord), ("How about lunch", .questionWord),
        ("how's it going", .none), ("did you see it", .inversion), ("Hi! Are you there", .inversion),
        ("is it raining", .inversion), ("Do you know him", .inversion),
        ("and have you seen her", .inversion), ("Tell me about it.", .request),
        ("Please show us the way", .request), ("Let me know how it goes.", .request),
        ("Let me know if you need help.", .none), ("Do it now.", .none), ("Have a look", .none),
        ("What a day!", .none), ("When I was young", .none),
        ("I know what is right", .none), ("You are there", .none), ("See http://x.org/?a=b", .none),
        ("a?b:c", .none), ("?", .none), ("? x", .none), ("", .none),
        ("may the best win", .none), ("Which is why we left", .none), ("tell them about me", .none),
        ("is", .none), ("what", .none), ("Who knows", .none),
    ])
    func `is the surest that it has`(text: String, form: QuestionForm) {
        #expect(QuestionForm.read(text) == form)
    }

    /// What took the square of a text's length would not come to an end here.
    @Test func `is read from any bytes, a million of them too`() {
        for unit in ["?", "a?b", "what ", "is ", "\u{FF1F}", "é"] {
            let text = String(repeating: unit, count: 1_000_000 / unit.utf8.count)
            _ = QuestionForm.read(text)
        }
        var random = SeededRandom(seed: 1)
        for _ in 0..<200 { _ = QuestionForm.read(random.bytes(random.below(40)).span) }
    }
}
