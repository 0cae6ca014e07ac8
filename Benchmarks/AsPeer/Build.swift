import ArgumentParser
import Foundation
import HNSW

/// Makes an index of the rows of a file: durably, searchable after each batch, and then linked.
struct Build: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build", abstract: "Make an index of the rows of an .npy file.",
        discussion: """
            Rows are appended in synced commits and linked, until nothing is left to link. With --payload or --groups \
            (one 16-bit number a row) `bench search --filter` can ask for rows by them.

                bench build --base base.npy --index DIR
                bench search --index DIR --queries queries.npy --k 10 --params 16,32,64 --out results.vpb
            """)

    @Option(help: "The rows: .npy, <f4.") var base: String
    @Option(help: "The folder to make.") var index: String
    @Option(help: "How rows are compared: cosine, ip or l2.") var metric = MetricName.cosine
    @Option(help: "Neighbors of a new node.") var m = HNSWParameters().m
    @Option(help: "Candidates while linking.") var efConstruction = HNSWParameters().efConstruction
    @Option(help: "Threads that link rows; any number makes the same index.") var threads = 1
    @Flag(help: "Make no short codes: searches walk over the rows themselves.") var withoutCodes = false
    @Option(help: "Rows in a commit.") var batch = 1_000
    @Option(help: "A number of each row, to filter by: .npy, <u2.") var payload: String?
    @Option(help: "A group of each row, to filter by: .npy, <u2.") var groups: String?
    @Flag(help: "Print JSON.") var json = false

    enum MetricName: String, ExpressibleByArgument, CaseIterable {
        case cosine, ip, l2
        var metric: Metric { self == .cosine ? .cosine : self == .ip ? .innerProduct : .l2 }
    }

    static func path(in folder: String) -> String { folder + "/index.loci" }

    func validate() throws {
        guard m >= 2, efConstruction >= m, batch > 0, (1...256).contains(threads) else {
            throw ValidationError(
                "--m is at least 2, --ef-construction at least --m, --batch above 0, and --threads 1 to 256")
        }
    }

    func run() async throws {
        let rows = try NumberFile(base, of: .float32)
        let metric = metric.metric
        for row in 0..<rows.rowCount {
            try IndexFile.check(
                rows.floats(row), dimension: rows.columnCount, metric: metric, "row \(row) of \(base)")
        }
        let path = Self.path(in: index)
        guard !FileManager.default.fileExists(atPath: path) else {
            throw ValidationError("\(path) is there already; name a new folder")
        }
        try FileManager.default.createDirectory(atPath: index, withIntermediateDirectories: true)
        var parameters = HNSWParameters()
        parameters.m = m
        parameters.m0 = 2 * m
        parameters.efConstruction = efConstruction
        parameters.hasCodes = !withoutCodes
        parameters.threads = threads
        let file = try IndexFile.create(
            at: path, dimension: rows.columnCount, metric: metric, parameters: parameters)
        defer { file.environment.close() }
        var appending = Samples()
        for start in stride(from: 0, to: rows.rowCount, by: batch) {
            let part = (start..<min(start + batch, rows.rowCount)).map(rows.floats)
            try appending.timeNow { try file.append(part) }
        }
        for (name, field) in [(payload, IndexFile.Field.payload), (groups, .group)] {
            guard let name else { continue }
            let numbers = try NumberFile(name, of: .uint16)
            guard numbers.rowCount == rows.rowCount, numbers.columnCount == 1 else {
                throw ValidationError("\(name) has not one number for each row of \(base)")
            }
            try file.put((0..<numbers.rowCount).map(numbers.number), of: field)
        }
        var computing = Samples()
        var committing = Samples()
        while try file.linkStep(&computing, &committing) != nil {}
        let linking = computing.sum + committing.sum
        let count = Double(rows.rowCount)
        let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
        var report = Report("build")
        report.add(
            .init(
                name: "appending",
                parameters: "\(rows.rowCount) × \(rows.columnCount), \(batch) a synced commit",
                median: count / appending.sum * 1_000, unit: "rows/s"))
        report.add(
            .init(
                name: "linking", parameters: "m \(m), efConstruction \(efConstruction), threads \(threads)",
                median: count / linking * 1_000, unit: "rows/s"))
        report.add(
            .init(name: "all of it", parameters: "", median: (appending.sum + linking) / 1_000, unit: "s"))
        report.add(
            .init(
                name: "the file", parameters: "as it is, not compacted",
                median: Double(size) / (count * Double(rows.columnCount) * 4), unit: "× the rows' bytes"))
        report.print(json: json)
    }
}
