import ArgumentParser
import Embedders
import Foundation
import MemoryEngine

struct EmbeddersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embedders",
        abstract: "What can make vectors: what is configured, what it costs and has cost, and how it is.",
        usage: "loci embedders [--health | --costs | --set <name>] [--json]",
        discussion: """
              loci embedders
              loci embedders --health     # asks each that is configured, for 10 seconds at most
              loci embedders --costs      # what services cost, by day (UTC)
              loci embedders --set JINA_API_KEY < key.txt

            Nothing goes over a network unless `--embedder` or `--reasoner` of another verb names a service, or a home has its vectors from one: \
            its questions need the same model. Settings are variables of the environment, or stand in a file `.env` of the \
            working directory; the environment goes first. --set reads a value from standard input and writes it there, \
            leaving every other line as it is; a new file is for its owner alone. A health check may cost a token or two, \
            and ends with status 1 where one that is there or configured is not ready: also where it cannot be used, or a cap is reached.

            \(Settings.names.map { "  \($0.name.padding(toLength: 27, withPad: " ", startingAt: 0))\($0.meaning)" }
                .joined(separator: "\n"))

            Services have not been tried with an account, but with servers that answer as their documents say.
            """)

    @Flag(help: "Ask each that is configured how it is.")
    var health = false
    @Flag(help: "Print what services cost, by day.")
    var costs = false
    @Option(
        help: ArgumentHelp("Write this setting into .env; its value is standard input.", valueName: "name"))
    var set: String?
    @Flag(help: "Print JSON, an object a line; errors and notes are JSON on standard error.")
    var json = false

    func validate() throws {
        guard [health, costs, set != nil].filter({ $0 }).count <= 1 else {
            throw ValidationError("--health, --costs and --set exclude each other")
        }
        if let refusal = set.flatMap(Settings.refusal) { throw ValidationError(refusal) }
    }

    func run() async throws {
        if let set { return try write(set) }
        let settings = Settings.current
        if costs { return try show(CostLedger(path: settings.services.costsPath).days()) }
        if let problem = settings.problem { Terminal.note("no service is used: \(problem)") }
        var entries = EmbedderEntry.all(settings, today: Self.today(settings.services))
        if health { await EmbedderEntry.askHealth(of: &entries) }
        if json {
            for entry in entries { Terminal.printObject(entry.write) }
        } else {
            Terminal.print(Self.table(entries.map(\.columns), details: entries.map(\.detail)))
        }
        if health, settings.problem != nil || entries.contains(where: \.isFailing) {
            throw ExitCode(ExitStatus.failure)
        }
    }

    /// What services cost today; `nil`, and a note, where that cannot be read.
    private static func today(_ services: ServiceSettings) -> [String: CostLedger.Day]? {
        do {
            return try CostLedger(path: services.costsPath).today()
        } catch {
            Terminal.noteOnce("costs are not counted: \(Failure(error).message)")
            return nil
        }
    }

    /// In columns, with what there is to say of a row below it.
    private static func table(_ rows: [[String]], details: [String?]) -> String {
        let widths = (0..<(rows.first?.count ?? 0)).map { column in
            rows.map { Terminal.columns($0[column]) }.max() ?? 0
        }
        let lines = zip(rows, details).map { row, detail in
            let line = zip(row, widths).map { Terminal.padded($0, to: $1) }.joined(separator: "  ")
            let end = line.lastIndex { $0 != " " }.map { line[...$0] } ?? ""
            return String(end) + (detail.map { "\n  " + Visible.line($0) } ?? "")
        }
        return lines.joined(separator: "\n")
    }

    private func show(_ days: CostLedger.Days) {
        let entries = days.sorted { $0.key < $1.key }.flatMap { day, services in
            services.sorted { $0.key < $1.key }.map { (day, service: $0.key, spent: $0.value) }
        }
        if json {
            for (day, service, spent) in entries {
                Terminal.printObject { json in
                    json.member("day", day)
                    json.member("service", service)
                    spent.write(to: &json)
                }
            }
        } else if entries.isEmpty {
            Terminal.print("nothing was counted")
        } else {
            let rows = entries.map { [Visible.line($0.0), Visible.line($0.service), $0.spent.summary] }
            Terminal.print(Self.table(rows, details: rows.map { _ in nil }))
        }
    }

    // MARK: Settings

    private func write(_ name: String) throws {
        guard let value = SecretLine.read(prompt: "\(name), which is not shown: ") else {
            throw EngineError(.invalid, "standard input has no value for \(name)")
        }
        guard Terminal.isInputTerminal || !SecretLine.hasMore else {
            throw EngineError(
                .invalid, "standard input has more than a line: \(name) takes one, so nothing is written")
        }
        try Settings.check(name, value)
        let path = Settings.fileName
        try EnvironmentFile.change(path) { try $0.set(name, to: value) }
        if ProcessInfo.processInfo.environment[name] != nil {
            Terminal.note("\(name) is set in the environment too, which goes first")
        }
        if json {
            Terminal.printObject { json in
                json.member("name", name)
                json.member("file", path)
            }
        } else {
            Terminal.print("\(name)  written to \(path)")
        }
    }
}
