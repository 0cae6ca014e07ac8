import Foundation

/// A run of `crashchild`, whose lines come in as it writes them.
final class Child: Sendable {
    /// What it wrote, up to its end.
    let lines: AsyncStream<String>
    private let process: Process
    private let input: FileHandle

    /// - Parameters:
    ///   - lineCount: it is killed after so many of the lines that count, by the thread that reads them: who waits for
    ///     lines may have to wait for other tests.
    init(
        _ arguments: [String], killedAfter lineCount: Int = .max,
        counting counts: @escaping @Sendable (String) -> Bool = { _ in false }
    ) throws {
        let process = Process()
        process.executableURL = Self.program
        process.arguments = arguments
        // A child that dies of a signal should die at once.
        process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) {
            $1
        }
        let (output, input) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardInput = input
        try process.run()
        self.process = process
        self.input = input.fileHandleForWriting
        let reading = output.fileHandleForReading
        let number = process.processIdentifier
        lines = AsyncStream { continuation in
            // Reading waits, so it has a thread of its own.
            Thread.detachNewThread {
                var left = lineCount
                var rest: [UInt8] = []
                var buffer = [UInt8](repeating: 0, count: 1 << 16)
                // `read` returns what is there; `FileHandle` would wait for the whole buffer.
                while case let count = read(reading.fileDescriptor, &buffer, buffer.count), count > 0 {
                    rest += buffer[..<count]
                    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                        let line = String(decoding: rest[..<end], as: UTF8.self)
                        rest.removeSubrange(...end)
                        continuation.yield(line)
                        guard left > 0, counts(line) else { continue }
                        left -= 1
                        if left == 0 { Foundation.kill(number, SIGKILL) }
                    }
                }
                // A line that was cut off by the end was never said.
                continuation.finish()
            }
        }
    }

    /// The program beside the tests.
    private static var program: URL {
        let name = "crashchild"
        // On Linux the test runner's own file is the bundle of tests, in the folder of products.
        let folders = [
            URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent(),
            Bundle.main.bundleURL, Bundle.main.bundleURL.deletingLastPathComponent(),
        ]
        let found = folders.map { $0.appendingPathComponent(name) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
        guard let found else { preconditionFailure("no program `\(name)` beside the tests") }
        return found
    }

    func say(_ line: String) throws { try input.write(contentsOf: Data((line + "\n").utf8)) }

    /// How it ended; call it once its lines have ended.
    func end() -> (status: Int32, bySignal: Bool) {
        process.waitUntilExit()
        return (process.terminationStatus, process.terminationReason == .uncaughtSignal)
    }

    /// Runs to the end and returns every line.
    static func run(_ arguments: [String]) async throws -> (lines: [String], status: Int32, bySignal: Bool) {
        let child = try Child(arguments)
        var lines: [String] = []
        for await line in child.lines { lines.append(line) }
        let (status, bySignal) = child.end()
        return (lines, status, bySignal)
    }
}

/// A folder in the temporary directory, removed when this goes.
final class ScratchFolder: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(
            "loci-crash-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A number that the environment may set, so that `make` can ask for more than continuous integration.
func setting(_ name: String, _ usual: Int) -> Int {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? usual
}
