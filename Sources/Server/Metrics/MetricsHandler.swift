import NIOCore
import NIOHTTP1

/// Answers `GET /metrics` over HTTP with the metrics, once in a connection.
final class MetricsHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let metrics: ServerMetrics
    private var asked: HTTPRequestHead?
    private var lateness: Scheduled<Void>?

    init(metrics: ServerMetrics) { self.metrics = metrics }

    /// Who takes longer for a request and its answer is shown the door.
    private static let patience = TimeAmount.seconds(10)

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        lateness = context.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        lateness?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): asked = head
        case .body: break
        case .end:
            guard let asked else { return }
            self.asked = nil
            let path = asked.uri.prefix { $0 != "?" }
            if path != "/metrics" {
                answer(.notFound, "The metrics are at /metrics.\n", context)
            } else if asked.method != .GET {
                answer(.methodNotAllowed, "GET is all there is.\n", context)
            } else {
                answer(.ok, metrics.text, context)
            }
        }
    }

    private func answer(_ status: HTTPResponseStatus, _ text: String, _ context: ChannelHandlerContext) {
        let body = ByteBuffer(string: text)
        let headers: HTTPHeaders = [
            "Content-Type": "text/plain; version=0.0.4; charset=utf-8",
            "Content-Length": "\(body.readableBytes)", "Connection": "close",
        ]
        let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
