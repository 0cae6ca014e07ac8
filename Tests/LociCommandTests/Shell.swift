import Foundation
import TestSupport
import Testing

@testable import loci

/// Runs the program that is built beside these tests, in a folder and a store of its own.
struct Shell {
    struct Answer {
        let status: Int32
        let output: String
        let errors: String
        var lines: [String] { output.split(separator: "\n").map(String.init) }
    }

    let folder: String
    var store: String { folder + "/store" }

    /// Lends a shell, and removes what it left.
    static func run(_ body: (Shell) throws -> Void) throws {
        let shell = Shell(folder: NSTemporaryDirectory() + "loci-command-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: shell.folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: shell.folder) }
        try body(shell)
    }

    /// Lends a shell, and removes what it left.
    static func lend<Result>(_ body: (Shell) async throws -> Result) async throws -> Result {
        let shell = Shell(folder: NSTemporaryDirectory() + "loci-command-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: shell.folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: shell.folder) }
        return try await body(shell)
    }

    /// The program beside the tests, or the one that LOCI names: `.ci/run` tries the release build too, as what the
    /// optimizer makes is what a user runs.
    private static let program: URL = {
        if let named = ProcessInfo.processInfo.environment["LOCI"] { return URL(fileURLWithPath: named) }
        let tests = CommandLine.arguments[0]
        return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("loci")
    }()

    /// What a sanitizer is not to mind counts in the program too.
    private static let sanitizers = ProcessInfo.processInfo.environment.filter {
        ["ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"].contains($0.key)
    }

    @discardableResult
    func loci(
        _ arguments: String..., input: [UInt8]? = nil, environment: [String: String] = [:]
    ) throws -> Answer {
        try run(Self.program, arguments, input: input, environment: environment)
    }

    /// Runs the program that measures, which is built beside the tests too.
    func bench(_ arguments: String...) throws -> Answer { try bench(arguments) }

    func bench(_ arguments: [String]) throws -> Answer {
        let tests = URL(fileURLWithPath: CommandLine.arguments[0])
        return try run(
            tests.deletingLastPathComponent().appendingPathComponent("bench"), arguments, environment: [:])
    }

    func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Answer {
        try run(Self.program, arguments, environment: environment)
    }

    /// Runs a line of bash in the folder, where `loci` is the program.
    func bash(_ line: String) throws -> Answer {
        let folders = [Self.program.deletingLastPathComponent().path, "/usr/local/bin", "/usr/bin", "/bin"]
        return try run(
            URL(fileURLWithPath: "/bin/bash"), ["-o", "pipefail", "-c", line],
            environment: ["PATH": folders.joined(separator: ":"), "HOME": folder])
    }

    private func run(
        _ program: URL, _ arguments: [String], input: [UInt8]? = nil, environment: [String: String]
    ) throws -> Answer {
        // No model, whatever this machine has: answers would be others.
        let environment = [
            "LOCI_STORE": store, "LOCI_NAMESPACE": "project/atlas", "TMPDIR": folder, "LOCI_MODEL": "",
        ]
        .merging(Self.sanitizers) { $1 }.merging(environment) { $1 }
        // Files, because a pipe that nobody empties would stop the program.
        let names = ["input", "output", "errors"].map { folder + "/." + $0 }
        try Data(input ?? []).write(to: URL(fileURLWithPath: names[0]))
        for name in names[1...] { try Data().write(to: URL(fileURLWithPath: name)) }
        let status = try Spawn.run(
            program.path, arguments, environment: environment, folder: folder,
            files: (names[0], names[1], names[2]))
        func text(_ name: String) -> String {
            String(decoding: FileManager.default.contents(atPath: name) ?? Data(), as: UTF8.self)
        }
        return Answer(status: status, output: text(names[1]), errors: text(names[2]))
    }

    /// Remembers a text, and gives its id.
    func remember(_ text: String, in namespace: String = "project/atlas") throws -> String {
        let answer = try loci("remember", text, "--json", "-n", namespace)
        return try #require(JSONParser.parse(answer.output)["id"]?.string, "\(answer.errors)")
    }

    /// Writes a file into the folder, with the folders above it, and gives its path.
    @discardableResult
    func write(_ text: String, to name: String) throws -> String {
        let file = URL(fileURLWithPath: folder + "/" + name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
        return file.path
    }
}
