import ArgumentParser
import HNSW

/// Inner products by the kernels, beside OpenBLAS.
struct Kernels: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels", abstract: "Nanoseconds for an inner product by the kernels, beside OpenBLAS.")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        var report = Report("kernels")
        for dimension in [384, 1_024] {
            for (place, rowCount) in [("in cache", 256), ("in memory", 100_000)] {
                let (ours, blas) = Self.measure(dimension, rowCount)
                report.add(
                    .init(
                        name: "dot of \(dimension)", parameters: "one query, \(rowCount) rows, \(place)",
                        median: ours.median, p99: ours.p99, unit: "ns",
                        peer: (name: "OpenBLAS", ratio: ours.median / blas.median)))
            }
        }
        report.note(
            "kernels: \(Distance.kernelName); OpenBLAS: a product of a vector and a matrix, one thread")
        report.print(json: common.json)
    }

    private static func measure(_ dimension: Int, _ rowCount: Int) -> (ours: Samples, blas: Samples) {
        var random = SeededRandom(seed: 7)
        let rows = (0..<rowCount * dimension).map { _ in Float.random(in: -1...1, using: &random) }
        let query = (0..<dimension).map { _ in Float.random(in: -1...1, using: &random) }
        var products = [Float](repeating: 0, count: rowCount)
        let repeats = max(1, 20_000 / rowCount)
        var ours = Samples()
        var blas = Samples()
        let perDot = 1e6 / Double(repeats * rowCount)
        for _ in 0..<40 {
            var time = Samples()
            time.timeNow {
                for _ in 0..<repeats {
                    var target = products.mutableSpan
                    // Safe because floats have no padding, and the span lives as long as the call.
                    unsafe Distance.dots(
                        query: query.span, rows: rows.span.bytes, strideBytes: dimension * 4, count: rowCount,
                        into: &target)
                }
            }
            ours.add(time.sum * perDot)
            time = Samples()
            time.timeNow {
                for _ in 0..<repeats { BLASProduct.dots(query: query, rows: rows, into: &products) }
            }
            blas.add(time.sum * perDot)
        }
        return (ours, blas)
    }
}
