import ArgumentParser
import Foundation
import HNSW

/// Rows appended durably, each batch searchable once its commit is synced, beside bare LMDB that puts the same bytes.
struct Append: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "append", abstract: "Append the rows of an .npy file durably, beside bare LMDB.",
        discussion: """
            A batch is one synced commit, after which a search finds its rows; they are linked later, which is not in \
            these figures. Loci and LMDB take turns.

                bench append --base base.npy --batches 1,100,10000
            """)

    @Option(help: "The rows: .npy, <f4.") var base: String
    @Option(help: "Rows in a commit, with commas between.") var batches = "1,100,10000"
    @Option(help: "About how many commits of each size; large ones end with the rows of the file.")
    var commits = 2_000
    @Option(help: "A folder for scratch stores. It is made and removed.") var scratch = ".cache/bench"
    @Flag(help: "Print JSON.") var json = false

    /// How often Loci and LMDB take turns.
    private static let turns = 10

    func validate() throws {
        guard commits >= Self.turns, !sizes.isEmpty, sizes.allSatisfy({ $0 > 0 }) else {
            throw ValidationError("--commits is \(Self.turns) at least, and --batches are numbers above 0")
        }
    }

    private var sizes: [Int] { batches.split(separator: ",").map { Int($0) ?? 0 } }

    func run() async throws {
        let rows = try NumberFile(base, of: .float32)
        var common = CommonOptions()
        common.scratch = scratch
        let folder = try Scratch(common)
        var report = Report("append")
        for size in sizes {
            let perTurn = max(1, min(commits, rows.rowCount / size) / Self.turns)
            guard perTurn * Self.turns * size <= rows.rowCount else {
                report.note(
                    "batches of \(size) are left out: \(base) has \(rows.rowCount) rows, and \(Self.turns) are needed"
                )
                continue
            }
            let file = try IndexFile.create(
                at: folder.path + "/index-\(size)", dimension: rows.columnCount, metric: .cosine,
                parameters: HNSWParameters())
            let peer = try BareLMDB(path: folder.path + "/peer-\(size)")
            var (ours, bare) = (Samples(), Samples())
            for turn in 0..<Self.turns {
                let parts = (0..<perTurn).map { commit in
                    let first = (turn * perTurn + commit) * size
                    return (first..<first + size).map(rows.floats)
                }
                var times = Samples()
                for part in parts { try times.timeNow { try file.append(part) } }
                ours.add(times)
                let values = parts.map { part in
                    part.map { row in unsafe row.withUnsafeBytes { unsafe Array($0) } }
                }
                times = Samples()
                for part in values { try times.timeNow { try peer.put(part) } }
                bare.add(times)
            }
            file.environment.close()
            let all = Double(perTurn * Self.turns * size) * 1_000
            let ratio = bare.sum / ours.sum
            let aim = size == 1 ? 0.5 : 0.4
            report.add(
                .init(
                    name: "batches of \(size)", parameters: "\(perTurn * Self.turns) commits",
                    median: ours.median, p99: ours.p99, unit: "ms"))
            report.add(
                .init(
                    name: "bare LMDB", parameters: "a put of \(rows.columnCount * 4) bytes a row",
                    median: bare.median, p99: bare.p99, unit: "ms"))
            report.add(
                .init(
                    name: "rate", parameters: "rows by the sum of all commits", median: all / ours.sum,
                    unit: "rows/s", peer: (name: "bare LMDB", ratio: ratio),
                    aim: .init(text: "≥ \(aim) × bare LMDB", isMet: ratio >= aim)))
        }
        report.note("all on the same disk in the same run; every commit is synced")
        report.print(json: json)
    }
}
