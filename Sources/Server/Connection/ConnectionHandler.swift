import Logging
import NIOCore

/// Drives the state of a connection over a channel.
///
/// While a command is with the engine, and while the client does not take what it was sent, no further command is begun
/// and nothing is read, so that a client can make the server keep little more than `WireLimits` allows.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Tells a connection to end when all that was sent is answered.
    struct Drain: Sendable {}

    private var state: ConnectionState
    private let commands: MemoryCommands
    private let users: Users?
    private let logger: Logger
    /// How long a client may leave what it was sent where it is.
    private let patience: TimeAmount

    /// The command that is with the engine.
    private var running: Task<Void, Never>?
    private var isRunning: Bool { running != nil }
    /// It may only be waiting for something to happen.
    private var isWaiting = false
    private var isInsideDrive = false
    private var isDraining = false
    /// The client sends no more.
    private var isInputClosed = false
    private var isClosing = false
    private var isReadHeld = false
    private var stall: Scheduled<Void>?
    private var output: [UInt8] = []

    init(
        state: ConnectionState, commands: MemoryCommands, users: Users?, patience: TimeAmount, logger: Logger
    ) {
        self.state = state
        self.commands = commands
        self.users = users
        self.patience = patience
        self.logger = logger
    }

    // MARK: What the channel tells

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Behind the end nothing is kept of what still comes.
        guard !isClosing else { return }
        state.receive(unwrapInboundIn(data).readableBytesView)
        drive(context)
    }

    func read(context: ChannelHandlerContext) {
        if isRunning || !context.channel.isWritable { isReadHeld = true } else { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            stall?.cancel()
            stall = nil
            drive(context)
        } else {
            losePatience(context)
        }
        context.fireChannelWritabilityChanged()
    }

    /// Closes the connection in a while, unless the client takes what it was sent.
    private func losePatience(_ context: ChannelHandlerContext) {
        guard stall == nil else { return }
        let channel = context.channel
        let (logger, id) = (logger, state.id)
        stall = context.eventLoop.scheduleTask(in: patience) {
            logger.info("a client takes nothing; closed", metadata: ["connection": "\(id)"])
            channel.close(promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is Drain:
            isDraining = true
            stopWaiting()
            drive(context)
        case ChannelEvent.inputClosed:
            isInputClosed = true
            stopWaiting()
            drive(context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// Whoever waits for changes waits no longer.
    private func stopWaiting() {
        if isWaiting { running?.cancel() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        stall?.cancel()
        isClosing = true
        running?.cancel()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        logger.debug("a connection failed", metadata: ["connection": "\(state.id)", "error": "\(error)"])
        context.close(promise: nil)
    }

    // MARK: Steps

    /// Takes steps until there is something to wait for, and sends their replies together.
    private func drive(_ context: ChannelHandlerContext) {
        guard !isInsideDrive else { return }
        isInsideDrive = true
        defer { isInsideDrive = false }
        var isDone = false
        while !isDone, !isRunning, !isClosing, context.channel.isWritable {
            let step = state.next()
            isDone = step == .wait
            take(step, context)
        }
        guard !isClosing else { return }
        flush(context)
        if isDone, isDraining || isInputClosed {
            end(context)
        } else if isReadHeld, !isRunning, !isClosing, context.channel.isWritable {
            isReadHeld = false
            context.read()
        }
    }

    private func take(_ step: ConnectionState.Step, _ context: ChannelHandlerContext) {
        switch step {
        case .wait: break
        case .reply(let reply): send(reply, context)
        case .run(let call):
            isWaiting = call.name == "MEM.CHANGES"
            begin(context) { [commands] in .reply(await commands.run(call)) }
        case .verify(let name, let password): verify(name, password, context)
        case .close(let reply):
            if let reply { send(reply, context) }
            end(context)
        }
    }

    /// Ends the connection when all that was sent has left.
    private func end(_ context: ChannelHandlerContext) {
        guard !isClosing else { return }
        isClosing = true
        flush(context)
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in channel.close(promise: nil) }
        if channel.isActive { losePatience(context) }
    }

    private func send(_ reply: Reply, _ context: ChannelHandlerContext) {
        reply.encode(state.version, into: &output)
        if output.count >= Self.flushedByteCount { flush(context) }
    }

    private static let flushedByteCount = 64 << 10

    private func flush(_ context: ChannelHandlerContext) {
        guard !output.isEmpty else { return }
        let buffer = ByteBuffer(bytes: output)
        // First, as writing may tell that the channel is writable again, and so lead back to here.
        output.removeAll(keepingCapacity: output.capacity <= 4 * Self.flushedByteCount)
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    /// What the engine's side has found out.
    private enum Outcome: Sendable {
        case reply(Reply)
        case verified(User?)
    }

    private func verify(_ name: String, _ password: [UInt8], _ context: ChannelHandlerContext) {
        let (users, logger, id) = (users, logger, state.id)
        begin(context) {
            do {
                let user = try await users?.verify(name, password)
                if user == nil { logger.notice("a login was refused", metadata: ["connection": "\(id)"]) }
                return .verified(user)
            } catch {
                return .reply(.error("ERR \(error)"))
            }
        }
    }

    /// Begins what takes its time. Until it has an outcome, no further step is taken.
    private func begin(_ context: ChannelHandlerContext, _ work: @escaping @Sendable () async -> Outcome) {
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        running = Task {
            let outcome = await work()
            eventLoop.execute { bound.value.handler.finish(outcome, bound.value.context) }
        }
    }

    private func finish(_ outcome: Outcome, _ context: ChannelHandlerContext) {
        running = nil
        isWaiting = false
        guard !isClosing else { return }
        switch outcome {
        case .reply(let reply): send(reply, context)
        case .verified(let user): take(state.verified(user), context)
        }
        drive(context)
    }
}

/// Tells a client that there are too many, and closes the connection.
final class RefusalHandler: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        let refusal = ByteBuffer(string: "-ERR max number of clients reached\r\n")
        context.writeAndFlush(wrapOutboundOut(refusal)).whenComplete { _ in channel.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
}
