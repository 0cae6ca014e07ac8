import ArgumentParser
import MemoryEngine

/// Asks many different questions in one process, and says how long they took. `make run` uses it.
struct MeasureCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure",
        abstract: "Time many different questions that are made of the memories' own words.",
        discussion: """
              loci measure -n project/atlas --questions 200 --seed 1

            Memories are drawn by chance, and five words of each, in another order, are the question. \
            So how many come back among the first ten says little of real questions; the times do.
            """,
        shouldDisplay: false)

    @Option(
        help: ArgumentHelp("How many questions (by default 200).", valueName: "count"),
        transform: Accept.count(1...100_000, as: 200))
    var questions = 200
    @Option(
        help: ArgumentHelp("Where the random numbers begin (by default 1).", valueName: "number"),
        transform: Accept.count(0...UInt64.max, as: 1))
    var seed: UInt64 = 1
    @OptionGroup var place: PlaceOptions

    func run() async throws {
        try await place.withEngine(for: .reading) { engine, namespace in
            _ = try await engine.existingHomes(under: namespace)
            var random = SplitMix(state: seed)
            let drawn = try await draw(in: namespace, engine, &random)
            var times: [Double] = []
            var found = 0
            for question in drawn {
                let recall = try await engine.recall(question.text, in: namespace, limit: 10)
                times.append(recall.timings.total.milliseconds)
                if recall.contains(where: { $0.memory.id == question.id }) { found += 1 }
            }
            guard !times.isEmpty else {
                throw EngineError(.notFound, "there is nothing to ask in \(namespace)")
            }
            times.sort()
            let p50 = times[times.count / 2]
            let p99 = times[min(times.count - 1, times.count * 99 / 100)]
            if place.json {
                let (count, matches) = (times.count, found)
                Terminal.printObject { json in
                    json.member("questions", count)
                    json.member("p50", p50)
                    json.member("p99", p99)
                    json.member("found", matches)
                }
            } else {
                Terminal.print(
                    "\(times.count) different questions: p50 \(Terminal.decimals(p50, 2)) ms, "
                        + "p99 \(Terminal.decimals(p99, 2)) ms; \(found) found the memory that their words are from"
                )
            }
        }
    }

    private struct Question {
        let id: MemoryID
        let text: String
    }

    /// Questions that differ, each of a memory of its own.
    private func draw(
        in namespace: Namespace, _ engine: Engine, _ random: inout SplitMix
    ) async throws -> [Question] {
        // A sample of all memories that pass by (Vitter, algorithm R, 1985).
        var sample: [Memory] = []
        var count: UInt64 = 0
        var cursor: String?
        repeat {
            let page = try await engine.list(in: namespace, after: cursor, limit: 1_000)
            for memory in page.memories where Self.words(of: memory).count >= 5 {
                count += 1
                if sample.count < questions {
                    sample.append(memory)
                } else {
                    let place = random.next(upperBound: count)
                    if place < UInt64(questions) { sample[Int(place)] = memory }
                }
            }
            cursor = page.next
        } while cursor != nil
        var texts: Set<String> = []
        return sample.compactMap { memory in
            let text = Self.words(of: memory).shuffled(using: &random).prefix(5).joined(separator: " ")
            return texts.insert(text).inserted ? Question(id: memory.id, text: text) : nil
        }
    }

    /// Longer words of the beginning, each once.
    private static func words(of memory: Memory) -> [String] {
        var seen: Set<String> = []
        return memory.content.prefix(1_000).split { !$0.isLetter && !$0.isNumber && $0 != "-" }
            .map(String.init).filter { $0.count >= 4 && seen.insert($0).inserted }
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): the same questions for the same seed.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
