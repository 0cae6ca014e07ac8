import ArgumentParser
import Foundation
import Logging
import MemoryEngine
import Server
import ServiceLifecycle

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve the store to clients that speak RESP, the protocol of Redis.",
        usage: "loci serve [--bind <address>] [--port <number>] [--unix <path>] [--users <file>] [options]",
        discussion: """
            redis-cli and the Redis library of any language are clients:

              loci serve --store ~/memories
              redis-cli -p 6399 MEM.REMEMBER project/atlas "The deploy failed: its token had expired."
              redis-cli -p 6399 MEM.RECALL project/atlas "Why did the deploy fail?"

            Without users it listens on the loopback address only, and who reaches it may do everything. With \
            them (loci user) each connection logs in, may do what its user may, and what it writes is that user's; \
            what goes over the network is not encrypted. SIGTERM or SIGINT ends \
            it: what is in flight is answered first, for up to --drain seconds. docs/protocol.md lists the \
            commands.
            """)

    @Option(
        help: ArgumentHelp("The address to listen at.", valueName: "address"))
    var bind = "127.0.0.1"
    @Option(
        help: ArgumentHelp("The port to listen at; 0 takes one that is free.", valueName: "number"),
        transform: Accept.count(0...65_535, as: 6_399))
    var port = Server.Options.defaultPort
    @Option(
        help: ArgumentHelp("Listen at a Unix domain socket besides.", valueName: "path"), completion: .file())
    var unix: String?
    @Option(
        help: ArgumentHelp("The file of those who may log in.", valueName: "file"), completion: .file())
    var users: String?
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
        options.users = try users.map { try Users(contentsOf: $0) }
        options.drainTime = .milliseconds(Int(drain * 1_000))
        let asked = options
        let isJSON = store.json
        try await store.withEngine(for: .creating) { engine in
            let logger = Logger(label: "loci") { StreamLogHandler.standardError(label: $0) }
            let server = Server(engine: engine, options: asked, logger: logger) { addresses in
                Self.tell(addresses, hasUsers: asked.users != nil, asJSON: isJSON)
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
    private static func tell(_ addresses: Server.Addresses, hasUsers: Bool, asJSON: Bool) {
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
        let who = hasUsers ? "" : ", for this machine only: there are no users"
        Terminal.print("listening at \(places.joined(separator: " and "))\(who)")
    }
}
