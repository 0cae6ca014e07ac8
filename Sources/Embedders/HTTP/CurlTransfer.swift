import CCurl
import MemoryEngine

/// One request on its way. All but `reply` is for the thread of the loop alone.
@safe
final class CurlTransfer: @unchecked Sendable {
    let reply = Awaited<HTTPResponse>()

    private let request: HTTPRequest
    private let within: Duration
    private let options: CurlTransport.Options

    // Safe because both are made in `begin` and freed in `end`, on one thread.
    private var easy: UnsafeMutableRawPointer?
    private var headers: UnsafeMutablePointer<curl_slist>?

    private var answered: [HTTPHeader] = []
    private var headByteCount = 0
    private var body: [UInt8] = []
    private var isTooLarge = false

    private static let maximumHeadByteCount = 64 << 10

    init(_ request: HTTPRequest, within: Duration, options: CurlTransport.Options) {
        (self.request, self.within, self.options) = (request, within, options)
    }

    /// Starts it, and gives the address of its handle; `nil` if it is over already.
    func begin(in multi: UnsafeMutableRawPointer) -> Int? {
        guard !reply.isGiven else { return nil }
        guard let easy = unsafe curl_easy_init() else {
            reply.give(.failure(HTTPError(.connection, "libcurl has no memory for a request")))
            return nil
        }
        unsafe self.easy = easy
        var status = unsafe setUp(easy)
        if status == CURLE_OK, unsafe curl_multi_add_handle(multi, easy) != CURLM_OK {
            status = CURLE_FAILED_INIT
        }
        guard status == CURLE_OK else {
            reply.give(
                .failure(
                    HTTPError(
                        .invalid, "libcurl refuses a request to \(request.host): \(Self.text(of: status))")))
            _ = unsafe end(in: multi)
            return nil
        }
        return Int(bitPattern: easy)
    }

    /// Frees what it holds, and gives the address that its handle had.
    func end(in multi: UnsafeMutableRawPointer) -> Int? {
        guard let easy = unsafe easy else { return nil }
        _ = unsafe curl_multi_remove_handle(multi, easy)
        unsafe curl_easy_cleanup(easy)
        unsafe curl_slist_free_all(headers)
        unsafe (self.easy, headers) = (nil, nil)
        return Int(bitPattern: easy)
    }

    /// Tells whoever waits what came of it.
    func finish(_ result: CURLcode) {
        var status = 0
        if let easy = unsafe easy { _ = unsafe curl_get_number(easy, CURLINFO_RESPONSE_CODE, &status) }
        guard result == CURLE_OK else { return reply.give(.failure(error(of: result))) }
        reply.give(.success(HTTPResponse(status: status, headers: answered, body: body)))
    }

    // MARK: Options

