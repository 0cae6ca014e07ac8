import Foundation
import MemoryEngine
import NIOCore
import NIOPosix
import NIOSSL

/// A connection to a server that speaks RESP 3, ours or another.
///
/// Commands may be sent from any task; they are answered in the order in which they were sent.
package final class Client: Sendable {
    /// A command: its words.
    package typealias Command = [[UInt8]]

    package let address: ServerAddress
    private let channel: any Channel
    /// How long a reply may take.
    private let patience: Duration
    /// Why no more replies come.
    private let failure: Mutex<EngineError?>

    /// Connects, chooses version 3 of the protocol, and logs in where the address says who.
    ///
    /// - Throws: `EngineError`: `io` (nobody listens, or it is no such server), `forbidden` (a wrong password), `notFound` and
    ///   `invalid` (the file of certificates).
    package static func connect(
        to address: ServerAddress, limits: ReplyLimits = ReplyLimits(), patience: Duration = .seconds(600)
    ) async throws -> Client {
        let tls = try address.isOverTLS ? Self.tls(address) : nil
        let name = "\(address)"
        let failure = Mutex<EngineError?>(nil)
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(30))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls.context, serverHostname: tls.hostname))
                    }
                    try channel.pipeline.syncOperations.addHandler(
                        ClientHandler(server: name, limits: limits, failure: failure))
                }
            }
        let channel: any Channel
        do {
            channel =
                switch address.place {
                case .host(let host, let port): try await bootstrap.connect(host: host, port: port).get()
                case .socket(let path): try await bootstrap.connect(unixDomainSocketPath: path).get()
                }
        } catch {
            throw EngineError(.io, "no server answers at \(name): \(reason(error))")
        }
        let client = Client(address: address, channel: channel, patience: patience, failure: failure)
        do {
            try await client.greet()
            return client
        } catch {
            await client.close()
            throw error
        }
    }

    private init(
        address: ServerAddress, channel: any Channel, patience: Duration, failure: Mutex<EngineError?>
    ) {
        (self.address, self.channel, self.patience, self.failure) = (address, channel, patience, failure)
    }

    private func greet() async throws {
        var words = ["HELLO", "3"]
        if let password = address.password { words += ["AUTH", address.user ?? "default", password] }
        let reply = try await ask(words.map { Array($0.utf8) }, within: .seconds(30))
        if case .error(let text) = reply {
            if text.hasPrefix("NOAUTH") {
                throw EngineError(
                    .forbidden,
                    "the server at \(address) wants a login: give its address as redis://USER@HOST:PORT, "
                        + "and the password in LOCI_PASSWORD")
            }
            if text.hasPrefix("WRONGPASS") {
                throw EngineError(
                    .forbidden,
                    "the server at \(address) refuses the login of `\(address.user ?? "default")`: "
                        + text.dropFirst("WRONGPASS ".count))
            }
            throw reply.refusal ?? EngineError(.io, text)
        }
        guard reply["proto"]?.whole == 3 else {
            throw EngineError(.io, "the server at \(address) does not speak version 3 of RESP")
        }
    }

    /// Sends a command, and waits for the reply, which may be an error.
    ///
    /// - Throws: `EngineError`: `io` (the connection ended, or what came is no reply), `deadline`.
    package func ask(_ command: Command, within patience: Duration? = nil) async throws -> Reply {
        try await ask([command], within: patience)[0]
    }

    /// Sends commands without waiting between them, and gives their replies.
    ///
    /// - Throws: as above. It is not known then which of them were run.
    package func ask(_ commands: [Command], within patience: Duration? = nil) async throws -> [Reply] {
        let loop = channel.eventLoop
        var futures: [EventLoopFuture<Reply>] = []
        for command in commands {
            let promise = loop.makePromise(of: Reply.self)
            futures.append(promise.futureResult)
            channel.write(ClientHandler.Request(command: command, reply: promise)).whenFailure { error in
                promise.fail(error)
            }
        }
        channel.flush()
        let (channel, name) = (channel, "\(address)")
        let waits = patience ?? self.patience
        let alarm = loop.scheduleTask(in: TimeAmount(waits)) {
            channel.pipeline.fireErrorCaught(
                EngineError(
                    .deadline, "the server at \(name) has not answered for \(waits.components.seconds) s"))
        }
        defer { alarm.cancel() }
        var replies: [Reply] = []
        do {
            for future in futures { replies.append(try await future.get()) }
        } catch let error as EngineError {
            throw error
        } catch {
            // Who writes to a connection that has ended is told that; why it ended was told before.
            throw failure.withLock { $0 }
                ?? EngineError(.io, "the connection to \(address) has ended: \(Self.reason(error))")
        }
        return replies
    }

    package func close() async {
        try? await channel.close()
    }

    private static func tls(
        _ address: ServerAddress
    ) throws -> (context: NIOSSLContext, hostname: String?) {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.shutdownTimeout = .seconds(1)
        if let authority = address.authority {
            configuration.trustRoots = .certificates(try TLSIdentity.certificates(authority))
        }
        var hostname: String?
        // An address of the network is compared with those in the certificate.
        if case .host(let host, let port) = address.place,
            (try? SocketAddress(ipAddress: host, port: port)) == nil
        {
            hostname = host
        }
        return (try NIOSSLContext(configuration: configuration), hostname)
    }

    /// What the system says of a failure.
    static func reason(_ error: any Error) -> String {
        switch error {
        case let error as EngineError: return error.message
        case let error as IOError: return SystemReason.text(error)
        case let error as NIOConnectionError:
            if let io = error.connectionErrors.first?.error as? IOError { return SystemReason.text(io) }
            return "there is no such host"
        case ChannelError.connectTimeout: return "it takes too long"
        case ChannelError.ioOnClosedChannel, ChannelError.alreadyClosed, ChannelError.eof:
            return "it is closed"
        case is NIOSSLError, is BoringSSLError:
            let text = "\(error)"
            if text.contains("CERTIFICATE_VERIFY_FAILED") {
                return
                    "its certificate is not one that is trusted here; name the file of its authority in LOCI_CA"
            }
            if text.contains("WRONG_VERSION_NUMBER") {
                return "it does not speak TLS; give its address as HOST:PORT or redis://"
            }
            return "TLS failed (\(text))"
        default: return "\(error)"
        }
    }
}

