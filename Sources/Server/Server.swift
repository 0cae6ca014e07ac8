import Foundation
import Logging
import MemoryEngine
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import ServiceLifecycle

/// A store on the network, for clients that speak RESP, the protocol of Redis.
///
/// Without users it listens where nobody but this machine can reach it. The engine is the caller's, who closes it when
/// `run` has ended.
public struct Server: Service {
    /// Where a server listens, and what it allows.
    public struct Options: Sendable {
        /// An address of this machine, without users one of its loopback; `nil` = no TCP.
        public var host: String? = "127.0.0.1"
        /// 0 = one that is free.
        public var port = Self.defaultPort
        /// The path of a Unix domain socket, besides.
        public var socketPath: String?
        /// With it the port speaks TLS only; the socket never does.
        public var tls: TLSIdentity?
        /// Who may log in; `nil` = who reaches the server may do everything.
        public var users: Users?
        public var limits = WireLimits()
        public var maximumConnections = 10_000
        /// A connection that has sent nothing for so long is closed, unless it waits for a reply; zero = none is.
        public var idleLimit: Duration = .zero
        /// How long a command may take to arrive, from its first byte to its last.
        public var commandTime: Duration = .seconds(60)
        /// How long a client may leave replies where they are.
        public var patience: Duration = .seconds(60)
        /// How much memory long replies take that wait for their clients, over all connections; beyond it one is refused.
        public var longReplyByteCount = 384 << 20
        /// The port at which metrics can be fetched over HTTP, at /metrics; `nil` = at none, 0 = one that is free.
        public var metricsPort: Int?
        /// Metrics tell no content, so any address will do.
        public var metricsHost = "127.0.0.1"
        /// How long what is in flight may take once the server is to end.
        public var drainTime: Duration = .seconds(10)

        public static let defaultPort = 6_399

        public init() {}
    }

    /// Where it can be reached.
    public struct Addresses: Sendable, Equatable {
        public internal(set) var host: String?
        public internal(set) var port: Int?
        public internal(set) var socketPath: String?
        public internal(set) var metricsPort: Int?
    }

    private let engine: Engine
    private let options: Options
    private let logger: Logger
    private let metrics = ServerMetrics()
    private let isReady: @Sendable (Addresses) -> Void

    /// - Parameter isReady: called once, when clients can connect.
    public init(
        engine: Engine, options: Options = Options(), logger: Logger,
        isReady: @escaping @Sendable (Addresses) -> Void = { _ in }
    ) {
        self.engine = engine
        self.options = options
        self.logger = logger
        self.isReady = isReady
    }

    /// Serves until the task is cancelled or a graceful shutdown begins: then no connection is taken any more, and what is
    /// in flight is answered, for as long as the options allow.
    ///
    /// - Throws: `EngineError`: `forbidden` (an address that others could reach), `locked` (another process serves the store,
    ///   or writes to it), `io` (an address in use, or none).
    public func run() async throws {
        try Self.checkReach(options)
        let claim = try await engine.claimServing()
        let connections = Connections(maximumCount: options.maximumConnections, metrics: metrics)
        let (listening, socket) = try await listen(connections, claim)
        let done = listening.map(\.closeFuture)
        await withTaskCancellationOrGracefulShutdownHandler {
            for future in done { try? await future.get() }
        } onCancelOrGracefulShutdown: {
            for channel in listening { channel.close(promise: nil) }
        }
        // A task of its own, as this one may be cancelled, and then waits for nothing.
        await Task { await drain(connections) }.value
        socket?.remove()
        logger.info("ended")
        // Until here nobody else serves the store.
        withExtendedLifetime(claim) {}
    }

    /// Without users nobody but this machine may reach it.
    private static func checkReach(_ options: Options) throws {
        guard let host = options.host, options.users == nil, !isLoopback(host) else { return }
        throw EngineError(
            .forbidden,
            "\(host) can be reached from other machines, and whoever reaches it could read all; give the server users, or "
                + "bind 127.0.0.1, ::1 or localhost, or a Unix socket")
    }

    /// Sees that nothing else listens where a server is to, before a store is made for it.
    ///
    /// - Throws: `EngineError`: `io` where an address is in use or is none, `forbidden` as `run`.
    public static func probe(_ options: Options) async throws {
        try checkReach(options)
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        let places = [
            (options.host, options.port),
            (options.metricsPort == nil ? nil : options.metricsHost, options.metricsPort ?? 0),
        ]
        for case (let host?, let port) in places {
            do {
                try await bootstrap.bind(host: host, port: port).get().close()
            } catch {
                throw cannotListen(at: "\(host):\(port)", error)
            }
        }
        if let path = options.socketPath, await SocketFile.isServed(path) {
            throw cannotListen(at: path, IOError(errnoCode: EADDRINUSE, reason: "bind"))
        }
    }

    private static func cannotListen(at place: String, _ error: any Error) -> EngineError {
        let reason = (error as? IOError).map { SystemReason.text($0) }
        return EngineError(.io, "cannot listen at \(place): \(reason ?? "\(error)")")
    }

