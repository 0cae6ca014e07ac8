import ArgumentParser
import Foundation
import Logging
import MemoryEngine
import Server
import ServiceLifecycle

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve the store to clients on this machine.",
        usage: "loci serve [--bind <address>] [--port <number>] [--unix <path>] [options]",
        discussion: """
            Clients speak RESP, the protocol of Redis, so that redis-cli and the Redis library of any \
            language work:

              loci serve --store ~/memories
              redis-cli -p 6399 MEM.REMEMBER project/atlas "The deploy failed: its token had expired."
              redis-cli -p 6399 MEM.RECALL project/atlas "Why did the deploy fail?"

            It listens on the loopback address only, as there are no credentials. SIGTERM or SIGINT ends \
            it: what is in flight is answered first, for up to --drain seconds. docs/protocol.md lists the \
            commands.
            """)

    @Option(
        help: ArgumentHelp("The address to listen at: 127.0.0.1, ::1 or localhost.", valueName: "address"))
    var bind = "127.0.0.1"
    @Option(
        help: ArgumentHelp("The port to listen at; 0 takes one that is free.", valueName: "number"),
        transform: Accept.count(0...65_535, as: 6_399))
    var port = Server.Options.defaultPort
    @Option(
        help: ArgumentHelp("Listen at a Unix domain socket besides.", valueName: "path"), completion: .file())
    var unix: String?
    @Option(
        help: ArgumentHelp("How long what is in flight may take in the end.", valueName: "seconds"),
        transform: Accept.number(0...3_600, as: "10"))
    var drain = 10.0
    @OptionGroup var store: StoreOptions

    func run() async throws {
        _ = try store.path()
        var options = Server.Options()
        options.host = bind
        options.port = port
        options.socketPath = unix
        options.drainTime = .milliseconds(Int(drain * 1_000))
        let asked = options
        let isJSON = store.json
        try await store.withEngine(for: .creating) { engine in
            let logger = Logger(label: "loci") { StreamLogHandler.standardError(label: $0) }
            let server = Server(engine: engine, options: asked, logger: logger) { addresses in
                Self.tell(addresses, asJSON: isJSON)
            }
            let group = ServiceGroup(
                configuration: .init(
                    services: [.init(service: server)], gracefulShutdownSignals: [.sigterm, .sigint],
                    logger: Logger(label: "loci.lifecycle") { _ in SwiftLogNoOpLogHandler() }))
            do {
                try await group.run()
            } catch let error as ServiceGroupError {
                throw EngineError(.io, "the server stopped: \(error)")
            }
        }
    }

    /// One line for whoever waits for the server to be ready.
    private static func tell(_ addresses: Server.Addresses, asJSON: Bool) {
        if asJSON {
            var json = JSONWriter()
            json.beginObject()
            json.member("host", addresses.host)
            if let port = addresses.port { json.member("port", port) }
            json.member("socket", addresses.socketPath)
            json.endObject()
            return Terminal.print(json.text)
        }
        var places: [String] = []
        if let host = addresses.host, let port = addresses.port { places.append("\(host):\(port)") }
        if let path = addresses.socketPath { places.append(path) }
        Terminal.print(
            "listening at \(places.joined(separator: " and ")), for this machine only: there are no credentials"
        )
    }
}
