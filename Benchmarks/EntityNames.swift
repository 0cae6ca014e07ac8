import ArgumentParser
import Labelled
import MemoryEngine

/// Which names of the labelled homes are joined, and how sure that is.
struct EntityNames: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "entities", abstract: "Names of one thing: precision and recall on the labelled homes.")

    @OptionGroup var common: CommonOptions
    @Flag(help: "Name the pairs that were wrong or missed.")
    var pairs = false

    func run() async throws {
        var report = Report("entities")
        for isAside in [false, true] {
            let scratch = try Scratch(common)
            let engine = try Engine.open(at: scratch.path, embedder: nil)
            var score = LabelledScore()
            for home in try LabelledNames.all() where home.isAside == isAside {
                score.add(try await home.score(in: engine))
            }
            let parameters = isAside ? "homes set aside" : "homes the rules were made with"
            report.add(
                Report.Figure(
                    name: "precision", parameters: parameters, median: score.precision * 100, unit: "%",
                    aim: Report.Aim(text: "98 %", isMet: score.precision >= 0.98)))
            report.add(
                Report.Figure(name: "recall", parameters: parameters, median: score.recall * 100, unit: "%"))
            report.note(
                "\(parameters): \(score.right) joined rightly, \(score.wrong.count) wrongly, \(score.missed.count) missed; "
                    + "\(score.left) pairs that look alike left apart")
            if pairs {
                for pair in score.wrong { report.note("wrong: \(pair)") }
                for pair in score.missed { report.note("missed: \(pair)") }
            }
            await engine.close()
        }
        report.print(json: common.json)
    }
}
