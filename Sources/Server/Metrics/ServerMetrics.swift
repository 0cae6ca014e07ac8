import CoreMetrics

/// What a server counts of itself.
final class ServerMetrics: Sendable {
    /// Why the server ended a connection by itself.
    enum Ending: String {
        case idle
        /// It took nothing of what it was sent.
        case unread
        /// A command, or a handshake, did not come whole.
        case slow
    }

    private let registry = MetricsRegistry()
    private let open: Meter
    private let accepted: Counter
    private let refused: Counter
    private let received: Counter
    private let sent: Counter
    private let loginsRefused: Counter
    private let commands: [String: Timer]

    private enum Name {
        static let open = "loci_connections_open"
        static let accepted = "loci_connections_accepted_total"
        static let refused = "loci_connections_refused_total"
        static let ended = "loci_connections_ended_total"
        static let received = "loci_received_bytes_total"
        static let sent = "loci_sent_bytes_total"
        static let loginsRefused = "loci_logins_refused_total"
        static let commands = "loci_command_seconds"
        static let errors = "loci_errors_total"
    }

    init() {
        open = Meter(label: Name.open, factory: registry)
        accepted = Counter(label: Name.accepted, factory: registry)
        refused = Counter(label: Name.refused, factory: registry)
        received = Counter(label: Name.received, factory: registry)
        sent = Counter(label: Name.sent, factory: registry)
        loginsRefused = Counter(label: Name.loginsRefused, factory: registry)
        let registry = registry
        commands = Dictionary(
            uniqueKeysWithValues: CommandTable.entries.map { entry in
                let timer = Timer(
                    label: Name.commands, dimensions: [("command", entry.name.lowercased())],
                    factory: registry)
                return (entry.name, timer)
            })
    }

    /// All of it, in the text format of Prometheus.
    var text: String { registry.text }

    func connectionOpened() {
        accepted.increment()
        open.increment()
    }

    func connectionClosed() { open.decrement() }
    func connectionRefused() { refused.increment() }

    func ended(_ ending: Ending) {
        Counter(label: Name.ended, dimensions: [("reason", ending.rawValue)], factory: registry).increment()
    }

    func received(_ byteCount: Int) { received.increment(by: byteCount) }
    func sent(_ byteCount: Int) { sent.increment(by: byteCount) }
    func loginRefused() { loginsRefused.increment() }

    /// What times a command, from its beginning to its reply.
    func timer(of command: String) -> Timer? { commands[command] }

    /// - Parameter message: of the reply; its first word is one of ours, so there are few.
    func refused(with message: String) {
        let kind = String(message.prefix { $0 != " " })
        Counter(label: Name.errors, dimensions: [("kind", kind)], factory: registry).increment()
    }

    /// What INFO tells, by the names that Redis has for it.
    var statistics: [(String, String)] {
        [
            ("total_connections_received", Name.accepted), ("total_commands_processed", Name.commands),
            ("total_net_input_bytes", Name.received), ("total_net_output_bytes", Name.sent),
            ("rejected_connections", Name.refused), ("total_error_replies", Name.errors),
        ].map { ($0.0, "\(registry.total($0.1))") }
    }
}
