import Foundation
import TestSupport
import Testing

/// A folder of its own for one test, removed with it.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("loci-import-\(UUID())").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file, with the folders above it, and gives its path.
    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let url = URL(fileURLWithPath: path).appendingPathComponent(name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
        return url.path
    }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }

    /// Runs a program in this folder, with nothing of the user's settings.
    func run(_ command: String..., environment: [String: String] = [:]) throws {
        var all = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("GIT_") }
        all["HOME"] = path
        all["GIT_CONFIG_NOSYSTEM"] = "1"
        let status = try Spawn.run(
            command[0], Array(command.dropFirst()), environment: all.merging(environment) { $1 },
            folder: path,
            files: ("/dev/null", "/dev/null", "/dev/null"))
        try #require(status == 0, "\(command)")
    }
}

/// Thrown by a test that got something else than it is about.
struct Unexpected: Error {}