    private func setUp(_ easy: UnsafeMutableRawPointer) -> CURLcode {
        var refused = CURLE_OK
        func check(_ status: CURLcode) { if refused == CURLE_OK { refused = status } }
        func set(_ option: CURLoption, _ value: Int) { check(unsafe curl_set_number(easy, option, value)) }
        func set(_ option: CURLoption, _ value: String) { check(unsafe curl_set_bytes(easy, option, value)) }

        set(CURLOPT_URL, request.url)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS)
        // Rather wait for a connection that takes many requests at once than open another.
        set(CURLOPT_PIPEWAIT, 1)
        set(CURLOPT_TCP_KEEPALIVE, 1)
        // A signal would be the whole process's; a name that is still looked up does not hold up the thread.
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_QUICK_EXIT, 1)
        set(CURLOPT_TIMEOUT_MS, Self.milliseconds(within))
        set(CURLOPT_CONNECTTIMEOUT_MS, Self.milliseconds(options.connectTimeout))
        check(unsafe curl_set_size(easy, CURLOPT_MAXFILESIZE_LARGE, options.maximumReplyByteCount))
        set(CURLOPT_USERAGENT, "loci")
        if let proxy = options.proxy { set(CURLOPT_PROXY, proxy) }
        // A proxy that only passes bytes on does not see our headers.
        set(CURLOPT_HEADEROPT, Int(CURLHEADER_SEPARATE))
        set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        if let file = options.certificateFile {
            set(CURLOPT_CAINFO, file)
            // Else the folder of the system's certificates counts as well.
            check(unsafe curl_set_bytes(easy, CURLOPT_CAPATH, nil))
        }

        // An empty one keeps libcurl from asking first whether a large body is welcome, which takes a second where nobody
        // answers that.
        var lines = ["Expect:"] + request.headers.map { "\($0.name): \($0.value)" }
        if let credential = request.credential {
            lines.append("\(credential.header): \(credential.prefix)\(credential.key)")
        }
        for line in lines {
            guard let longer = unsafe curl_slist_append(headers, line) else { return CURLE_OUT_OF_MEMORY }
            unsafe headers = longer
        }
        check(unsafe curl_set_list(easy, CURLOPT_HTTPHEADER, headers))

        if request.method == .post {
            set(CURLOPT_POST, 1)
            check(unsafe curl_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, request.body.count))
            // Safe because libcurl copies as many bytes as it was told.
            unsafe request.body.withUnsafeBytes { bytes in
                check(
                    unsafe bytes.isEmpty
                        ? unsafe curl_set_bytes(easy, CURLOPT_COPYPOSTFIELDS, "")
                        : unsafe curl_set_bytes(easy, CURLOPT_COPYPOSTFIELDS, bytes.baseAddress))
            }
        }

        // Safe because the loop holds the transfer as long as libcurl has its handle.
        let address = unsafe Unmanaged.passUnretained(self).toOpaque()
        check(unsafe curl_set_receiver(easy, CURLOPT_WRITEFUNCTION, receiveBody, CURLOPT_WRITEDATA, address))
        check(
            unsafe curl_set_receiver(easy, CURLOPT_HEADERFUNCTION, receiveHead, CURLOPT_HEADERDATA, address))
        return refused
    }

    /// At least one, because 0 would be no bound at all.
    private static func milliseconds(_ duration: Duration) -> Int {
        let (seconds, attoseconds) = min(duration, .seconds(1_000_000)).components
        return max(1, Int(seconds) * 1_000 + Int(attoseconds / 1_000_000_000_000_000))
    }

    // MARK: What comes

    /// Takes a piece of the body; `false` ends the transfer.
    fileprivate func takeBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard body.count + bytes.count <= options.maximumReplyByteCount else {
            isTooLarge = true
            return false
        }
        unsafe body.append(contentsOf: bytes)
        return true
    }

    /// Takes a whole line of the head; `false` ends the transfer.
    fileprivate func takeHead(_ bytes: UnsafeRawBufferPointer) -> Bool {
        headByteCount += bytes.count
        guard headByteCount <= Self.maximumHeadByteCount else {
            isTooLarge = true
            return false
        }
        let line = unsafe String(decoding: bytes, as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            // What came before was not the last answer, as `100 Continue` is not.
            answered.removeAll()
        } else if let colon = line.firstIndex(of: ":") {
            let value = line[line.index(after: colon)...].drop(while: \.isWhitespace)
            let end = value.lastIndex { !$0.isWhitespace }.map(value.index(after:)) ?? value.startIndex
            answered.append(HTTPHeader(String(line[..<colon]), String(value[..<end])))
        }
        return true
    }

    private func error(of result: CURLcode) -> HTTPError {
        let host = request.host
        let reason = Self.text(of: result)
        switch result {
        case _ where isTooLarge, CURLE_FILESIZE_EXCEEDED:
            return HTTPError(
                .replyTooLarge,
                "the answer of \(host) is larger than \(options.maximumReplyByteCount) bytes, or its head than "
                    + "\(Self.maximumHeadByteCount)")
        case CURLE_OPERATION_TIMEDOUT: return HTTPError(.deadline, "\(host) gave no answer in time")
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR,
            CURLE_SSL_PINNEDPUBKEYNOTMATCH:
            return HTTPError(.certificate, "\(host) is not trusted: \(reason)")
        // An unsupported protocol is one of an answer that has no head: that of a request is looked at before.
        case CURLE_URL_MALFORMAT:
            return HTTPError(.invalid, "libcurl refuses the URL for \(host): \(reason)")
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT,
            CURLE_SSL_CONNECT_ERROR:
            return HTTPError(.connection, "the connection to \(host) failed: \(reason)", isUnsent: true)
        default: return HTTPError(.connection, "the connection to \(host) failed: \(reason)")
        }
    }

    // Safe because libcurl's texts are constants.
    private static func text(of code: CURLcode) -> String { unsafe String(cString: curl_easy_strerror(code)) }
}

// libcurl calls these on the thread that drives it. Safe because the bytes live during the call, and the transfer is held.

private func receiveBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ transfer: UnsafeMutableRawPointer?
) -> Int { unsafe receive(bytes, size * count, transfer) { unsafe $0.takeBody($1) } }

private func receiveHead(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ transfer: UnsafeMutableRawPointer?
) -> Int { unsafe receive(bytes, size * count, transfer) { unsafe $0.takeHead($1) } }

private func receive(
    _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int, _ transfer: UnsafeMutableRawPointer?,
    _ take: (CurlTransfer, UnsafeRawBufferPointer) -> Bool
) -> Int {
    guard let transfer = unsafe transfer else { return 0 }
    let transferred = unsafe Unmanaged<CurlTransfer>.fromOpaque(transfer).takeUnretainedValue()
    let isTaken = unsafe take(transferred, UnsafeRawBufferPointer(start: bytes, count: count))
    return isTaken ? count : refusedByteCount
}

/// What a receiver says that takes no more: no count of bytes that libcurl hands over.
private let refusedByteCount = -2
