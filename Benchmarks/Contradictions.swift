import ArgumentParser
import Labelled
import MemoryEngine

/// How many of the labelled pairs a consolidation tells apart: two texts of which the younger takes back what the older says, and
/// two that only look so.
struct Contradictions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "contradictions",
        abstract: "How well a consolidation finds what a younger memory takes back.",
        discussion: """
            Each pair is remembered in a home of its own, an hour apart, and consolidated. The pairs of the part "held out" were \
            not looked at while the rules were written.
            """)

    @OptionGroup var common: CommonOptions

    private struct Counts {
        var right = 0
        var wrong = 0
        var missed = 0
        var closed = 0
        var all = 0
    }

    func run() async throws {
        let scratch = try Scratch(common)
        let engine = try Engine.open(at: scratch.path, options: Engine.benchOptions(.none))
        var counts: [String: Counts] = [:]
        for (place, pair) in try LabelledPair.all().enumerated() {
            let home = Namespace.project("pair\(place)")
            var older: MemoryID?
            for (index, text) in [pair.older, pair.younger].enumerated() {
                var draft = MemoryDraft(text)
                draft.actor = pair.actors?[index]
                let time = Timestamp(microseconds: 1_700_000_000_000_000 + Int64(index) * 3_600_000_000)
                draft.happened = time...time
                let id = try await engine.remember(draft, in: home).id
                older = older ?? id
            }
            let report = try await engine.consolidate(in: home, steps: [.contradictions])
            let isFound = (report.found[.contradictions] ?? 0) > 0
            var count = counts[pair.part] ?? Counts()
            count.all += 1
            if isFound, pair.contradicts { count.right += 1 }
            if isFound, !pair.contradicts { count.wrong += 1 }
            if !isFound, pair.contradicts { count.missed += 1 }
            if let older, try await engine.get(older, in: home)?.isCurrent == false { count.closed += 1 }
            counts[pair.part] = count
        }
        await engine.close()
        var report = Report("contradictions")
        for (part, count) in counts.sorted(by: { $0.key > $1.key }) {
            let precision = 100 * Double(count.right) / Double(max(1, count.right + count.wrong))
            let recall = 100 * Double(count.right) / Double(max(1, count.right + count.missed))
            let told = "\(part), \(count.all) pairs, \(count.right + count.missed) that do"
            report.add(
                .init(
                    name: "precision", parameters: told, median: precision, unit: "%",
                    aim: .init(text: "≥ 95", isMet: precision >= 95)))
            report.add(
                .init(
                    name: "recall", parameters: told, median: recall, unit: "%",
                    aim: .init(text: "≥ 60", isMet: recall >= 60)))
            report.note(
                "\(part): \(count.right) found rightly, \(count.wrong) wrongly, \(count.missed) missed, \(count.closed) closed"
            )
        }
        report.print(json: common.json)
    }
}
