import CoreMetrics
import Logging
import NIOCore
import NIOSSL
import NIOTLS

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

    /// How long it waits for its client.
    struct Times: Sendable {
        /// To send something; `nil` = for ever.
        var idle: TimeAmount?
        /// To send a command whole.
        var command = TimeAmount.seconds(60)
        /// To take what it was sent.
        var patience = TimeAmount.seconds(60)

        init() {}

        init(_ options: Server.Options) {
            idle = options.idleLimit > .zero ? TimeAmount(options.idleLimit) : nil
            command = TimeAmount(options.commandTime)
            patience = TimeAmount(options.patience)
        }
    }

    private var state: ConnectionState
    private let commands: MemoryCommands
    /// The same on the thread of the connection.
    private let commandsHere: MemoryCommands
    private let users: Users?
    /// From where, as wrong passwords are counted.
    private let address: String
    private let logger: Logger
    private let times: Times
    private let isOverTLS: Bool
    private let longReplies: LongReplies
    private let metrics: ServerMetrics

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
    /// Closes the connection unless the command that has begun comes whole.
    private var lateness: Scheduled<Void>?
    private var idleness: Scheduled<Void>?
    /// When the client last sent something, or was answered.
    private var lastSign = NIODeadline.uptimeNanoseconds(0)
    private var output: [UInt8] = []
    /// A long reply, of which some is still to be written.
    private var writer: ReplyWriter?
    /// The room that it takes among those of all connections.
    private var writerByteCount = 0
    /// When the command that was taken last began, which is when the one before it was answered.
    private var began = NIODeadline.now()
    /// When steps began to be taken.
    private var driven = NIODeadline.now()
    /// Reads that took less than `longestTurn` when they were asked for last.
    private var shortReads: Set<Read> = []
    /// The one that runs.
    private var runningRead: Read?
    /// The command that was timed last; the next one is most often the same.
    private var timed: (command: String, timer: Timer?) = ("", nil)

    init(
        state: ConnectionState, commands: MemoryCommands, users: Users?, address: String = "",
        times: Times = Times(), isOverTLS: Bool = false, longReplies: LongReplies, metrics: ServerMetrics,
        logger: Logger
    ) {
        self.state = state
        self.commands = commands
        commandsHere = commands.readingOnCallersThread()
        self.users = users
        self.address = address
        self.times = times
        self.isOverTLS = isOverTLS
        self.longReplies = longReplies
        self.metrics = metrics
        self.logger = logger
    }

    // MARK: What the channel tells

    func handlerAdded(context: ChannelHandlerContext) {
        lastSign = context.eventLoop.now
        watchIdleness(context)
        if isOverTLS {
            lateness = expire(context, in: times.command, .slow, "a handshake does not end; closed")
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Behind the end nothing is kept of what still comes.
        guard !isClosing else { return }
        lastSign = context.eventLoop.now
        let bytes = unwrapInboundIn(data).readableBytesView
        metrics.received(bytes.count)
        state.receive(bytes)
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
        stall = expire(context, in: times.patience, .unread, "a client takes nothing; closed")
    }

    /// Closes the connection at a time that another step may call off.
    private func expire(
        _ context: ChannelHandlerContext, in time: TimeAmount, _ ending: ServerMetrics.Ending,
        _ message: Logger.Message
    ) -> Scheduled<Void> {
        let channel = context.channel
        let (logger, metrics, id) = (logger, metrics, state.id)
        return context.eventLoop.scheduleTask(in: time) {
            logger.info(message, metadata: ["connection": "\(id)"])
            metrics.ended(ending)
            channel.close(promise: nil)
        }
    }

    /// Closes the connection when its client has been silent for so long. Who waits for a reply, or has replies to take,
    /// is not idle.
    private func watchIdleness(_ context: ChannelHandlerContext) {
        guard let limit = times.idle else { return }
        idleness = context.eventLoop.assumeIsolated().scheduleTask(deadline: lastSign + limit) { [self] in
            if isRunning || !context.channel.isWritable { lastSign = context.eventLoop.now }
            if lastSign + limit > context.eventLoop.now { return watchIdleness(context) }
            logger.info("a client is silent; closed", metadata: ["connection": "\(state.id)"])
            metrics.ended(.idle)
            end(context)
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
        case TLSUserEvent.handshakeCompleted:
            lateness?.cancel()
            lateness = nil
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// Whoever waits for changes waits no longer.
    private func stopWaiting() {
        if isWaiting { running?.cancel() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        for timer in [stall, lateness, idleness] { timer?.cancel() }
        isClosing = true
        running?.cancel()
        endWriting()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The client has closed its side without the farewell of TLS. What it sent is answered; commands tell their ends
        // themselves.
        if case NIOSSLError.uncleanShutdown = error { return }
        logger.debug("a connection failed", metadata: ["connection": "\(state.id)", "error": "\(error)"])
        context.close(promise: nil)
    }

    // MARK: Steps

    /// Takes steps until there is something to wait for, and sends their replies together.
    private func drive(_ context: ChannelHandlerContext) {
        guard !isInsideDrive else { return }
        isInsideDrive = true
        defer { isInsideDrive = false }
        began = .now()
        driven = began
        var isDone = false
        while !isDone, !isRunning, !isClosing, context.channel.isWritable {
            guard writer == nil else {
                write(context)
                continue
            }
            let step = state.next()
            isDone = step == .wait
            if !isDone || !state.isInsideCommand {
                lateness?.cancel()
                lateness = nil
            }
            take(step, context)
        }
        guard !isClosing else { return }
        flush(context)
        if isDone, state.isInsideCommand, lateness == nil {
            lateness = expire(context, in: times.command, .slow, "a command does not come whole; closed")
        }
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
            // Many such commands one after another are not short.
            if NIODeadline.now() - driven < Self.longestTurn, let reply = commands.answerNow(call) {
                return send(reply, context)
            }
            isWaiting = call.name == "MEM.CHANGES"
            // What was short is done here, which saves waking others.
            runningRead = Read(call)
            let commands = runningRead.map(shortReads.contains) ?? false ? commandsHere : commands
            begin(context, staysOnLoop: call.isRead) { .reply(await commands.run(call)) }
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
        lateness?.cancel()
        flush(context)
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in channel.close(promise: nil) }
        if channel.isActive { losePatience(context) }
    }

    private func send(_ reply: Reply, _ context: ChannelHandlerContext) {
        let byteCount = reply.footprint
        if reply.isWide || byteCount > Self.longByteCount {
            guard longReplies.take(byteCount) else { return send(LongReplies.refusal, context) }
            measure(reply)
            writerByteCount = byteCount
            writer = ReplyWriter(reply, state.version)
            return
        }
        measure(reply)
        reply.encode(state.version, into: &output)
        if output.count >= Self.flushedByteCount { flush(context) }
    }

    /// Writes some of a long reply: what the client does not take is not made.
    private func write(_ context: ChannelHandlerContext) {
        if writer?.write(into: &output, upTo: Self.flushedByteCount) ?? true { endWriting() }
        if writer != nil { flush(context) }
    }

    /// Lets go of a long reply, written or not.
    private func endWriting() {
        writer = nil
        longReplies.giveBack(writerByteCount)
        writerByteCount = 0
    }

    private func measure(_ reply: Reply) {
        let now = NIODeadline.now()
        if let command = state.command {
            if let read = runningRead.take() {
                // An error says nothing of how long an answer takes.
                let isShort = if case .error = reply { false } else { now - began < Self.longestTurn }
                if !isShort {
                    shortReads.remove(read)
                } else if shortReads.count < Self.shortReadCount {
                    shortReads.insert(read)
                }
            }
            if command != timed.command { timed = (command, metrics.timer(of: command)) }
            timed.timer?.recordNanoseconds((now - began).nanoseconds)
        }
        switch reply {
        case .error(let message): metrics.refused(with: message)
        case .array(let replies) where state.command == "EXEC":
            for case .error(let message) in replies { metrics.refused(with: message) }
        default: break
        }
        began = now
    }

    private static let flushedByteCount = 64 << 10
    /// A reply that takes more memory is written as the client takes it, however few its members are.
    private static let longByteCount = 1 << 20
    /// Others on the thread wait no longer for what is answered at once.
    private static let longestTurn = TimeAmount.milliseconds(2)
    private static let shortReadCount = 64

    private func flush(_ context: ChannelHandlerContext) {
        guard !output.isEmpty else { return }
        let buffer = ByteBuffer(bytes: output)
        metrics.sent(buffer.readableBytes)
        // First, as writing may tell that the channel is writable again, and so lead back to here.
        output.removeAll(keepingCapacity: output.capacity <= 4 * Self.flushedByteCount)
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    /// What the engine's side has found out.
    private enum Outcome: Sendable {
        case reply(Reply)
        case verified(Users.Login)
    }

    private func verify(_ name: String, _ password: [UInt8], _ context: ChannelHandlerContext) {
        guard let users else { return }
        let (address, logger, metrics, id) = (address, logger, metrics, state.id)
        begin(context) {
            do {
                let login = try await users.verify(name, password, from: address)
                if login.isRefused {
                    metrics.loginRefused()
                    logger.notice(
                        "a login was refused", metadata: ["connection": "\(id)", "address": "\(address)"])
                }
                return .verified(login)
            } catch {
                return .reply(.error("ERR \(error)"))
            }
        }
    }

    /// Begins what takes its time. Until it has an outcome, no further step is taken.
    ///
    /// - Parameter staysOnLoop: what of it waits for nothing runs on the thread of the connection, which saves waking two
    ///   others. Not for what may wait for the disk.
    private func begin(
        _ context: ChannelHandlerContext, staysOnLoop: Bool = false,
        _ work: @escaping @Sendable () async -> Outcome
    ) {
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        running = Task(executorPreference: staysOnLoop ? LoopExecutor(eventLoop) : nil) {
            let outcome = await work()
            if eventLoop.inEventLoop {
                bound.value.handler.finish(outcome, bound.value.context)
            } else {
                eventLoop.execute { bound.value.handler.finish(outcome, bound.value.context) }
            }
        }
    }

    private func finish(_ outcome: Outcome, _ context: ChannelHandlerContext) {
        running = nil
        isWaiting = false
        lastSign = context.eventLoop.now
        guard !isClosing else { return }
        switch outcome {
        case .reply(let reply): send(state.ran(reply), context)
        case .verified(let login): take(state.verified(login), context)
        }
        drive(context)
    }
}

/// What a read is of: what is short in one namespace may be long in another.
private struct Read: Hashable {
    let command: String
    let namespace: [UInt8]

    init?(_ call: ConnectionState.Call) {
        guard call.isRead, call.words.count > 1, !call.words.contains(where: { $0.equals("ALSO") }) else {
            return nil
        }
        (command, namespace) = (call.name, call.words[1])
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
