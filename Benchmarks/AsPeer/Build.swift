import ArgumentParser
import Foundation
import HNSW
import Store

/// Makes an index of the rows of a file: durably, searchable after each batch, and then linked.
struct Build: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build", abstract: "Make an index of the rows of an .npy file.",
        discussion: """
            Rows are appended in synced commits and linked, until nothing is left to link. What was interrupted goes on \
            when it is called again with the same files and options. With --payload or --groups \
            (one 16-bit number a row) `bench search --filter` can ask for rows by them.

                bench build --base base.npy --index DIR
                bench search --index DIR --queries queries.npy --k 10 --params 16,32,64 --out results.vpb
            """)

    @Option(help: "The rows: .npy, <f4.") var base: String
    @Option(help: "The folder to make, or to go on with.") var index: String
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
        guard rows.rowCount > 0, rows.columnCount > 0 else { throw ValidationError("\(base) has no rows") }
        let metric = metric.metric
        for row in 0..<rows.rowCount {
            try IndexFile.check(
                rows.floats(row), dimension: rows.columnCount, metric: metric, "row \(row) of \(base)")
        }
        let numbers = try numbers(of: rows)
        let file = try open(rows, metric, numbers)
        defer { file.environment.close() }
        let (appendedBefore, linkedBefore) = (file.count, try file.linkedCount())
        var appending = Samples()
        for start in stride(from: appendedBefore, to: rows.rowCount, by: batch) {
            let part = (start..<min(start + batch, rows.rowCount)).map(rows.floats)
            try appending.timeNow { try file.append(part) }
        }
        var computing = Samples()
        var committing = Samples()
        while try file.linkStep(&computing, &committing) != nil {}
        let linking = computing.sum + committing.sum
        let appended = Double(rows.rowCount - appendedBefore)
        let linked = Double(try file.linkedCount() - linkedBefore)
        let path = Self.path(in: index)
        let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
        var report = Report("build")
        if appended > 0 {
            report.add(
                .init(
                    name: "appending",
                    parameters: "\(Int(appended)) × \(rows.columnCount), \(batch) a synced commit",
                    median: appended / appending.sum * 1_000, unit: "rows/s"))
        }
        if linked > 0 {
            report.add(
                .init(
                    name: "linking",
                    parameters: "m \(m), efConstruction \(efConstruction), threads \(threads)",
                    median: linked / linking * 1_000, unit: "rows/s"))
        } else {
            report.note("so few rows have no graph: searches compare all")
        }
        report.add(
            .init(name: "all of it", parameters: "", median: (appending.sum + linking) / 1_000, unit: "s"))
        report.add(
            .init(
                name: "the file", parameters: "as it is, not compacted",
                median: Double(size) / Double(rows.rowCount * rows.columnCount * 4), unit: "× the rows' bytes"
            ))
        if appendedBefore > 0 {
            report.note(
                "went on where it was interrupted, with \(appendedBefore) rows of which \(linkedBefore) were linked: the times "
                    + "are of the rest")
        }
        report.print(json: json)
    }

    /// The numbers to filter by.
    private func numbers(of rows: NumberFile) throws -> [(field: IndexFile.Field, values: [UInt16])] {
        try [(payload, IndexFile.Field.payload), (groups, .group)].compactMap { name, field in
            guard let name else { return nil }
            let numbers = try NumberFile(name, of: .uint16)
            guard numbers.rowCount == rows.rowCount, numbers.columnCount == 1 else {
                throw ValidationError("\(name) has not one number for each row of \(base)")
            }
            return (field, (0..<numbers.rowCount).map(numbers.number))
        }
    }

    /// Begins the file, or goes on with the one that is there.
    private func open(
        _ rows: NumberFile, _ metric: Metric, _ numbers: [(field: IndexFile.Field, values: [UInt16])]
    ) throws -> IndexFile {
        var parameters = HNSWParameters()
        parameters.m = m
        parameters.m0 = 2 * m
        parameters.efConstruction = efConstruction
        parameters.hasCodes = !withoutCodes
        parameters.threads = threads
        let plan = plan(rows, metric, numbers)
        let path = Self.path(in: index)
        if let file = try IndexFile.find(at: path, parameters: parameters) {
            guard try file.plan() == plan else {
                throw ValidationError(
                    "\(path) was begun with other rows, numbers or settings; name a new folder")
            }
            guard try file.count < plan.rowCount || !file.isLinked() else {
                throw ValidationError("\(path) is there already, and whole; name a new folder")
            }
            return file
        }
        try FileManager.default.createDirectory(atPath: index, withIntermediateDirectories: true)
        let file = try IndexFile.create(
            at: path, dimension: rows.columnCount, metric: metric, parameters: parameters)
        try file.begin(plan, numbers)
        return file
    }

    private func plan(
        _ rows: NumberFile, _ metric: Metric, _ numbers: [(field: IndexFile.Field, values: [UInt16])]
    ) -> IndexFile.Plan {
        var writer = ByteWriter()
        for number in [rows.rowCount, rows.columnCount, Int(metric.rawValue), m, efConstruction] {
            writer.u32(UInt32(number))
        }
        writer.u8(withoutCodes ? 0 : 1)
        writer.raw(rows.digest)
        for (field, values) in numbers {
            writer.u8(field.rawValue)
            for value in values { writer.u16(value) }
        }
        return IndexFile.Plan(rowCount: rows.rowCount, digest: SHA256.digest(of: writer.bytes))
    }
}
