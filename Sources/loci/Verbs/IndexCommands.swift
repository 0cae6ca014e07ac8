import ArgumentParser
import MemoryEngine

struct IndexCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "index",
        abstract: "What the vector indexes of a home look like: layers, neighbors, and what they find.",
        usage: "loci index [--sample <count>] [options]",
        discussion: """
              loci index -n project/atlas
              loci index --sample 500    # asks more questions to tell the recall

            Recall is the share of the ten nearest that a search finds as the index is set, on questions between the \
            home's own vectors, compared with all of them. A home with few vectors has no graph: all are compared.
            """)

    @Option(
        help: ArgumentHelp(
            "How many questions tell the recall, 0 to 10,000 (by default 100).", valueName: "count"),
        transform: Accept.count(0...10_000, as: 100))
    var sample = 100
    @OptionGroup var place: PlaceOptions

    func run() async throws {
        try await place.withEngine(for: .reading) { engine, namespace in
            let reports = try await place.store.withProgress(
                "asking the indexes of \(namespace.home)", unit: "questions"
            ) {
                try await engine.indexes(in: namespace, sampleCount: sample, progress: $0)
            }
            IndexCommand.show(reports, namespace, asJSON: place.json)
        }
    }

    static func show(_ reports: [IndexReport], _ namespace: Namespace, asJSON: Bool) {
        for report in reports {
            if asJSON { printJSON(report, namespace) } else { print(report) }
        }
        if reports.isEmpty, !asJSON { Terminal.print("\(namespace.home): no vectors") }
    }

    private static func print(_ report: IndexReport) {
        func line(_ name: String, _ value: String) {
            Terminal.print("  \(Terminal.styled(Terminal.padded(name, to: 12), .dim))\(value)")
        }
        func share(_ part: Int, of whole: Int) -> String {
            Terminal.decimals(100 * Double(part) / Double(max(1, whole)), 1) + " %"
        }
        Terminal.print(Terminal.styled(Visible.line(report.space.name), .bold))
        guard report.nodes > 0 else {
            line("graph", "none: \(Self.compared(report.unlinked + report.tail))")
            return
        }
        line(
            "graph",
            "\(Terminal.counted(report.nodes, "vector")), \(report.neighbors.chosen) neighbors chosen and at most "
                + "\(report.neighbors.most), \(report.candidatesWhileLinking) candidates while linking, "
                + (report.hasCodes ? "codes of 2 bits" : "no codes"))
        line(
            "compared",
            "\(Terminal.grouped(report.unlinked)) not linked yet"
                + (report.unlinked > 0 ? " (`loci tune index` links them)" : "")
                + ", \(Terminal.grouped(report.tail)) in the tail")
        line(
            "forgotten",
            "\(Terminal.grouped(report.waiting)) wait for their repair (\(share(report.waiting, of: report.nodes))), "
                + "\(Terminal.grouped(report.removed)) taken out since the graph was begun")
        line(
            "layers",
            report.levels.enumerated().map { "\($0.offset): \(Terminal.grouped($0.element))" }
                .joined(separator: ", "))
        line("neighbors", "\(Terminal.decimals(report.meanDegree, 1)) on average")
        let width = max(1, (report.degrees.count + 7) / 8)
        for first in stride(from: 0, to: report.degrees.count, by: width) {
            let last = min(first + width, report.degrees.count) - 1
            let count = report.degrees[first...last].reduce(0, +)
            if count == 0 { continue }
            let range = Terminal.padded("\(first) to \(last)", to: 9, isRight: true)
            line("", "\(range)  \(Terminal.padded(share(count, of: report.nodes), to: 7, isRight: true))")
        }
        if let recall = report.recall {
            line("recall", "\(Terminal.decimals(recall, 4)) of the 10 nearest, as searches are set")
        }
        guard let curve = report.curve else {
            return line("curve", "not measured: loci tune index")
        }
        line(
            "curve",
            "\(curve.neighborCount) nearest, \(Terminal.grouped(curve.sampleCount)) questions, "
                + "\(Terminal.grouped(curve.nodes)) vectors then")
        for point in curve.points {
            let candidates = Terminal.padded(Terminal.grouped(point.candidates), to: 9, isRight: true)
            line("", "\(candidates) candidates  \(Terminal.decimals(point.recall, 4))")
        }
    }

    private static func compared(_ count: Int) -> String {
        count == 1 ? "its 1 vector is compared" : "all \(Terminal.grouped(count)) vectors are compared"
    }

    private static func printJSON(_ report: IndexReport, _ namespace: Namespace) {
        Terminal.printObject { json in
            json.member("home", namespace.home.description)
            json.member("space", report.space.name)
            json.member("nodes", report.nodes)
            json.member("m", report.neighbors.chosen)
            json.member("m0", report.neighbors.most)
            json.member("efConstruction", report.candidatesWhileLinking)
            json.member("hasCodes", report.hasCodes)
            json.member("waiting", report.waiting)
            json.member("removed", report.removed)
            json.member("unlinked", report.unlinked)
            json.member("tail", report.tail)
            for (name, counts) in [("levels", report.levels), ("degrees", report.degrees)] {
                json.list(name, counts) { $0.write($1) }
            }
            json.member("meanDegree", report.meanDegree)
            if let recall = report.recall { json.member("recall", recall) }
            guard let curve = report.curve else { return }
            json.objects("curve", curve.points) { json, point in
                json.member("candidates", point.candidates)
                json.member("recall", point.recall)
            }
            json.member("curveNeighbors", curve.neighborCount)
            json.member("curveQuestions", curve.sampleCount)
            json.member("curveNodes", curve.nodes)
        }
    }
}
