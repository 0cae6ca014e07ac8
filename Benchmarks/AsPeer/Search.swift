import ArgumentParser
import Foundation
import HNSW

/// Asks an index the questions of a file, and writes what it answered and how long each took.
struct Search: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Ask an index that `bench build` made the questions of an .npy file.",
        discussion: """
            On one thread, one question at a time. The table compares with the exact answers, which are computed \
            beside; a row that is as near as the last of them counts. The results file is little-endian: "VPB1", \
            u32 nq, u32 k, u32 np, f64 open_ms, f64 first_query_ms, then np times f64 param, u64 ns[nq] (each \
            question's median over the rounds), u32 ids[nq*k] (0xffffffff = none).

            A filter is made anew for each question, inside its time: u:10 lets rows through whose payload is below \
            10, g:3,17 those whose group is one of these.
            """)

    @Option(help: "The folder that `bench build` made.") var index: String
    @Option(help: "The questions: .npy, <f4.") var queries: String
    @Option(help: "How many rows to answer with.") var k = 10
    @Option(help: "The `ef` of each pass, with commas between.", transform: Self.numbers)
    var params = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320]
    @Option(help: "How often each question is asked.") var rounds = 3
    @Option(help: "u:N, or g:N,N,…") var filter: Filter?
    @Option(help: "Where to write the results.") var out: String?
    @Option(help: "Where to draw recall over questions a second, as SVG.") var plot: String?
    @Flag(help: "Do not compute the exact answers: the table has no recall then.") var withoutRecall = false
    @Flag(help: "Print JSON.") var json = false

    struct Filter: ExpressibleByArgument {
        let field: IndexFile.Field
        let ranges: [ClosedRange<UInt16>]

        init?(argument: String) {
            let numbers = argument.dropFirst(2).split(separator: ",", omittingEmptySubsequences: false).map {
                UInt16($0)
            }
            if argument.hasPrefix("u:"), numbers.count == 1, let bound = numbers[0] {
                field = .payload
                ranges = bound == 0 ? [] : [0...bound - 1]
            } else if argument.hasPrefix("g:"), !numbers.isEmpty, !numbers.contains(nil) {
                field = .group
                ranges = Set(numbers.compactMap { $0 }).sorted().map { $0...$0 }
            } else {
                return nil
            }
        }
    }

    @Sendable private static func numbers(_ text: String) throws -> [Int] {
        try text.split(separator: ",").map {
            guard let number = Int($0), number > 0 else {
                throw ValidationError("--params are numbers above 0 with commas between, as 16,32,64")
            }
            return number
        }
    }

    func validate() throws {
        guard (1...4_096).contains(k), rounds > 0, !params.isEmpty else {
            throw ValidationError(
                "--k is 1 to 4,096, --rounds above 0, and there is one of --params at least")
        }
        guard plot == nil || !withoutRecall else {
            throw ValidationError("--plot draws recall, so --without-recall leaves it nothing to draw")
        }
    }

    /// - Throws: `ValidationError` where a file cannot be written, before the search that is to be written to it.
    private static func check(_ path: String) throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        var isFolder: ObjCBool = false
        let isThere = unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        guard isThere ? !isFolder.boolValue : FileManager.default.isWritableFile(atPath: folder) else {
            throw ValidationError(
                isThere
                    ? "\(path) is a folder; name a file"
                    : "\(path) cannot be written: \(folder) is no folder in which files can be made")
        }
    }

    func run() async throws {
        for path in [out, plot].compactMap({ $0 }) { try Self.check(path) }
        let questions = try NumberFile(queries, of: .float32)
        guard questions.rowCount > 0 else { throw ValidationError("\(queries) has no questions") }
        let vectors = (0..<questions.rowCount).map(questions.floats)
        let path = Build.path(in: index)
        let clock = ContinuousClock()
        let start = clock.now
        let file = try IndexFile.open(at: path)
        let opened = clock.now
        defer { file.environment.close() }
        guard let first = vectors.first, first.count == file.dimension else {
            throw ValidationError(
                "\(queries) has rows of \(questions.columnCount), and the index of \(file.dimension)")
        }
        for (row, vector) in vectors.enumerated() {
            try IndexFile.check(
                vector, dimension: file.dimension, metric: file.metric, "question \(row) of \(queries)")
        }
        if let field = filter?.field, try !file.has(field) {
            throw ValidationError(
                "the index has no \(field.name): `bench build --\(field.name)` keeps them beside the rows")
        }
        let asked = clock.now
        _ = try answer(first, params[0], file)
        var results = SearchResults(
            questionCount: vectors.count, k: k, openMilliseconds: (opened - start).milliseconds,
            firstQueryMilliseconds: (clock.now - asked).milliseconds)
        for param in params { results.passes.append(try pass(param, vectors, file)) }
        if let out { try results.write(to: out) }
        let recalls = withoutRecall ? nil : try recalls(of: results, vectors, file)
        show(results, recalls, file)
        if let plot, let recalls { try SearchPlot(results, recalls).write(to: plot) }
    }

    private func answer(_ vector: [Float], _ ef: Int, _ file: IndexFile) throws -> [Neighbor] {
        try file.environment.read { transaction in
            let passages = try filter.map { try file.filter($0.field, $0.ranges, in: transaction) }
            return try file.index.search(
                vector, k: k, ef: ef, filter: passages, file.extent, in: transaction
            ).neighbors
        }
    }

    private func pass(_ param: Int, _ vectors: [[Float]], _ file: IndexFile) throws -> SearchResults.Pass {
        var times = [[UInt64]](repeating: [], count: vectors.count)
        var ids: [UInt32] = []
        for round in 0..<rounds {
            for (place, vector) in vectors.enumerated() {
                let start = DispatchTime.now().uptimeNanoseconds
                let neighbors = try answer(vector, param, file)
                times[place].append(DispatchTime.now().uptimeNanoseconds - start)
                guard round == 0 else { continue }
                ids += neighbors.map(\.passage)
                ids += repeatElement(UInt32.max, count: k - neighbors.count)
            }
        }
        return SearchResults.Pass(
            param: Double(param), nanoseconds: times.map { $0.sorted()[$0.count / 2] }, ids: ids)
    }

    /// For each pass, which part of the exact answers it found.
    private func recalls(
        of results: SearchResults, _ vectors: [[Float]], _ file: IndexFile
    ) throws -> [Double] {
        var found = [Int](repeating: 0, count: results.passes.count)
        var expected = 0
        for (place, vector) in vectors.enumerated() {
            try file.environment.read { transaction in
                let passages = try filter.map { try file.filter($0.field, $0.ranges, in: transaction) }
                var scores: [Float] = []
                scores.reserveCapacity(file.count)
                try file.index.segments.scan(vector, file.extent, in: transaction) {
                    scores += $0.scores.prefix($0.passages.count)
                }
                let matching = scores.indices.filter { row in
                    passages.map { $0.words[row >> 6] >> UInt64(row & 63) & 1 == 1 } ?? true
                }
                var best = BestScores(capacity: k)
                for row in matching { best.add(scores[row]) }
                guard let last = best.scores.last else { return }
                expected += best.scores.count
                for (number, pass) in results.passes.enumerated() {
                    found[number] += pass.ids[place * k..<(place + 1) * k].count {
                        $0 < UInt32.max && scores[Int($0)] >= last - 2e-6
                    }
                }
            }
        }
        return found.map { Double($0) / Double(max(1, expected)) }
    }

    private func show(_ results: SearchResults, _ recalls: [Double]?, _ file: IndexFile) {
        var report = Report("search")
        for (number, pass) in results.passes.enumerated() {
            var times = Samples()
            for time in pass.nanoseconds { times.add(Double(time) / 1_000) }
            let recall = recalls.map { String(format: "recall@\(k) %.4f, ", $0[number]) } ?? ""
            let rate = Double(times.values.count) / times.sum * 1_000_000
            report.add(
                .init(
                    name: "ef \(Int(pass.param))", parameters: "\(recall)\(Int(rate)) questions/s",
                    median: times.median, p99: times.p99, unit: "µs"))
        }
        report.note(
            "\(file.count) × \(file.dimension), \(results.questionCount) questions, \(rounds) rounds, one thread; opened in "
                + String(
                    format: "%.2f ms, first answer after %.2f ms more; ", results.openMilliseconds,
                    results.firstQueryMilliseconds)
                + "kernels: \(Distance.kernelName)")
        report.print(json: json)
    }
}

/// The best scores so far, the best first.
struct BestScores {
    let capacity: Int
    private(set) var scores: [Float] = []

    init(capacity: Int) { self.capacity = capacity }

    mutating func add(_ score: Float) {
        if scores.count == capacity, score <= scores[capacity - 1] { return }
        if scores.count == capacity { scores.removeLast() }
        let place = scores.firstIndex { $0 < score } ?? scores.count
        scores.insert(score, at: place)
    }
}
