import ArgumentParser
import Embedders
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
            them (loci user) each connection logs in, may do what its user may, and what it writes is that user's. \
            Without --tls-certificate and --tls-key what goes over the network is not encrypted. SIGTERM or SIGINT \
            ends it: what is in flight is answered first, for up to --drain seconds. docs/protocol.md lists the \
            commands, limits and metrics.

            What is not given as an option is read from the environment: the variable of --max-connections is \
            LOCI_SERVE_MAX_CONNECTIONS, and so on (of --store LOCI_STORE). Settings are no secrets: passwords and \
            keys stay in their files.

              loci serve --print-config
            """)

    @OptionGroup var settings: ServeSettings
    @OptionGroup var store: StoreOptions
    @Flag(help: "Print each setting, its value and where that is from, and serve nothing.")
    var printConfig = false

    func run() async throws {
        var (reader, store) = (SettingReader(), store)
        var options = try settings.options(&reader)
        try store.complete(&reader)
        for variable in reader.unknownVariables {
            Terminal.note("\(variable) is no setting; `loci serve --print-config` lists them")
        }
        if printConfig { return Self.print(reader.settings, asJSON: store.json) }
        // Nothing is made where nothing could be served.
        if !FileManager.default.fileExists(atPath: try store.path()) { try await Server.probe(options) }
        let allowed = max(1, FileLimit.raise(to: options.maximumConnections + Self.ownFiles) - Self.ownFiles)
        if allowed < options.maximumConnections {
            Terminal.note(
                "so few files may be open that there are at most \(Terminal.grouped(allowed)) connections; "
                    + "see `ulimit -n`")
            options.maximumConnections = allowed
        }
        let asked = options
        let isJSON = store.json
        let embedders = try store.embedders()
        for problem in embedders.wrong { Terminal.note("not used: \(problem)") }
        if let local = embedders.local {
            // The first question should not wait for it.
            do { try local.load() } catch {
                Terminal.note(
                    "not used: \(Failure(error).message); words answer in homes that have their vectors from it"
                )
            }
        }
        if embedders.local != nil || embedders.isService { Terminal.note(embedders.summary) }
        try await store.withEngine(for: .serving, embedders: embedders) { engine in
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

    /// Files that are kept for the homes that are open, and whatever else there is.
    private static let ownFiles = 600

    private static func print(_ settings: [SettingReader.Setting], asJSON: Bool) {
        let width = settings.map(\.name.count).max() ?? 0
        let valueWidth = settings.map { Terminal.columns($0.value ?? "-") }.max() ?? 0
        for setting in settings {
            if asJSON {
                Terminal.printObject { json in
                    json.member("name", setting.name)
                    json.member("value", setting.value)
                    json.member("source", setting.source.rawValue)
                }
            } else {
                Terminal.print(
                    "\(Terminal.padded(setting.name, to: width))  "
                        + "\(Terminal.padded(setting.value ?? "-", to: valueWidth))  \(setting.source.rawValue)"
                )
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
            if let port = addresses.metricsPort { json.member("metricsPort", port) }
            json.endObject()
            return Terminal.print(json.text)
        }
        var places: [String] = []
        if let host = addresses.host, let port = addresses.port { places.append("\(host):\(port)") }
        if let path = addresses.socketPath { places.append(path) }
        if let port = addresses.metricsPort { places.append("port \(port) (metrics)") }
        let who = hasUsers ? "" : ", for this machine only: there are no users"
        Terminal.print("listening at \(places.joined(separator: " and "))\(who)")
    }
}
