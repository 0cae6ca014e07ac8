import Foundation
import Logging
import MemoryEngine
import NIOCore
import NIOPosix
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
        /// Who may log in; `nil` = who reaches the server may do everything.
        public var users: Users?
        public var limits = WireLimits()
        public var maximumConnections = 10_000
        /// How long a client may leave replies where they are.
        public var patience: Duration = .seconds(60)
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
    }

    private let engine: Engine
    private let options: Options
    private let logger: Logger
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
    /// - Throws: `EngineError`: `forbidden` (an address that others could reach), `io` (an address in use, or none).
    public func run() async throws {
        if let host = options.host, options.users == nil, !Self.isLoopback(host) {
            throw EngineError(
                .forbidden,
                "\(host) can be reached from other machines, and whoever reaches it could read all; give the server users, or "
                    + "bind 127.0.0.1, ::1 or localhost, or a Unix socket")
        }
        let connections = Connections(maximumCount: options.maximumConnections)
        let listening = try await listen(connections)
        let done = listening.map(\.closeFuture)
        await withTaskCancellationOrGracefulShutdownHandler {
            for future in done { try? await future.get() }
        } onCancelOrGracefulShutdown: {
            for channel in listening { channel.close(promise: nil) }
        }
        // A task of its own, as this one may be cancelled, and then waits for nothing.
        await Task { await drain(connections) }.value
        if let path = options.socketPath { try? FileManager.default.removeItem(atPath: path) }
        logger.info("ended")
    }

    /// Whether only this machine can reach an address.
    static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return parts.count == 4 && parts[0] == 127 && parts.allSatisfy { $0 != nil }
    }

    private func listen(_ connections: Connections) async throws -> [any Channel] {
        let began = ContinuousClock.now
        let commands = MemoryCommands(engine: engine)
        let (logger, limits, users) = (logger, options.limits, options.users)
        let patience = TimeAmount(options.patience)
        let settings = ConnectionState.Settings()
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 512)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 256 << 10, high: 1 << 20))
            .childChannelInitializer { channel in
                guard let id = connections.add(channel) else {
                    return channel.pipeline.addHandler(RefusalHandler())
                }
                return channel.eventLoop.makeCompletedFuture {
                    if channel.localAddress?.protocol != .unix {
                        try channel.syncOptions?.setOption(.tcpOption(.tcp_nodelay), value: 1)
                    }
                    var facts = ConnectionState.Facts()
                    facts.limits = limits
                    facts.hasUsers = users != nil
                    facts.port = channel.localAddress?.port ?? 0
                    facts.settings = settings
                    facts.connectionCount = { connections.count }
                    facts.seconds = { Int((ContinuousClock.now - began).components.seconds) }
                    try channel.pipeline.syncOperations.addHandler(
                        ConnectionHandler(
                            state: ConnectionState(id: id, facts: facts), commands: commands, users: users,
                            patience: patience, logger: logger))
                }
            }
        var channels: [any Channel] = []
        var addresses = Addresses()
        do {
            if let host = options.host {
                let channel = try await bootstrap.bind(host: host, port: options.port).get()
                channels.append(channel)
                addresses.host = host
                addresses.port = channel.localAddress?.port
            }
            if let path = options.socketPath {
                channels.append(
                    try await bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true)
                        .get())
                addresses.socketPath = path
            }
        } catch {
            for channel in channels { channel.close(promise: nil) }
            let reason = (error as? IOError).map {
                NSError(domain: NSPOSIXErrorDomain, code: Int($0.errnoCode)).localizedDescription
            }
            throw EngineError(.io, "cannot listen at \(place(channels.isEmpty)): \(reason ?? "\(error)")")
        }
        guard !channels.isEmpty else {
            throw EngineError(.invalid, "a server needs a host or the path of a socket to listen at")
        }
        logger.info(
            "listening",
            metadata: [
                "host": "\(addresses.host ?? "none")", "port": "\(addresses.port ?? 0)",
                "socket": "\(addresses.socketPath ?? "none")", "store": "\(engine.path)",
            ])
        isReady(addresses)
        return channels
    }

    /// Where it could not listen.
    private func place(_ isFirst: Bool) -> String {
        if isFirst, let host = options.host { return "\(host):\(options.port)" }
        return options.socketPath ?? "no address"
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

/// The connections that are open.
private final class Connections: Sendable {
    private struct State {
        var next = 1
        var channels: [Int: any Channel] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())
    private let maximumCount: Int

    init(maximumCount: Int) { self.maximumCount = maximumCount }

    var count: Int { state.withLock { $0.channels.count } }

    /// Takes no more, and gives those that are open.
    func close() -> [any Channel] {
        state.withLock { state in
            state.isClosed = true
            return Array(state.channels.values)
        }
    }

    /// Takes a connection until it closes, and gives its number; `nil` where there are as many as are allowed, or none is
    /// taken any more.
    func add(_ channel: any Channel) -> Int? {
        let id: Int? = state.withLock { state in
            guard !state.isClosed, state.channels.count < maximumCount else { return nil }
            defer { state.next += 1 }
            state.channels[state.next] = channel
            return state.next
        }
        guard let id else { return nil }
        channel.closeFuture.whenComplete { [self] _ in
            state.withLock { _ = $0.channels.removeValue(forKey: id) }
        }
        return id
    }
}
