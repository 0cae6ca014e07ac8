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
    /// What the server is sent and what it is to send, where it does not answer by itself.
    private let input: Int32
    private let output: Int32

    /// - Parameter options: `-www` answers each request with a page.
    init(_ options: [String]) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let environment = ["PATH": "/usr/bin:/bin", "HOME": folder]
        let made = try Spawn.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                "1",
                "-keyout", "key.pem", "-out", "server.pem", "-subj", "/CN=server", "-addext",
                "subjectAltName=IP:127.0.0.1",
            ], environment: environment, folder: folder, files: ("/dev/null", "/dev/null", "/dev/null"))
        guard made == 0 else { throw Failure() }
        input = try Self.pipe(folder + "/in")
        output = try Self.pipe(folder + "/out")
        process = try Spawn(
            "openssl",
            ["s_server", "-accept", "127.0.0.1:0", "-cert", "server.pem", "-key", "key.pem"] + options,
            environment: environment, folder: folder, files: (folder + "/in", folder + "/out", "/dev/null"))
        // It says `ACCEPT 127.0.0.1:PORT`, and other lines before.
        var said: [UInt8] = []
        while true {
            let line = String(decoding: said, as: UTF8.self).split(separator: "\n").first {
                $0.hasPrefix("ACCEPT ")
            }
            if let line, said.last == UInt8(ascii: "\n"),
                let port = line.split(separator: ":").last.flatMap({ Int($0) })
            {
                self.port = port
                return
            }
            let more = Self.read(output)
            guard !more.isEmpty else {
                process.signal(SIGKILL)
                throw Failure()
            }
            said += more
        }
    }

    /// Open for both ways, so that neither side waits for the other to open it.
    private static func pipe(_ path: String) throws -> Int32 {
        guard mkfifo(path, 0o600) == 0 else { throw Failure() }
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure() }
        return descriptor
    }

    /// Some bytes; none where nine minutes bring none: on a busy machine a task of a test may wait long for a thread.
    private static func read(_ descriptor: Int32) -> [UInt8] {
        var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = poll(&ready, 1, 540_000) == 1 ? Glibc.read(descriptor, &bytes, bytes.count) : 0
        return Array(bytes.prefix(max(0, count)))
    }

    /// What the client sends next.
    func received() -> [UInt8] { Self.read(output) }

    func send(_ bytes: [UInt8]) { _ = write(input, bytes, bytes.count) }

    deinit {
        process.signal(SIGKILL)
        _ = try? process.wait()
        close(input)
        close(output)
        try? FileManager.default.removeItem(atPath: folder)
    }

    static func started(_ options: String...) async throws -> TLSServer {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try TLSServer(options) }) }
        }
    }
}

/// As much of HTTP/2 (RFC 9113, sections 3.4, 4.1 and 6) as a server needs that reads no header.
private enum HTTP2 {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    static func frame(_ type: UInt8, flags: UInt8, stream: UInt8, _ payload: [UInt8] = []) -> [UInt8] {
        [0, 0, UInt8(payload.count), type, flags, 0, 0, 0, stream] + payload
    }

    /// Status 200, by its place in the table of headers, and a body.
    static func answer(_ stream: UInt8, _ body: String) -> [UInt8] {
        frame(1, flags: 4, stream: stream, [0x88]) + frame(0, flags: 1, stream: stream, Array(body.utf8))
    }

    /// Whether a request without a body is among what a client sent: the frame that begins and ends a stream. It is looked for, since
    /// the server's program prints what it has to say of the handshake between two frames.
    static func hasRequest(_ stream: UInt8, in bytes: [UInt8]) -> Bool {
        bytes.firstRange(of: [1, 5, 0, 0, 0, stream]) != nil
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
            #expect(try await transport.send(request, within: .seconds(540)).status == 200)
            return nil
        } catch {
            return (error as? HTTPError)?.code
        }
    }

    @Test func `trusts the certificates that it is told of, and no others`() async throws {
        let server = try await TLSServer.started("-www")
        let request = try HTTPRequest(.get, "https://127.0.0.1:\(server.port)/")
        #expect(try await Self.code(of: request, trusting: server.folder + "/server.pem") == nil)
        #expect(try await Self.code(of: request, trusting: nil) == .certificate)
        #expect(try await Self.code(of: request, trusting: server.folder + "/missing.pem") == .certificate)
        let named = try HTTPRequest(.get, "https://localhost:\(server.port)/")
        #expect(try await Self.code(of: named, trusting: server.folder + "/server.pem") == .certificate)
    }

    @Test func `speaks HTTP/2 with a server that does, two requests at once over one connection`()
        async throws
    {
        let server = try await TLSServer.started("-alpn", "h2")
        var options = CurlTransport.Options()
        options.proxy = ""
        options.certificateFile = server.folder + "/server.pem"
        let transport = try CurlTransport(options: options)
        // It answers none before both are there, and takes one connection at a time.
        let asked = AsyncStream<[UInt8]> { continuation in
            Thread.detachNewThread {
                var bytes: [UInt8] = []
                server.send(HTTP2.frame(4, flags: 0, stream: 0) + HTTP2.frame(4, flags: 1, stream: 0))
                while true {
                    let more = server.received()
                    bytes += more
                    guard !more.isEmpty, bytes.count < 100_000 else { break }
                    let streams: [UInt8] = [1, 3].filter { HTTP2.hasRequest($0, in: bytes) }
                    if bytes.firstRange(of: HTTP2.preface) != nil, streams.count == 2 {
                        for stream in streams { server.send(HTTP2.answer(stream, "of \(stream)")) }
                        continuation.yield(streams)
                        break
                    }
                }
                continuation.finish()
            }
        }
        let request = try HTTPRequest(.get, "https://127.0.0.1:\(server.port)/")
        async let first = transport.send(request, within: .seconds(540))
        async let second = transport.send(request, within: .seconds(540))
        let replies = try await [first, second]
        #expect(replies.allSatisfy { $0.status == 200 })
        #expect(Set(replies.map { String(decoding: $0.body, as: UTF8.self) }) == ["of 1", "of 3"])
        for await streams in asked { #expect(streams == [1, 3]) }
    }
}
