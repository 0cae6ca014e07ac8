import MemoryEngine

extension FuzzTarget {
    /// What reads text for the graph: any bytes give ranges within them, and within UTF-8 none that cuts a scalar.
    static let text: [FuzzTarget] = [
        FuzzTarget(name: "time-expressions", samples: dates) { bytes in
            let reference = Timestamp(microseconds: 1_715_767_200_000_000)
            let dialect = TimeExpressions.Dialect(yearless: .every(since: .distantPast))
            var ranges: [Range<Int>] = []
            for mention in TimeExpressions.find(in: bytes.span, relativeTo: reference, dialect: dialect) {
                guard mention.named.lowerBound < mention.named.upperBound,
                    mention.interval.lowerBound < mention.interval.upperBound,
                    Timestamp.allowed.contains(mention.named.lowerBound)
                else { return .failed("the interval \(mention.named)") }
                // A date of every year stands at one range.
                if ranges.last != mention.range { ranges.append(mention.range) }
            }
            return judge(ranges, of: bytes, areApart: true)
        },
        FuzzTarget(name: "mentions", samples: names) { bytes in
            let mentions = Mentions.find(in: bytes.span)
            if mentions.contains(where: { $0.key.isEmpty || $0.range.count > Mentions.maximumURLByteCount }) {
                return .failed("a mention without a key, or too long")
            }
            return judge(mentions.map(\.range), of: bytes, areApart: true)
        },
        FuzzTarget(name: "causal-cues", samples: causes) { bytes in
            let cues = CausalCues.find(in: bytes.span)
            for cue in cues where cue.cause.overlaps(cue.effect) {
                return .failed("cause \(cue.cause) in effect \(cue.effect)")
            }
            return judge(
                cues.flatMap { [$0.range, $0.cause, $0.effect] + $0.references.map(\.range) }, of: bytes,
                areApart: false)
        },
        FuzzTarget(name: "questions", samples: questions) { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            let intent = IntentRules.classify(text)
            guard (0...1).contains(intent.confidence) else {
                return .failed("a confidence of \(intent.confidence)")
            }
            let named = NamedActors.find(text, actors: ["Ada Lovelace", "Will", text])
            guard named.count <= 3 else { return .failed("\(named.count) of three actors") }
            return QuestionForm.read(bytes.span) == .none && intent.confidence == 0 ? .refused : .taken
        },
    ]

    private static func judge(_ ranges: [Range<Int>], of bytes: [UInt8], areApart: Bool) -> Verdict {
        let isText = String(validating: bytes, as: UTF8.self) != nil
        var end = 0
        for range in ranges {
            guard range.lowerBound >= 0, range.upperBound <= bytes.count else {
                return .failed("\(range) of \(bytes.count) bytes")
            }
            if areApart, range.lowerBound < end || range.isEmpty { return .failed("\(range) behind \(end)") }
            end = range.upperBound
            for bound in [range.lowerBound, range.upperBound]
            where isText && bound < bytes.count && bytes[bound] & 0xC0 == 0x80 {
                return .failed("\(range) cuts a scalar")
            }
        }
        return ranges.isEmpty ? .refused : .taken
    }

    private static func texts(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }

    private static let dates = texts([
        "On 2023-05-07T08:30:00.25+02:00, or 7 May 2023, or May 7th, 2023; since May, before 2022.",
        "last Friday, next week, two weeks ago, the week before 9 June, in the early 90s, from 3 to 9 June",
        "Fri, 23 Aug 2024 10:15:00 +0200 — Aug 23 10:15:00 2024, the 5th, Q3 2024, summer of 2021, at 3pm tomorrow",
    ])

    private static let names = texts([
        "Dr. Ada Lovelace and José Núñez’s «École» of the Arts: `code()`, snake_case, std::vector, --force=1",
        "/usr/lib/x.so:12, src/main.c, https://example.org/a?(b) <ada@example.org> @ada #12 owner/repo#1 CVE-2024-1234",
        "version 1.2, 1.2.3-4~rc1, 66ee8f2a, bug 1234, Москва и Київ, 東京",
    ])

    private static let causes = texts([
        "It failed because the token (1.2.3) had expired; therefore we wait. Since it is old, we left.",
        "This reverts commit 66ee8f2.\nFixes: 66ee8f2 (\"Read it – twice\")\nCloses: #12, #34",
        "Due to “rain”, it’s off. So that é.",
    ])

    private static let questions = texts([
        "Why did Ada Lovelace’s deploy fail?", "¿Cuándo fue?", "Où est-il ?", "will Will go",
        "tell me about it, how many are there",
    ])
}
