import Dispatch
import NIOCore
import NIOPosix

/// A reply of a server, as much as a load looks at.
struct LoadReply: Sendable {
    /// What the server refused.
    var error: String?
    /// The strings of an array, or the one that it is, if they are kept.
    var items: [[UInt8]] = []
}

/// Takes whole replies of RESP 2 from bytes as they come.
struct ReplyReader {
    let keepsItems: Bool
    private var bytes: [UInt8] = []
    private var place = 0

    init(keepsItems: Bool) { self.keepsItems = keepsItems }

    mutating func append(_ more: ByteBuffer) {
        if place == bytes.count {
            bytes.removeAll(keepingCapacity: true)
            place = 0
        }
        bytes.append(contentsOf: more.readableBytesView)
    }

    /// The next reply; `nil` if it is not whole yet.
    mutating func next() -> LoadReply? {
        let start = place
        var reply = LoadReply()
        guard read(into: &reply) else {
            place = start
            return nil
        }
        return reply
    }

    private mutating func read(into reply: inout LoadReply) -> Bool {
        var end = place
        while end < bytes.count, bytes[end] != UInt8(ascii: "\r") { end += 1 }
        guard end + 1 < bytes.count else { return false }
        let kind = bytes[place]
        let rest = place + 1..<end
        place = end + 2
        switch kind {
        case UInt8(ascii: "-"): reply.error = String(decoding: bytes[rest], as: UTF8.self)
        case UInt8(ascii: "$"):
            guard let count = number(rest) else { return true }
            guard bytes.count - place >= count + 2 else { return false }
            if keepsItems { reply.items.append(Array(bytes[place..<place + count])) }
            place += count + 2
        case UInt8(ascii: "*"):
            for _ in 0..<(number(rest) ?? 0) {
                guard read(into: &reply) else { return false }
            }
        default: if keepsItems { reply.items.append(Array(bytes[rest])) }
        }
        return true
    }

    /// A number of digits; `nil` where it is below 0.
    private func number(_ range: Range<Int>) -> Int? {
        guard bytes[range.lowerBound] != UInt8(ascii: "-") else { return nil }
        return bytes[range].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }
}

/// Commands as they are sent.
enum LoadCommand {
    static func bytes(_ words: [String]) -> [UInt8] {
        var buffer = ByteBuffer()
        encode(words.map { Array($0.utf8) }, into: &buffer)
        return Array(buffer.readableBytesView)
    }

    static func encode(_ words: [[UInt8]], into buffer: inout ByteBuffer) {
        buffer.writeString("*\(words.count)\r\n")
        for word in words {
            buffer.writeString("$\(word.count)\r\n")
            buffer.writeBytes(word)
            buffer.writeString("\r\n")
        }
    }
}

/// What connections send, and what becomes of the replies. Only the event loop of the connections calls it.
protocol LoadSource: AnyObject, Sendable {
    /// Whether it looks at more than errors.
    var keepsItems: Bool { get }
    /// The next batch, and how many replies it has; `nil` at the end.
    func next() -> (bytes: ByteBuffer, count: Int)?
    /// Takes how many nanoseconds a batch took, and its replies.
    func take(_ nanoseconds: UInt64, _ replies: [LoadReply])
}

/// One connection that sends a batch of commands, waits for its replies, and sends the next.
final class LoadConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let source: any LoadSource
    private let done: EventLoopPromise<Void>
    private var reader: ReplyReader
    private var replies: [LoadReply] = []
    private var wanted = 0
    private var start: UInt64 = 0

    init(_ source: any LoadSource, done: EventLoopPromise<Void>) {
        self.source = source
        reader = ReplyReader(keepsItems: source.keepsItems)
        self.done = done
    }

    func channelActive(context: ChannelHandlerContext) { send(context) }

    private func send(_ context: ChannelHandlerContext) {
        guard let (bytes, count) = source.next() else {
            done.succeed()
            context.close(promise: nil)
            return
        }
        wanted = count
        replies.removeAll(keepingCapacity: true)
        start = DispatchTime.now().uptimeNanoseconds
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        reader.append(unwrapInboundIn(data))
        while replies.count < wanted, let reply = reader.next() { replies.append(reply) }
        guard replies.count == wanted else { return }
        source.take(DispatchTime.now().uptimeNanoseconds - start, replies)
        send(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        done.fail(ChannelError.eof)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        done.fail(error)
        context.close(promise: nil)
    }
}
