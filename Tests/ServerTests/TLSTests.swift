import Foundation
import Logging
import MemoryEngine
import TestSupport
import Testing

@testable import Server

/// Certificates that `openssl` makes in a folder, which goes with this.
final class Certificates: Sendable {
    let folder = NSTemporaryDirectory() + "tls-\(UUID().uuidString)"

    /// One that signs itself (`ca`), those that it signed (`server`, `client`), and one that it did not (`other`).
    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let made = try bash(
            """
            set -e
            make() {
                local name=$1; shift
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 \\
                    -keyout $name.key -out $name.pem -subj /CN=$name "$@"
            }
            make ca
            make other
            make server -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:false -CA ca.pem -CAkey ca.key
            make client -addext basicConstraints=critical,CA:false -CA ca.pem -CAkey ca.key
            echo 'no certificate' > text
            """)
        guard made.status == 0 else { throw TestClient.Failure(description: made.text) }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func path(_ name: String) -> String { folder + "/" + name }

    /// Runs lines of bash in the folder; all that it says is the text.
    func bash(_ lines: String) throws -> (status: Int32, text: String) {
        let output = path("output-\(UUID().uuidString)")
        let status = try Spawn.run(
            "bash", ["-c", "exec 2>&1; " + lines], environment: ["PATH": "/usr/bin:/bin", "HOME": folder],
            folder: folder, files: ("/dev/null", output, "/dev/null"))
        let bytes = FileManager.default.contents(atPath: output) ?? Data()
        return (status, String(decoding: bytes, as: UTF8.self))
    }

    func identity(clientAuthority: String? = nil) throws -> TLSIdentity {
        try TLSIdentity(
            certificate: path("server.pem"), key: path("server.key"),
            clientAuthority: clientAuthority.map(path))
    }

    /// What a client over TLS is answered that sends a line, and QUIT.
    func ask(_ line: String, at port: Int, _ options: String = "") throws -> String {
        try bash(
            """
            printf '\(line)\\r\\nQUIT\\r\\n' | timeout 60 openssl s_client -quiet -connect 127.0.0.1:\(port) \\
                -verify_return_error -verify_ip 127.0.0.1 -CAfile ca.pem \(options)
            """
        ).text
    }
}

@Suite struct `TLS` {
    @Test func `is all that the port speaks, and the socket stays plain`() async throws {
        let certificates = try Certificates()
        var options = Server.Options()
        options.tls = try certificates.identity()
        options.socketPath = certificates.path("socket")
        try await ServedStore.serve(options) { port in
            let answer = try certificates.ask("PING", at: port)
            #expect(answer.contains("+PONG\r\n+OK\r\n"), "\(answer)")
            let old = try certificates.ask("PING", at: port, "-tls1_1")
            #expect(!old.contains("PONG"), "\(old)")

            let plain = try TestClient(port: port)
            try plain.send(["PING"])
            let said = try plain.receiveAll()
            #expect(!said.contains("PONG") && !said.contains("ERR"), "\(said)")
            #expect(try TestClient(path: certificates.path("socket")).ask("PING") == .simple("PONG"))

            // More than a record of TLS holds, both ways.
            let long = try certificates.bash(
                """
                { printf 'ECHO '; head -c 60000 /dev/zero | tr '\\0' x; printf '\\r\\nQUIT\\r\\n'; } |
                    timeout 60 openssl s_client -quiet -connect 127.0.0.1:\(port) -CAfile ca.pem
                """)
            #expect(long.text.contains("$60000\r\n" + String(repeating: "x", count: 60_000) + "\r\n+OK"))
        }
    }

    @Test func `asks clients for a certificate, where it is told who signs them`() async throws {
        let certificates = try Certificates()
        var options = Server.Options()
        options.tls = try certificates.identity(clientAuthority: "ca.pem")
        try await ServedStore.serve(options) { port in
            let known = try certificates.ask("PING", at: port, "-cert client.pem -key client.key")
            #expect(known.contains("+PONG"), "\(known)")
            for options in ["", "-cert other.pem -key other.key"] {
                let answer = try certificates.ask("PING", at: port, options)
                #expect(!answer.contains("PONG"), "\(answer)")
            }
        }
    }

    @Test func `closes connections beyond the bound, and says nothing that is not TLS`() async throws {
        let certificates = try Certificates()
        var options = Server.Options()
        options.tls = try certificates.identity()
        options.maximumConnections = 1
        options.metricsPort = 0
        try await ServedStore.serveAddresses(options) { addresses in
            let (port, metricsPort) = (try #require(addresses.port), try #require(addresses.metricsPort))
            func metrics() throws -> String {
                let client = try TestClient(port: metricsPort)
                try client.send(Array("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
                return try client.receiveAll()
            }
            let first = try TestClient(port: port)
            while try !metrics().contains("loci_connections_open 1\n") {}
            #expect(try TestClient(port: port).receiveAll().isEmpty)
            let told = try metrics()
            for line in ["open 1", "accepted_total 1", "refused_total 1"] {
                #expect(told.contains("loci_connections_\(line)\n"), "\(told)")
            }
            first.endSending()
        }
    }

    @Test func `shows certificates that are renewed, and the ones before where new ones do not fit`() throws {
        let certificates = try Certificates()
        let now = ContinuousClock.now
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let identity = RenewedIdentity(try certificates.identity(), at: now, logger: logger)
        let first = identity.context(at: now)
        #expect(identity.context(at: now + .seconds(5)) === first)
        // Of another pair, and alone: it does not fit to the key.
        _ = try certificates.bash("cp server.pem before.pem; cp other.pem new.pem; mv new.pem server.pem")
        #expect(identity.context(at: now + .seconds(5.5)) === first)
        #expect(identity.context(at: now + .seconds(7)) === first)
        _ = try certificates.bash("cp other.key new.key; mv new.key server.key")
        let second = identity.context(at: now + .seconds(9))
        #expect(second !== first)
        #expect(identity.context(at: now + .seconds(20)) === second)
        _ = try certificates.bash("rm server.key")
        #expect(identity.context(at: now + .seconds(30)) === second)
    }

    @Test func `tells which file is wrong`() throws {
        let certificates = try Certificates()
        func message(_ certificate: String, _ key: String, _ authority: String? = nil) -> String? {
            #expect(throws: EngineError.self) {
                try TLSIdentity(
                    certificate: certificates.path(certificate), key: certificates.path(key),
                    clientAuthority: authority.map(certificates.path))
            }?.message.replacing(certificates.folder + "/", with: "")
        }
        #expect(message("none.pem", "server.key") == "there is no file none.pem, or it cannot be read")
        #expect(message("server.pem", "none.key") == "there is no file none.key, or it cannot be read")
        #expect(message("text", "server.key") == "text has no certificate in PEM")
        #expect(message("server.pem", "text")?.hasPrefix("text has no private key in PEM") == true)
        #expect(message("server.pem", "server.key", "text") == "text has no certificate in PEM")
        #expect(
            message("server.pem", "other.key")
                == "the key in other.key is not that of the first certificate in server.pem")
    }
}
