import ArgumentParser
import Embedders
import MemoryEngine
import Server

/// What a server goes by. An option that is not given may stand in the environment, so all are read as texts, and checked
/// by `options(_:)`.
struct ServeSettings: ParsableArguments {
    @Option(help: ArgumentHelp("The address to listen at (127.0.0.1).", valueName: "address"))
    var bind: String?
    @Option(
        help: ArgumentHelp("The port to listen at (6399); 0 takes one that is free.", valueName: "number"))
    var port: String?
    @Option(
        help: ArgumentHelp("Listen at a Unix domain socket besides.", valueName: "path"), completion: .file())
    var unix: String?
    @Option(
        help: ArgumentHelp("The file of those who may log in.", valueName: "file"), completion: .file())
    var users: String?
    @Option(
        help: ArgumentHelp(
            "The certificate of the server, in PEM, others of its chain behind it: the port speaks TLS only.",
            valueName: "file"),
        completion: .file())
    var tlsCertificate: String?
    @Option(
        help: ArgumentHelp("The certificate's private key, in PEM.", valueName: "file"), completion: .file())
    var tlsKey: String?
    @Option(
        help: ArgumentHelp("Clients show a certificate that one of these signed.", valueName: "file"),
        completion: .file())
    var tlsClientCa: String?
    @Option(
        help: ArgumentHelp(
            "Tell Prometheus metrics at this port, at /metrics; 0 takes one that is free.",
            valueName: "number"))
    var metricsPort: String?
    @Option(help: ArgumentHelp("The address of that port (127.0.0.1).", valueName: "address"))
    var metricsBind: String?
    @Option(help: ArgumentHelp("Connections at once (10,000).", valueName: "count"))
    var maxConnections: String?
    @Option(help: ArgumentHelp("The longest argument of a command (64M).", valueName: "size"))
    var maxArgument: String?
    @Option(
        help: ArgumentHelp(
            "Close a connection that has sent nothing for so long; 0 (by default) never does.",
            valueName: "seconds"))
    var idle: String?
    @Option(help: ArgumentHelp("How long a command may take to arrive (60).", valueName: "seconds"))
    var commandTime: String?
    @Option(help: ArgumentHelp("How long a client may leave its replies (60).", valueName: "seconds"))
    var patience: String?
    @Option(help: ArgumentHelp("How long what is in flight may take in the end (10).", valueName: "seconds"))
    var drain: String?

    /// Reads everything, and checks it.
    func options(_ reader: inout SettingReader) throws -> Server.Options {
        let usual = Server.Options()
        var options = Server.Options()
        options.host = try reader.value("bind", bind, default: "127.0.0.1", Self.text)
        options.port = try reader.value(
            "port", port, default: "\(usual.port)", Accept.count(0...65_535, as: 6_399))
        options.socketPath = try reader.optional("unix", unix, Self.text)
        options.users = try reader.optional("users", users, Self.text).map { try Users(contentsOf: $0) }
        options.tls = try identity(&reader)
        options.metricsPort = try reader.optional(
            "metrics-port", metricsPort, Accept.count(0...65_535, as: 9_399))
        options.metricsHost = try reader.value(
            "metrics-bind", metricsBind, default: usual.metricsHost, Self.text)
        options.maximumConnections = try reader.value(
            "max-connections", maxConnections, default: "\(usual.maximumConnections)",
            Accept.count(1...1_000_000, as: 10_000))
        options.limits.argumentByteCount = try reader.value(
            "max-argument", maxArgument, default: "64M", Self.argumentByteCount)
        options.limits.commandByteCount = max(
            usual.limits.commandByteCount, options.limits.argumentByteCount)
        options.idleLimit = try seconds("idle", idle, "0", 0...31_536_000, &reader)
        options.commandTime = try seconds("command-time", commandTime, "60", 1...86_400, &reader)
        options.patience = try seconds("patience", patience, "60", 1...86_400, &reader)
        options.drainTime = try seconds("drain", drain, "10", 0...3_600, &reader)
        return options
    }

    private func identity(_ reader: inout SettingReader) throws -> TLSIdentity? {
        let certificate = try reader.optional("tls-certificate", tlsCertificate, Self.text)
        let key = try reader.optional("tls-key", tlsKey, Self.text)
        let authority = try reader.optional("tls-client-ca", tlsClientCa, Self.text)
        switch (certificate, key) {
        case (let certificate?, let key?):
            return try TLSIdentity(certificate: certificate, key: key, clientAuthority: authority)
        case (nil, nil) where authority == nil: return nil
        default: throw ValidationError("TLS needs both: --tls-certificate and --tls-key")
        }
    }

    private func seconds(
        _ name: String, _ option: String?, _ usual: String, _ range: ClosedRange<Double>,
        _ reader: inout SettingReader
    ) throws -> Duration {
        let accept = Accept.number(range, as: usual == "0" ? "300" : usual)
        return .milliseconds(Int(try reader.value(name, option, default: usual, accept) * 1_000))
    }

    private static func text(_ text: String) throws -> String {
        guard !text.isEmpty else { throw ValidationError("write something, or leave it out") }
        return text
    }

    private static func argumentByteCount(_ text: String) throws -> Int {
        let byteCount = try Accept.size(text).byteCount
        guard (64 << 10...512 << 20).contains(byteCount) else {
            throw ValidationError("write a size from 64K to 512M, as 64M")
        }
        return byteCount
    }
}

extension StoreOptions {
    /// Reads what a server says of its store from the environment too.
    mutating func complete(_ reader: inout SettingReader) throws {
        store = try reader.optional("store", store, variable: "LOCI_STORE") { $0 }
        principal = try reader.optional("principal", principal) { $0 }
        embedder = try reader.value(
            "embedder", embedder?.rawValue, default: AvailableEmbedders.Preference.auto.rawValue, Self.choice)
        media = try reader.optional(
            "media", media?.map(\.rawValue).joined(separator: ","), Accept.media)
        durability = try reader.value(
            "durability", durability?.rawValue, default: Durability.commit.rawValue, Self.choice)
        quota = try reader.value("quota", quota.map { "\($0.byteCount)" }, default: "64G", Accept.size)
        wait = try reader.value("wait", wait.map { "\($0)" }, default: "0", Self.wait)
    }

    private static func choice<Value: RawRepresentable<String> & CaseIterable>(_ text: String) throws -> Value
    {
        guard let value = Value(rawValue: text) else {
            let names = Value.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("write one of \(names)")
        }
        return value
    }
}