    /// Whether only this machine can reach an address.
    static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return parts.count == 4 && parts[0] == 127 && parts.allSatisfy { $0 != nil }
    }

    private func listen(
        _ connections: Connections, _ claim: ServingClaim?
    ) async throws -> (channels: [any Channel], socket: SocketFile?) {
        guard options.host != nil || options.socketPath != nil else {
            throw EngineError(.invalid, "a server needs a host or the path of a socket to listen at")
        }
        let began = ContinuousClock.now
        let commands = MemoryCommands(engine: engine)
        let (logger, limits, users) = (logger, options.limits, options.users)
        let tls = options.tls.map { RenewedIdentity($0, logger: logger) }
        let (times, metrics, maximumConnections) = (
            ConnectionHandler.Times(options), metrics, options.maximumConnections
        )
        let settings = ConnectionState.Settings()
        let longReplies = LongReplies(limit: options.longReplyByteCount)
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 512)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 256 << 10, high: 1 << 20))
            .childChannelInitializer { channel in
                let isLocal = channel.localAddress?.protocol == .unix
                let tls = isLocal ? nil : tls
                guard let id = connections.add(channel) else {
                    // Over TLS there is no word of refusal before both sides have calculated much.
                    return tls == nil ? channel.pipeline.addHandler(RefusalHandler()) : channel.close()
                }
                return channel.eventLoop.makeCompletedFuture {
                    if !isLocal { try channel.syncOptions?.setOption(.tcpOption(.tcp_nodelay), value: 1) }
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLServerHandler(context: tls.context()))
                    }
                    var facts = ConnectionState.Facts()
                    facts.limits = limits
                    facts.hasUsers = users != nil
                    facts.port = channel.localAddress?.port ?? 0
                    facts.settings = settings
                    facts.maximumConnections = maximumConnections
                    facts.connectionCount = { connections.count }
                    facts.statistics = { metrics.statistics }
                    facts.seconds = { Int((ContinuousClock.now - began).components.seconds) }
                    try channel.pipeline.syncOperations.addHandler(
                        ConnectionHandler(
                            state: ConnectionState(id: id, facts: facts), commands: commands, users: users,
                            address: LoginGate.address(channel.remoteAddress?.ipAddress ?? "unix"),
                            times: times, isOverTLS: tls != nil, longReplies: longReplies, metrics: metrics,
                            logger: logger))
                }
            }
        var channels: [any Channel] = []
        var socket: SocketFile?
        var addresses = Addresses()
        // Where it may be that it cannot listen.
        var place = "no address"
        do {
            if let host = options.host {
                place = "\(host):\(options.port)"
                let channel = try await bootstrap.bind(host: host, port: options.port).get()
                channels.append(channel)
                addresses.host = host
                addresses.port = channel.localAddress?.port
            }
            if let path = options.socketPath {
                place = path
                guard await !SocketFile.isServed(path) else {
                    throw IOError(errnoCode: EADDRINUSE, reason: "bind")
                }
                channels.append(
                    try await bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true)
                        .get())
                addresses.socketPath = path
                socket = SocketFile(path)
            }
            if let port = options.metricsPort {
                place = "\(options.metricsHost):\(port)"
                let channel = try await metricsBootstrap().bind(host: options.metricsHost, port: port).get()
                channels.append(channel)
                addresses.metricsPort = channel.localAddress?.port
            }
        } catch {
            for channel in channels { channel.close(promise: nil) }
            socket?.remove()
            throw Self.cannotListen(at: place, error)
        }
        logger.info(
            "listening",
            metadata: [
                "host": "\(addresses.host ?? "none")", "port": "\(addresses.port ?? 0)",
                "socket": "\(addresses.socketPath ?? "none")", "store": "\(engine.path)",
            ])
        let address = Self.connectable(
            addresses, isOverTLS: options.tls != nil, hasUsers: options.users != nil)
        if let address { claim?.tell(address) }
        isReady(addresses)
        return (channels, socket)
    }

    /// An address at which a program on this machine reaches a server, as `ServerAddress` reads it; `USER` stands for who
    /// logs in.
    static func connectable(_ addresses: Addresses, isOverTLS: Bool, hasUsers: Bool) -> String? {
        guard let host = addresses.host, let port = addresses.port, hasUsers || addresses.socketPath == nil
        else {
            return addresses.socketPath.map { "unix:" + URL(fileURLWithPath: $0).path }
        }
        let name = ["0.0.0.0", "::"].contains(host) ? "localhost" : host
        let scheme = isOverTLS ? "rediss://" : hasUsers ? "redis://" : ""
        return scheme + (hasUsers ? "USER@" : "") + (name.contains(":") ? "[\(name)]" : name) + ":\(port)"
    }

    /// What answers those who ask for metrics.
    private func metricsBootstrap() -> ServerBootstrap {
        let (metrics, connections) = (metrics, Connections(maximumCount: 16))
        return ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                guard connections.add(channel) != nil else { return channel.close() }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(MetricsHandler(metrics: metrics))
                }
            }
    }

    /// Lets connections finish what they were asked, and then ends them.
    private func drain(_ connections: Connections) async {
        let channels = connections.close()
        for channel in channels {
            channel.pipeline.fireUserInboundEventTriggered(ConnectionHandler.Drain())
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for channel in channels { try? await channel.closeFuture.get() } }
            group.addTask { [drainTime = options.drainTime] in
                try? await Task.sleep(for: drainTime)
                for channel in channels { channel.close(promise: nil) }
            }
            await group.next()
            group.cancelAll()
        }
    }
}
