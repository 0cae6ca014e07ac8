import Foundation
import MemoryEngine

/// The program that `CrashTests` kills, starves and gives damaged files, so that the tests live on.
///
/// What it has done it says on its output, a line for each step, written before the next one begins.
@main struct CrashChild {
    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            switch arguments.first {
            case "write":
                try await Writing(store: arguments[1], prefix: arguments[2], seed: number(arguments[3])).run()
            case "compact":
                try await Writing(store: arguments[1], prefix: arguments[2], seed: number(arguments[3]))
                    .runCompacting()
            case "fill":
                try await Writing(store: arguments[1], prefix: arguments[2], seed: 1)
                    .runUntilFull(limit: Int(number(arguments[3])))
            case "serve": try await Serving(store: arguments[1]).run()
            case "damage":
                try await Damaging(store: arguments[1], seed: number(arguments[2]))
                    .run(rounds: Int(number(arguments[3]))..<Int(number(arguments[4])))
            default:
                say("usage: crashchild write|compact|fill|serve|damage STORE …")
                exit(64)
            }
        } catch {
            say("failure \(error)")
            exit(1)
        }
    }

    private static func number(_ text: String) -> UInt64 { UInt64(text) ?? 0 }
}

/// Writes a line in one piece, past every buffer of the process.
func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    let written = unsafe bytes.withUnsafeBytes { unsafe write(1, $0.baseAddress, $0.count) }
    // Nobody listens any more.
    if written != bytes.count { exit(2) }
}
