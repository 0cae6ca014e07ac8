import Foundation
import Glibc
import MemoryEngine
import TestSupport
import Testing

@testable import Embedders

/// A server of `openssl` with a certificate that signs itself, in a folder that goes with it.
private final class TLSServer: Sendable {
    struct Failure: Error {}

    let folder = NSTemporaryDirectory() + "tls-\(UUID().uuidString)"
    let port: Int
    private let process: Spawn

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let environment = ["PATH": "/usr/bin:/bin", "HOME": folder]
        let files = ("/dev/null", "/dev/null", "/dev/null")
        let made = try Spawn.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                "1",
                "-keyout", "key.pem", "-out", "server.pem", "-subj", "/CN=server", "-addext",
                "subjectAltName=IP:127.0.0.1",
            ], environment: environment, folder: folder, files: files)
        let pipe = folder + "/pipe"
        guard made == 0, mkfifo(pipe, 0o600) == 0 else { throw Failure() }
        // For both ways, so that neither side waits for the other to open it.
        let reader = open(pipe, O_RDWR | O_CLOEXEC)
        guard reader >= 0 else { throw Failure() }
        defer { close(reader) }
        process = try Spawn(
            "openssl",
            ["s_server", "-accept", "127.0.0.1:0", "-cert", "server.pem", "-key", "key.pem", "-www"],
            environment: environment, folder: folder, files: ("/dev/null", pipe, "/dev/null"))
        // It says `ACCEPT 127.0.0.1:PORT`, and other lines before.
        var said = ""
        while true {
            let line = said.split(separator: "\n").first { $0.hasPrefix("ACCEPT ") }
            if let line, said.last == "\n", let port = line.split(separator: ":").last.flatMap({ Int($0) }) {
                self.port = port
                return
            }
            var ready = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
            var bytes = [UInt8](repeating: 0, count: 4_096)
            let count = poll(&ready, 1, 60_000) == 1 ? read(reader, &bytes, bytes.count) : 0
            guard count > 0 else {
                process.signal(SIGKILL)
                throw Failure()
            }
            said += String(decoding: bytes.prefix(count), as: UTF8.self)
        }
    }

    deinit {
        process.signal(SIGKILL)
        _ = try? process.wait()
        try? FileManager.default.removeItem(atPath: folder)
    }
}

@Suite(.timeLimit(.minutes(10))) struct `A transport over TLS` {
    private static func code(of request: HTTPRequest, trusting file: String?) async throws -> HTTPError.Code?
    {
        var options = CurlTransport.Options()
        options.proxy = ""
        options.certificateFile = file
        let transport = try CurlTransport(options: options)
        do {
            #expect(try await transport.send(request, within: .seconds(60)).status == 200)
            return nil
        } catch {
            return (error as? HTTPError)?.code
        }
    }

    @Test func `trusts the certificates that it is told of, and no others`() async throws {
        let server: TLSServer = try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try TLSServer() }) }
        }
        let request = try HTTPRequest(.get, "https://127.0.0.1:\(server.port)/")
        #expect(try await Self.code(of: request, trusting: server.folder + "/server.pem") == nil)
        #expect(try await Self.code(of: request, trusting: nil) == .certificate)
        #expect(try await Self.code(of: request, trusting: server.folder + "/missing.pem") == .certificate)
        let named = try HTTPRequest(.get, "https://localhost:\(server.port)/")
        #expect(try await Self.code(of: named, trusting: server.folder + "/server.pem") == .certificate)
    }
}
