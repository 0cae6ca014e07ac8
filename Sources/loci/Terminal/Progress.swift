import Foundation
import MemoryEngine

/// How far long work has come, on standard error: on a terminal a bar with rate and time left, once it has
/// taken two seconds; elsewhere a plain line every ten seconds.
final class Progress: Sendable {
    private struct State {
        var lastShown: ContinuousClock.Instant?
        var isOnScreen = false
    }

    private let title: String
    private let unit: String
    private let isBytes: Bool
    private let isSilent: Bool
    private let start = ContinuousClock.now
    private let state = Mutex(State())

    /// - Parameters:
    ///   - unit: what is counted, in the plural.
    ///   - isSilent: nothing is written, as beside machine-readable output.
    init(_ title: String, unit: String, isBytes: Bool = false, isSilent: Bool = false) {
        self.title = title
        self.unit = unit
        self.isBytes = isBytes
        self.isSilent = isSilent
    }

    /// - Parameter total: `nil` = unknown.
    func update(_ done: Int, of total: Int?) {
        guard !isSilent else { return }
        let now = ContinuousClock.now
        let wait: Duration = Terminal.isErrorTerminal ? .milliseconds(100) : .seconds(10)
        let isDue = state.withLock { state in
            guard now - start >= .seconds(2), state.lastShown.map({ now - $0 >= wait }) ?? true else {
                return false
            }
            state.lastShown = now
            state.isOnScreen = Terminal.isErrorTerminal
            return true
        }
        guard isDue else { return }
        let line = line(done, total, elapsed: (now - start).inSeconds)
        if Terminal.isErrorTerminal {
            try? FileHandle.standardError.write(contentsOf: Data("\r\u{1B}[K\(line)".utf8))
        } else {
            Terminal.note(line)
        }
    }

    /// Takes the bar off the screen.
    func finish() {
        let wasOnScreen = state.withLock { state in
            defer { state.isOnScreen = false }
            return state.isOnScreen
        }
        if wasOnScreen { try? FileHandle.standardError.write(contentsOf: Data("\r\u{1B}[K".utf8)) }
    }

    private func amount(_ count: Int) -> String { isBytes ? Terminal.bytes(count) : Terminal.grouped(count) }

    /// One line, with a bar for a terminal.
    func line(
        _ done: Int, _ total: Int?, elapsed: Double, hasBar: Bool = Terminal.isErrorTerminal
    ) -> String {
        let rate = elapsed > 0 ? Double(done) / elapsed : 0
        let speed = "\(amount(Int(rate)))\(isBytes ? "" : " \(unit)")/s"
        guard let total, total > 0 else {
            return "\(title)  \(amount(done))\(isBytes ? "" : " \(unit)")  \(speed)"
        }
        let share = min(1, Double(done) / Double(total))
        let filled = Int(share * 24)
        let bar =
            hasBar
            ? String(repeating: "█", count: filled) + String(repeating: "░", count: 24 - filled) + " " : ""
        let left = rate > 0 ? Int((Double(max(0, total - done)) / rate).rounded(.up)) : 0
        let time = left >= 60 ? "\(left / 60) min \(left % 60) s" : "\(left) s"
        return
            "\(title)  \(bar)\(Int(share * 100)) %  \(amount(done)) of \(amount(total))  \(speed)  \(time) left"
    }
}
