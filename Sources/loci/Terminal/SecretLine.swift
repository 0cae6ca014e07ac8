import Foundation
import Glibc

/// A line of standard input that a terminal does not show while it is typed.
enum SecretLine {
    /// Reads it, without blanks around it; `nil` = there is none.
    static func read(prompt: String) -> String? {
        guard Terminal.isInputTerminal else { return line() }
        var shown = termios()
        // Safe because these calls read or write the value while they last, and keep nothing.
        guard unsafe tcgetattr(STDIN_FILENO, &shown) == 0 else { return line() }
        var hidden = shown
        hidden.c_lflag &= ~tcflag_t(ECHO)
        // An interrupt would leave the terminal without an echo: it counts as a sign while the line is read.
        hidden.c_lflag &= ~tcflag_t(ISIG)
        _ = unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
        defer {
            _ = unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown)
            Terminal.error("")
        }
        // Not before: what was typed until then is thrown away.
        try? FileHandle.standardError.write(contentsOf: Data(prompt.utf8))
        return line()
    }

    /// Whether standard input has another line that is not blank.
    static var hasMore: Bool {
        while let line = line() { if !line.isEmpty { return true } }
        return false
    }

    private static func line() -> String? {
        readLine(strippingNewline: true)?.trimmingCharacters(in: .whitespaces)
    }
}
