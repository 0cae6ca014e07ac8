import Foundation
import Testing

/// Runs the program `fuzz`, which the build puts beside the tests.
@Suite struct `The fuzzer` {
    private func run(_ arguments: [String]) throws -> (status: Int32, lines: [String]) {
        let tests = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        let process = Process()
        process.executableURL = tests.deletingLastPathComponent().appendingPathComponent("fuzz")
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        return (process.terminationStatus, lines)
    }

    @Test func `finds nothing in a short run over all decoders`() throws {
        let (status, lines) = try run(["all", "--seed", "3", "--iterations", "1000"])
        #expect(status == 0)
        #expect(lines.count >= 20 && lines.allSatisfy { $0.hasSuffix(", ok") }, "\(lines)")
        // A target that takes nothing tries nothing but the refusal.
        #expect(lines.allSatisfy { !$0.contains(" 0 taken") })
    }

    @Test func `fails with a decoder that is wrong on purpose`() throws {
        let (status, lines) = try run(["canary", "--canary", "--iterations", "1000"])
        #expect(status == 1)
        #expect(lines.count == 1 && lines[0].hasPrefix("canary: ") && lines[0].contains("FAILED"))
    }
}
