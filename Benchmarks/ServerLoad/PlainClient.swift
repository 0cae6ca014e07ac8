import ArgumentParser
import Glibc

/// A client with a plain socket, which waits in `recv` for each reply, as clients written in C do: what it measures is
/// the server and the system, and little of the client.
struct PlainClient: ~Copyable {
    private let socket: Int32
    private var received = [UInt8](repeating: 0, count: 1 << 16)

    /// - Throws: `ValidationError` where nobody listens.
    init(port: Int) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        // Safe because the address is as large as is said, and lives as long as the call.
        let isThere = unsafe withUnsafePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(socket, $0, size) == 0
            }
        }
        guard isThere else { throw ValidationError("nobody listens at the port \(port)") }
        var isOn: Int32 = 1
        unsafe setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close(socket) }

    /// Sends a command, and waits for the whole of its reply.
    ///
    /// - Throws: `ValidationError`: the server refuses it, or ends the connection.
    mutating func ask(_ command: [UInt8]) throws {
        // Safe because it is given as many bytes as it is told of.
        guard unsafe send(socket, command, command.count, Int32(MSG_NOSIGNAL)) == command.count
        else {
            throw ValidationError("the server takes no command")
        }
        var count = 0
        var reply = ReplyEnd()
        repeat {
            if count == received.count { received += [UInt8](repeating: 0, count: count) }
            // Safe because the buffer has so much room behind what was received.
            let more = unsafe received.withUnsafeMutableBytes { buffer in
                unsafe recv(socket, buffer.baseAddress.unsafelyUnwrapped + count, buffer.count - count, 0)
            }
            guard more > 0 else { throw ValidationError("the server ended the connection") }
            count += more
        } while !reply.isFound(in: received, count: count)
        if received[0] == UInt8(ascii: "-") {
            throw ValidationError("refused: \(String(decoding: received[..<count], as: UTF8.self))")
        }
    }
}

/// Finds where a reply of RESP 2 ends, in bytes that come bit by bit.
private struct ReplyEnd {
    /// Where the next value begins, and how many there are to come.
    private var place = 0
    private var wanted = 1

    mutating func isFound(in bytes: [UInt8], count: Int) -> Bool {
        while wanted > 0 {
            guard place < count else { return false }
            let kind = bytes[place]
            var next = place + 1
            var number = 0
            let isNegative = next < count && bytes[next] == UInt8(ascii: "-")
            while next < count, bytes[next] != UInt8(ascii: "\r") {
                number = number &* 10 &+ Int(bytes[next]) &- 48
                next += 1
            }
            next += 2
            if kind == UInt8(ascii: "$"), !isNegative { next += number + 2 }
            guard next <= count else { return false }
            if kind == UInt8(ascii: "*"), !isNegative { wanted += number }
            wanted -= 1
            place = next
        }
        return true
    }
}
