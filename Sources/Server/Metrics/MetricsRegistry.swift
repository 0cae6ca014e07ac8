import CoreMetrics
import MemoryEngine

/// Keeps what is counted and timed, and tells it in the text format of Prometheus (version 0.0.4).
final class MetricsRegistry: MetricsFactory {
    private struct Key: Hashable {
        let name: String
        /// As it is written, braces included; empty = none.
        let labels: String
    }

    private enum Metric {
        case counter(Number)
        case gauge(Number)
        case histogram(Histogram)

        var kind: String {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    private let metrics = Mutex<[Key: Metric]>([:])

    // MARK: What is told

    /// All metrics, sorted; times of which there are none yet are left out.
    var text: String {
        let all = metrics.withLock { $0 }.sorted {
            ($0.key.name, $0.key.labels) < ($1.key.name, $1.key.labels)
        }
        var text = ""
        var last = ""
        for (key, metric) in all {
            var lines = ""
            switch metric {
            case .counter(let number), .gauge(let number):
                lines = "\(key.name)\(key.labels) \(Self.text(number.value))\n"
            case .histogram(let histogram): histogram.write(key.name, key.labels, to: &lines)
            }
            if lines.isEmpty { continue }
            if key.name != last { text += "# TYPE \(key.name) \(metric.kind)\n" }
            last = key.name
            text += lines
        }
        return text
    }

    /// The sum of a metric over all its labels; of times, how many there are.
    func total(_ name: String) -> Int {
        metrics.withLock { $0 }.reduce(0) { sum, entry in
            guard entry.key.name == name else { return sum }
            switch entry.value {
            case .counter(let number), .gauge(let number): return sum + Int(number.value)
            case .histogram(let histogram): return sum + histogram.count
            }
        }
    }

    fileprivate static func text(_ value: Double) -> String {
        Int(exactly: value).map(String.init) ?? "\(value)"
    }

    // MARK: What the interface of metrics asks for

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        number(label, dimensions) { .counter($0) }
    }

    func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        number(label, dimensions) { .counter($0) }
    }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        number(label, dimensions) { .gauge($0) }
    }

    /// Of what is recorded the last value is told.
    func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        number(label, dimensions) { .gauge($0) }
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        let key = Self.key(label, dimensions)
        return metrics.withLock { metrics in
            if case .histogram(let known) = metrics[key] { return known }
            let histogram = Histogram()
            metrics[key] = .histogram(histogram)
            return histogram
        }
    }

    func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    private func number(
        _ label: String, _ dimensions: [(String, String)], _ metric: (Number) -> Metric
    ) -> Number {
        let key = Self.key(label, dimensions)
        let fresh = Number()
        let made = metric(fresh)
        return metrics.withLock { metrics in
            switch metrics[key] {
            case .counter(let known), .gauge(let known): return known
            default:
                metrics[key] = made
                return fresh
            }
        }
    }

    private func remove(_ handler: any AnyObject & Sendable) {
        metrics.withLock { metrics in
            metrics = metrics.filter { _, metric in
                switch metric {
                case .counter(let number), .gauge(let number): number !== handler
                case .histogram(let histogram): histogram !== handler
                }
            }
        }
    }

    private static func key(_ label: String, _ dimensions: [(String, String)]) -> Key {
        func name(_ text: String) -> String {
            String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
        }
        let pairs = dimensions.map { label, value in
            let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing(
                "\n", with: "\\n")
            return "\(name(label))=\"\(escaped)\""
        }
        return Key(name: name(label), labels: pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}")
    }
}

/// A number that goes up, or up and down.
private final class Number: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler {
    private let state = Mutex(0.0)

    var value: Double { state.withLock { $0 } }

    func increment(by amount: Int64) { increment(by: Double(amount)) }
    func increment(by amount: Double) { state.withLock { $0 += amount } }
    func decrement(by amount: Double) { state.withLock { $0 -= amount } }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { state.withLock { $0 = value } }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
    func reset() { set(0.0) }
}

/// Durations, counted by how long they are.
private final class Histogram: TimerHandler {
    /// In seconds, from what a reply from memory takes to what a caller gives up at.
    private static let bounds = [
        0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]

    private struct State {
        /// Of each bound those that are no longer, and longer than the bound before; last those beyond all.
        var counts = [Int](repeating: 0, count: Histogram.bounds.count + 1)
        var nanoseconds: Int64 = 0
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.counts.reduce(0, +) } }

    func recordNanoseconds(_ duration: Int64) {
        let seconds = Double(duration) / 1e9
        let place = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
        state.withLock { state in
            state.counts[place] += 1
            state.nanoseconds += duration
        }
    }

    func write(_ name: String, _ labels: String, to text: inout String) {
        let (counts, nanoseconds) = state.withLock { ($0.counts, $0.nanoseconds) }
        guard counts.contains(where: { $0 > 0 }) else { return }
        let begin = labels.isEmpty ? "{" : labels.dropLast() + ","
        var sum = 0
        for (place, count) in counts.enumerated() {
            sum += count
            let bound = place < Self.bounds.count ? MetricsRegistry.text(Self.bounds[place]) : "+Inf"
            text += "\(name)_bucket\(begin)le=\"\(bound)\"} \(sum)\n"
        }
        text += "\(name)_sum\(labels) \(MetricsRegistry.text(Double(nanoseconds) / 1e9))\n"
        text += "\(name)_count\(labels) \(sum)\n"
    }
}
