import Foundation
import Store

/// What was measured, in a table or in JSON.
struct Report {
    /// One line of the table.
    struct Figure {
        var name: String
        /// What is special about it: sizes, counts, settings.
        var parameters: String
        var median: Double
        var p99: Double?
        var unit: String
        /// The peer of the same run, and this figure as a multiple of the peer's.
        var peer: (name: String, ratio: Double)?
        var aim: Aim?
    }

    struct Aim {
        var text: String
        var isMet: Bool
    }

    let command: String
    private(set) var figures: [Figure] = []
    private(set) var notes: [String] = []

    init(_ command: String) { self.command = command }

    mutating func add(_ figure: Figure) { figures.append(figure) }
    mutating func note(_ text: String) { notes.append(text) }

    func print(json: Bool) {
        if json { printJSON() } else { printTable() }
    }

    private func printTable() {
        var rows = [["", "", "median", "p99", "to its peer", "aim", ""]]
        for figure in figures {
            rows.append([
                figure.name, figure.parameters, Self.text(figure.median, figure.unit),
                figure.p99.map { Self.text($0, figure.unit) } ?? "",
                figure.peer.map { "\(Self.digits($0.ratio)) × \($0.name)" } ?? "", figure.aim?.text ?? "",
                figure.aim.map { $0.isMet ? "met" : "missed" } ?? "",
            ])
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        Swift.print("bench \(command)")
        for row in rows {
            let cells = row.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - row[column].count)
                return column == 2 || column == 3 ? space + row[column] : row[column] + space
            }
            Swift.print("  " + cells.joined(separator: "  ").trimmingTrailingSpaces)
        }
        for note in notes { Swift.print("  (\(note))") }
        Swift.print("")
    }

    private func printJSON() {
        let rows = figures.map { figure in
            var object: [String: Any] = [
                "name": figure.name, "parameters": figure.parameters, "median": figure.median,
                "unit": figure.unit,
            ]
            if let p99 = figure.p99 { object["p99"] = p99 }
            if let peer = figure.peer {
                object["peer"] = ["name": peer.name, "ratio": peer.ratio] as [String: Any]
            }
            if let aim = figure.aim { object["aim"] = ["text": aim.text, "met": aim.isMet] as [String: Any] }
            return object
        }
        let object: [String: Any] = ["command": command, "figures": rows, "notes": notes]
        let data = try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])
        Swift.print(String(decoding: data ?? Data(), as: UTF8.self))
    }

    static func text(_ value: Double, _ unit: String) -> String { "\(digits(value)) \(unit)" }

    /// Three digits that count.
    static func digits(_ value: Double) -> String {
        switch abs(value) {
        case 1_000...: String(format: "%.0f", value)
        case 100...: String(format: "%.0f", value)
        case 10...: String(format: "%.1f", value)
        default: String(format: "%.2f", value)
        }
    }
}

extension String {
    fileprivate var trimmingTrailingSpaces: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}

/// Many measurements of one thing.
struct Samples {
    private(set) var values: [Double] = []

    init() {}

    mutating func add(_ value: Double) { values.append(value) }
    mutating func add(_ other: Samples) { values += other.values }

    /// Runs `body` and keeps how long it took, in milliseconds.
    @discardableResult
    mutating func time<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        let start = ContinuousClock.now
        let result = try await body()
        add((ContinuousClock.now - start).milliseconds)
        return result
    }

    /// Runs `body` and keeps how long it took, in milliseconds.
    @discardableResult
    mutating func timeNow<Result>(_ body: () throws -> Result) rethrows -> Result {
        let start = ContinuousClock.now
        let result = try body()
        add((ContinuousClock.now - start).milliseconds)
        return result
    }

    var median: Double { quantile(0.5) }
    var p99: Double { quantile(0.99) }
    var sum: Double { values.reduce(0, +) }

    /// The value that a part of all are not above (nearest rank).
    func quantile(_ part: Double) -> Double {
        guard !values.isEmpty else { return .nan }
        let sorted = values.sorted()
        return sorted[min(sorted.count - 1, max(0, Int((part * Double(sorted.count)).rounded(.up)) - 1))]
    }
}

extension Duration {
    var seconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
    var milliseconds: Double { seconds * 1_000 }
}

/// Set once, by one task for another.
final class Done: Sendable {
    private let state = Mutex(false)
    var isSet: Bool { state.withLock { $0 } }
    func set() { state.withLock { $0 = true } }
}
