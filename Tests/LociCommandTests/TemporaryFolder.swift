import Foundation
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
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.currentDirectoryURL = URL(fileURLWithPath: path)
        var all = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("GIT_") }
        all["HOME"] = path
        all["GIT_CONFIG_NOSYSTEM"] = "1"
        process.environment = all.merging(environment) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        // One after the other, as `Shell` does.
        try Shell.starting.withLock { try process.run() }
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(command)")
    }
}

/// Thrown by a test that got something else than it is about.
struct Unexpected: Error {}
