import Foundation
import Store

/// What an index answered, and how long it took, as a harness reads it.
struct SearchResults {
    struct Pass {
        let param: Double
        /// Of each question, the median over the rounds.
        let nanoseconds: [UInt64]
        /// `k` for each question; `UInt32.max` = none.
        let ids: [UInt32]

        var questionsPerSecond: Double {
            Double(nanoseconds.count) / (Double(nanoseconds.reduce(0, +)) / 1e9)
        }
    }

    let questionCount: Int
    let k: Int
    let openMilliseconds: Double
    let firstQueryMilliseconds: Double
    var passes: [Pass] = []

    /// Writes them little-endian: "VPB1", u32 nq, u32 k, u32 np, f64 open_ms, f64 first_query_ms, then np times f64
    /// param, u64 ns[nq], u32 ids[nq*k].
    func write(to path: String) throws {
        var writer = ByteWriter()
        writer.raw(Array("VPB1".utf8))
        writer.u32(UInt32(questionCount))
        writer.u32(UInt32(k))
        writer.u32(UInt32(passes.count))
        writer.u64(openMilliseconds.bitPattern)
        writer.u64(firstQueryMilliseconds.bitPattern)
        for pass in passes {
            writer.u64(pass.param.bitPattern)
            for time in pass.nanoseconds { writer.u64(time) }
            for id in pass.ids { writer.u32(id) }
        }
        try Data(writer.bytes).write(to: URL(fileURLWithPath: path))
    }
}

/// Recall over questions a second.
struct SearchPlot {
    private let points: [(recall: Double, rate: Double)]
    private static let (width, height, margin) = (720.0, 420.0, 60.0)

    init(_ results: SearchResults, _ recalls: [Double]) {
        points = zip(recalls, results.passes).map { ($0, $1.questionsPerSecond) }.sorted {
            $0.recall < $1.recall
        }
    }

    func write(to path: String) throws {
        try Data(svg.utf8).write(to: URL(fileURLWithPath: path))
    }

    private var svg: String {
        let lowest = (points.first?.recall ?? 0) * 20
        let left = Swift.min(0.95, lowest.rounded(.down) / 20)
        let rates = points.map(\.rate)
        let low = log10(rates.min() ?? 1).rounded(.down)
        let high = Swift.max(low + 1, log10(rates.max() ?? 10).rounded(.up))
        func x(_ recall: Double) -> Double {
            Self.margin + (recall - left) / (1 - left) * (Self.width - 2 * Self.margin)
        }
        func y(_ rate: Double) -> Double {
            Self.height - Self.margin - (log10(rate) - low) / (high - low) * (Self.height - 2 * Self.margin)
        }
        func text(_ words: String, _ x: Double, _ y: Double, _ anchor: String) -> String {
            "<text x='\(x)' y='\(y)' text-anchor='\(anchor)'>\(words)</text>"
        }
        var parts = [
            "<svg xmlns='http://www.w3.org/2000/svg' width='\(Self.width)' height='\(Self.height)' "
                + "font-family='sans-serif' font-size='13'>",
            "<rect width='100%' height='100%' fill='white'/>",
            text("recall", Self.width / 2, Self.height - 14, "middle"),
            text("questions a second, one thread", Self.margin, 28, "start"),
        ]
        for step in 0...5 {
            let recall = left + (1 - left) * Double(step) / 5
            parts.append(
                "<line x1='\(x(recall))' x2='\(x(recall))' y1='\(Self.margin)' y2='\(Self.height - Self.margin)' stroke='#ddd'/>"
            )
            parts.append(
                text(String(format: "%.3f", recall), x(recall), Self.height - Self.margin + 18, "middle"))
        }
        for power in Int(low)...Int(high) {
            let rate = pow(10, Double(power))
            parts.append(
                "<line x1='\(Self.margin)' x2='\(Self.width - Self.margin)' y1='\(y(rate))' y2='\(y(rate))' stroke='#ddd'/>"
            )
            parts.append(text("\(Int(rate))", Self.margin - 6, y(rate) + 4, "end"))
        }
        let line = points.map { "\(x($0.recall)),\(y($0.rate))" }.joined(separator: " ")
        parts.append("<polyline points='\(line)' fill='none' stroke='#06c' stroke-width='2'/>")
        for point in points {
            parts.append("<circle cx='\(x(point.recall))' cy='\(y(point.rate))' r='3' fill='#06c'/>")
        }
        return parts.joined(separator: "\n") + "\n</svg>\n"
    }
}
