import Foundation
import Glibc
import MemoryEngine

/// A server on this machine whose answers are a test's, byte by byte. Each connection has a thread.
public final class LoopbackServer: Sendable {
    public struct Failure: Error {}

    /// What a client sent.
    public struct Request: Sendable {
        /// The number of its connection, from 0.
        public let connection: Int
        public let head: String
        public let body: [UInt8]
    }

    public let port: Int
    private let listener: Int32
    private let open = Mutex<[Int32]>([])

    /// Serves until the last reference goes: `answer` is called for each request, and what it gives is sent. `nil` ends the
    /// connection.
    public init(_ answer: @escaping @Sendable (Request, Connection) -> String?) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, pointer, &length) == 0
            }
        }
        guard status else { throw Failure() }
        self.listener = listener
        port = Int(UInt16(bigEndian: address.sin_port))
        let open = open
        Thread.detachNewThread {
            var count = 0
            while true {
                let socket = accept(listener, nil, nil)
                guard socket >= 0 else { break }
                _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
                open.withLock { $0.append(socket) }
                let connection = Connection(socket: socket, number: count)
                count += 1
                Thread.detachNewThread {
                    connection.serve(answer)
                    open.withLock { $0.removeAll { $0 == socket } }
                    close(socket)
                }
            }
            close(listener)
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        open.withLock { for socket in $0 { shutdown(socket, Int32(SHUT_RDWR)) } }
    }

    public func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

    /// An answer with its length.
    public static func reply(_ status: String, _ body: String = "", headers: [String] = []) -> String {
        (["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)"] + headers).joined(separator: "\r\n")
            + "\r\n\r\n" + body
    }
}

/// One connection of it.
public final class Connection: @unchecked Sendable {
    private let socket: Int32
    private let number: Int
    /// What was read and not used yet; for the thread of the connection alone.
    private var buffer: [UInt8] = []

    init(socket: Int32, number: Int) { (self.socket, self.number) = (socket, number) }

    func serve(_ answer: (LoopbackServer.Request, Connection) -> String?) {
        while let request = next() {
            guard let text = answer(request, self) else { return }
            send(text)
        }
    }

    public func send(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Waits until the other side has ended the connection.
    public func waitForEnd() { while read() {} }

    private func next() -> LoopbackServer.Request? {
        let blank = Array("\r\n\r\n".utf8)
        var end = buffer.firstRange(of: blank)
        while end == nil {
            guard read() else { return nil }
            end = buffer.firstRange(of: blank)
        }
        guard let end else { return nil }
        let head = String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
        let length = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
        let count = length.flatMap { Int($0.dropFirst("content-length:".count).drop { $0 == " " }) } ?? 0
        buffer.removeSubrange(..<end.upperBound)
        while buffer.count < count { guard read() else { return nil } }
        let body = Array(buffer.prefix(count))
        buffer.removeFirst(count)
        return LoopbackServer.Request(connection: number, head: head, body: body)
    }

    private func read() -> Bool {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(socket, &bytes, bytes.count, 0)
        guard count > 0 else { return false }
        buffer += bytes.prefix(count)
        return true
    }
}
