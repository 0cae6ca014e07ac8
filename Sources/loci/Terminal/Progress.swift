import Foundation
import MemoryEngine

/// How far long work has come, on standard error: on a terminal a bar with rate and time left, once it has
/// taken two seconds; elsewhere a plain line every ten seconds.
///
/// Work that cannot say how far it is, or has not said it for a while, shows how long it has taken.
final class Progress: Sendable {
    private struct State {
        var done = 0
        /// `nil` = unknown.
        var total: Int?
        var lastShown: ContinuousClock.Instant?
        var isOnScreen = false
        var isFinished = false
    }

    private let title: String
    private let unit: String
    private let isBytes: Bool
    private let isSilent: Bool
    private let start = ContinuousClock.now
    private let state = Mutex(State())

    /// - Parameters:
    ///   - unit: what is counted, in the plural; empty = nothing is.
    ///   - isSilent: nothing is written, as beside machine-readable output.
    init(_ title: String, unit: String = "", isBytes: Bool = false, isSilent: Bool = false) {
        self.title = Visible.line(title)
        self.unit = unit
        self.isBytes = isBytes
        self.isSilent = isSilent
    }

    /// Lends itself to work, shows twice a second how far that is, and takes the bar off the screen afterwards.
    func during<Result>(_ work: (Progress) async throws -> Result) async rethrows -> Result {
        guard !isSilent else { return try await work(self) }
        let heart = Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(500))
                show()
            }
        }
        defer {
            heart.cancel()
            finish()
        }
        return try await work(self)
    }

    /// - Parameter total: `nil` = unknown.
    func update(_ done: Int, of total: Int?) {
        guard !isSilent else { return }
        state.withLock { state in
            state.done = done
            state.total = total
        }
        show()
    }

    /// Writes a line, if it is time for one.
    private func show() {
        let now = ContinuousClock.now
        let wait: Duration = Terminal.isErrorTerminal ? .milliseconds(100) : .seconds(10)
        state.withLock { state in
            guard !state.isFinished, now - start >= .seconds(2),
                state.lastShown.map({ now - $0 >= wait }) ?? true
            else { return }
            state.lastShown = now
            state.isOnScreen = Terminal.isErrorTerminal
            let line = line(state.done, state.total, elapsed: (now - start).inSeconds)
            // Written under the lock, so that none follows what takes the bar off the screen.
            if Terminal.isErrorTerminal {
                // Without the terminal's wrapping: of a line that goes on below only the rest could be replaced.
                let shown = "\r\u{1B}[K\u{1B}[?7l\(line)\u{1B}[?7h"
                try? FileHandle.standardError.write(contentsOf: Data(shown.utf8))
            } else {
                Terminal.note(line)
            }
        }
    }

    /// Takes the bar off the screen; nothing is shown any more.
    func finish() {
        state.withLock { state in
            if state.isOnScreen {
                try? FileHandle.standardError.write(contentsOf: Data("\r\u{1B}[K".utf8))
            }
            state.isOnScreen = false
            state.isFinished = true
        }
    }

    private func amount(_ count: Int) -> String { isBytes ? Terminal.bytes(count) : Terminal.grouped(count) }

    private var counted: String { unit.isEmpty ? "" : " \(unit)" }

    private static func time(_ seconds: Double) -> String {
        let seconds = Int(min(seconds, 1e9).rounded(.up))
        if seconds >= 3_600 { return "\(seconds / 3_600) h \(seconds / 60 % 60) min" }
        return seconds >= 60 ? "\(seconds / 60) min \(seconds % 60) s" : "\(seconds) s"
    }

    /// One line, with a bar for a terminal.
    func line(
        _ done: Int, _ total: Int?, elapsed: Double, hasBar: Bool = Terminal.isErrorTerminal
    ) -> String {
        let rate = elapsed > 0 ? Double(done) / elapsed : 0
        guard done > 0 else { return "\(title)  \(Self.time(elapsed))" }
        guard let total, total > 0 else {
            return "\(title)  \(Self.time(elapsed))  \(amount(done))\(counted)  \(amount(Int(rate)))/s"
        }
        let share = min(1, Double(done) / Double(total))
        let filled = Int(share * 24)
        let bar =
            hasBar
            ? String(repeating: "█", count: filled) + String(repeating: "░", count: 24 - filled) + " " : ""
        let head = "\(title)  \(bar)\(Int(share * 100)) %  "
        // All that is counted is done, and what follows is not counted.
        guard done < total else {
            return head + "finishing, \(Self.time(elapsed))  \(amount(total))\(counted)"
        }
        // What matters most stands first, because a narrow terminal cuts the rest.
        return head
            + "\(Self.time(Double(total - done) / rate)) left  \(amount(done)) of \(amount(total))\(counted)  "
            + "\(amount(Int(rate)))/s"
    }
}
