/// Carries requests by libcurl, over HTTP/2 where a server speaks it. Connections stay open for the next request.
///
/// All of them are driven by one thread of the transport's own, so that nobody's task blocks. It follows no redirect, so
/// that a key goes to the host that it was given for and to no other; it keeps no cookies, and reads no `.netrc`.
package final class CurlTransport: HTTPTransport {
    package struct Options: Sendable {
        /// More than the largest body that a service takes (20 MB).
        package var maximumBodyByteCount = 32 << 20
        /// 2,048 vectors of 3,072 components as text have about 64 MB.
        package var maximumReplyByteCount = 96 << 20
        /// How long a connection may take to come about, TLS included.
        package var connectTimeout = Duration.seconds(10)
        /// The URL of a proxy. `nil`: as the environment says (`https_proxy`, `no_proxy`, …); empty: none.
        package var proxy: String?
        /// A file of certificates (PEM) to trust, in the place of the system's.
        package var certificateFile: String?

        package init() {}
    }

    private let options: Options
    private let loop: CurlLoop

    /// - Throws: `HTTPError` with code `connection`, if libcurl cannot be started.
    package init(options: Options = Options()) throws {
        self.options = options
        loop = try CurlLoop()
    }

    // Every `send` holds the transport, so nothing is under way any more.
    deinit { loop.stop() }

    package func send(_ request: HTTPRequest, within: Duration) async throws -> HTTPResponse {
        guard request.body.count <= options.maximumBodyByteCount else {
            throw HTTPError(
                .bodyTooLarge,
                "a body of \(request.body.count) bytes for \(request.host) is larger than "
                    + "\(options.maximumBodyByteCount)")
        }
        try Task.checkCancellation()
        let transfer = CurlTransfer(request, within: within, options: options)
        return try await withTaskCancellationHandler {
            loop.start(transfer)
            return try await transfer.reply.value()
        } onCancel: {
            transfer.reply.give(.failure(CancellationError()))
            loop.end(transfer)
        }
    }
}
