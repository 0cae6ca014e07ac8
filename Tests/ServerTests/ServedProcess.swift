import Foundation
import TestSupport

/// `loci serve` in a process of its own, over a store in a new folder; both go with this.
final class ServedProcess {
    let folder: String
    let port: Int
    var store: String { folder + "/store" }
    private let process: Spawn
    private var hasEnded = false

    /// - Parameters:
    ///   - options: of `loci serve`.
    ///   - line: what bash does before, as setting a limit.
    init(_ options: String..., after line: String = "true") throws {
        folder = NSTemporaryDirectory() + "served-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let program =
            URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/loci"
        let reader = try LineReader(folder + "/output")
        process = try Spawn(
            "bash",
            [
                "-c", line + #" && exec "$0" "$@""#, program, "serve", "--store", folder + "/store", "--port",
                "0", "--json",
            ]
                + options,
            environment: ["PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"], folder: folder,
            files: ("/dev/null", reader.path, folder + "/errors"))
        guard let said = reader.line(), let found = said.firstMatch(of: /"port":(\d+)/)?.1,
            let port = Int(found)
        else {
            let errors = FileManager.default.contents(atPath: folder + "/errors") ?? Data()
            throw TestClient.Failure(
                description: "no server: \(try process.wait()) \(String(decoding: errors, as: UTF8.self))")
        }
        self.port = port
    }

    /// Kills it, and waits for its end.
    func kill() throws {
        process.signal(SIGKILL)
        hasEnded = true
        _ = try process.wait()
    }

    deinit {
        if !hasEnded { try? kill() }
        try? FileManager.default.removeItem(atPath: folder)
    }
}

/// Reads what a process writes, line by line, as it is written.
final class LineReader {
    /// A named pipe.
    let path: String
    private let handle: FileHandle

    init(_ path: String) throws {
        self.path = path
        guard mkfifo(path, 0o600) == 0 else { throw TestClient.Failure(description: "no pipe: \(errno)") }
        // Without waiting for a writer, which comes next; reading waits.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0, fcntl(descriptor, F_SETFL, 0) == 0 else {
            throw TestClient.Failure(description: "no end of a pipe: \(errno)")
        }
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    /// The next line; `nil` at the end.
    func line() -> String? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while read(handle.fileDescriptor, &byte, 1) == 1 {
            if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
        }
        return nil
    }
}