/// Sends commands and hands their replies to those who wait for them.
private final class ClientHandler: ChannelDuplexHandler {
    struct Request: Sendable {
        let command: Client.Command
        let reply: EventLoopPromise<Reply>
    }

    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Request
    typealias OutboundOut = ByteBuffer

    private let server: String
    private var decoder: ReplyDecoder
    private var waiting = CircularBuffer<EventLoopPromise<Reply>>()
    /// Why no more replies come, for whoever asks later.
    private let told: Mutex<EngineError?>
    private var failure: EngineError? {
        didSet { told.withLock { $0 = failure } }
    }

    init(server: String, limits: ReplyLimits, failure: Mutex<EngineError?>) {
        self.server = server
        told = failure
        decoder = ReplyDecoder(limits: limits)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let request = unwrapOutboundIn(data)
        if let failure {
            request.reply.fail(failure)
            promise?.fail(failure)
            return
        }
        waiting.append(request.reply)
        var buffer = context.channel.allocator.buffer(
            capacity: request.command.reduce(16) { $0 + $1.count + 16 })
        buffer.writeString("*\(request.command.count)\r\n")
        for word in request.command {
            buffer.writeString("$\(word.count)\r\n")
            buffer.writeBytes(word)
            buffer.writeString("\r\n")
        }
        context.write(wrapOutboundOut(buffer), promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard failure == nil else { return }
        decoder.append(unwrapInboundIn(data).readableBytesView)
        do {
            while let reply = try decoder.next() {
                guard let promise = waiting.popFirst() else {
                    // A server that is full says so before it is asked.
                    return fail(EngineError(.io, reply.refusal?.message ?? "a reply to nothing"), context)
                }
                promise.succeed(reply)
            }
        } catch {
            // A record of TLS that tells of an alert begins so (RFC 8446, section 5.1).
            let reason =
                decoder.begins(with: 0x15) ? "it wants TLS; give its address as rediss://" : error.message
            fail(EngineError(.io, "what answers at \(server) does not speak RESP: \(reason)"), context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(EngineError(.io, "the server at \(server) has closed the connection"), context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(
            error as? EngineError
                ?? EngineError(.io, "the connection to \(server) has ended: \(Client.reason(error))"), context
        )
    }

    private func fail(_ error: EngineError, _ context: ChannelHandlerContext) {
        guard failure == nil else { return }
        failure = error
        while let promise = waiting.popFirst() { promise.fail(error) }
        context.close(promise: nil)
    }
}
