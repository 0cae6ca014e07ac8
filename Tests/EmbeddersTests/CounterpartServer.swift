import Foundation

/// A server that is not ours, which a script starts where `make test` could fetch its packages. It ends with this process.
final class CounterpartServer: Sendable {
    /// On loopback.
    let url: String
    /// The server ends when this is closed.
    private let input: Pipe

    /// - Parameters:
    ///   - script: in `scripts`; prints `listening on PORT`.
    ///   - arguments: of the script.
    ///   - folder: of its packages, in `.build`; without it there is no server.
    init?(script: String, arguments: [String] = [], folder: String) {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        guard FileManager.default.isExecutableFile(atPath: "\(root)/.build/\(folder)/bin/python") else {
            return nil
        }
        let (process, output) = (Process(), Pipe())
        input = Pipe()
        process.executableURL = URL(fileURLWithPath: "\(root)/scripts/\(script)")
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        var said = ""
        while !said.contains("\n"), let data = try? output.fileHandleForReading.read(upToCount: 1),
            !data.isEmpty
        {
            said += String(decoding: data, as: UTF8.self)
        }
        guard let match = said.firstMatch(of: /listening on (\d+)/) else { return nil }
        url = "http://127.0.0.1:\(match.1)"
    }
}
