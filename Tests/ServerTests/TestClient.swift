import Foundation

/// A client that waits for each answer, over a socket of its own. One thread at a time uses it.
final class TestClient: @unchecked Sendable {
    /// What a server sent.
    indirect enum Value: Equatable {
        case simple(String)
        case error(String)
        case integer(Int)
        case text(String?)
        case double(String)
        case boolean(Bool)
        case list([Value])
        case map([Member])

        struct Member: Equatable {
            let name: String
            let value: Value
            /// The name is no text in quotes.
            var isSimple = false
        }

        subscript(name: String) -> Value? {
            guard case .map(let members) = self else { return nil }
            return members.first { $0.name == name }?.value
        }

        var elements: [Value] {
            guard case .list(let elements) = self else { return [] }
            return elements
        }

        var string: String? {
            guard case .text(let text) = self else { return nil }
            return text
        }
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let handle: FileHandle
    private var buffer: [UInt8] = []
    private var start = 0

    convenience init(port: Int) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        try self.init(AF_INET, address, "port \(port)")
    }

    /// Over a Unix domain socket.
    convenience init(path: String) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        try self.init(AF_UNIX, address, path)
    }

    private init<Address>(_ family: Int32, _ address: Address, _ place: String) throws {
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(description: "no socket: \(errno)") }
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var wait = timeval(tv_sec: 900, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        let status = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
        guard status == 0 else { throw Failure(description: "cannot connect to \(place): \(errno)") }
    }

    func send(_ bytes: [UInt8]) throws { try handle.write(contentsOf: Data(bytes)) }

    func send(_ words: [String]) throws { try send(words.map { Array($0.utf8) }) }

    func send(_ words: [[UInt8]]) throws {
        var bytes = Array("*\(words.count)\r\n".utf8)
        for word in words { bytes += Array("$\(word.count)\r\n".utf8) + word + Array("\r\n".utf8) }
        try send(bytes)
    }

    func ask(_ words: String...) throws -> Value {
        try send(words)
        return try receive()
    }

    /// Waits until some of an answer has come.
    func waitForAnswer() throws { if start == buffer.count { _ = try fill() } }

    /// Goes, whatever is still to come.
    func close() { try? handle.close() }

    /// Says that no more is sent.
    func endSending() { shutdown(handle.fileDescriptor, Int32(SHUT_WR)) }

    /// Whether the server has closed the connection, and nothing is left to be read.
    func isAtEnd() throws -> Bool { try start == buffer.count && !fill() }

    /// All that comes until the server closes the connection.
    func receiveAll() throws -> String {
        while try fill() {}
        return String(decoding: buffer[start...], as: UTF8.self)
    }

    private func fill() throws -> Bool {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(handle.fileDescriptor, &bytes, bytes.count)
        if count < 0 {
            if errno == ECONNRESET { return false }
            throw Failure(description: "no answer: \(errno)")
        }
        if start == buffer.count {
            buffer.removeAll(keepingCapacity: true)
            start = 0
        }
        buffer += bytes[..<count]
        return count > 0
    }

    private func need(_ count: Int) throws {
        while buffer.count - start < count {
            guard try fill() else { throw Failure(description: "the server closed the connection") }
        }
    }

    private func line() throws -> String {
        var scanned = start
        while true {
            if let end = buffer[scanned...].firstIndex(of: 0x0a) {
                let line = String(decoding: buffer[start..<end - 1], as: UTF8.self)
                start = end + 1
                return line
            }
            let pending = buffer.count - start
            try need(pending + 1)
            scanned = start + pending
        }
    }

    func receive() throws -> Value {
        let line = try line()
        let rest = String(line.dropFirst())
        switch line.first {
        case "+": return .simple(rest)
        case "-": return .error(rest)
        case ":": return .integer(Int(rest) ?? .min)
        case ",": return .double(rest)
        case "#": return .boolean(rest == "t")
        case "_": return .text(nil)
        case "$", "=":
            guard let count = Int(rest), count >= 0 else { return .text(nil) }
            try need(count + 2)
            let text = String(decoding: buffer[start..<start + count], as: UTF8.self)
            start += count + 2
            return .text(line.first == "=" ? String(text.dropFirst(4)) : text)
        case "*": return .list(try (0..<max(0, Int(rest) ?? 0)).map { _ in try receive() })
        case "%":
            let members = try (0..<(Int(rest) ?? 0)).map { _ in
                switch try receive() {
                case .text(let name?): return Value.Member(name: name, value: try receive())
                case .simple(let name): return Value.Member(name: name, value: try receive(), isSimple: true)
                default: throw Failure(description: "a name is no text")
                }
            }
            return .map(members)
        default: throw Failure(description: "a reply begins with `\(line.prefix(20))`")
        }
    }
}

extension TestClient.Value {
    /// As `redis-cli -3` prints it.
    ///
    /// - Parameter margin: before every line but the first.
    func printed(margin: String = "") -> String {
        func column(
            _ count: Int, _ line: (Int) -> (mark: String, rest: String, value: TestClient.Value?)
        ) -> String {
            let width = String(count).count
            return (0..<count).map { place in
                let (mark, rest, value) = line(place)
                let number = String(place + 1)
                let begin = String(repeating: " ", count: width - number.count) + number + mark + " "
                let inner = margin + String(repeating: " ", count: begin.count)
                return (place == 0 ? "" : margin) + begin + rest + (value?.printed(margin: inner) ?? "")
            }.joined(separator: "\n")
        }
        switch self {
        case .simple(let text): return text
        case .error(let text): return "(error) " + text
        case .integer(let number): return "(integer) \(number)"
        case .text(nil): return "(nil)"
        case .text(let text?):
            return "\""
                + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing(
                    "\n", with: "\\n") + "\""
        case .double(let digits): return "(double) " + digits
        case .boolean(let flag): return flag ? "(true)" : "(false)"
        case .list([]): return "(empty array)"
        case .list(let elements): return column(elements.count) { (")", "", elements[$0]) }
        case .map([]): return "(empty hash)"
        case .map(let members):
            let inner = margin + String(repeating: " ", count: String(members.count).count + 2)
            return column(members.count) { place in
                let (name, value) = (members[place].name, members[place].value)
                let printed = value.printed(margin: inner)
                // A value of several lines begins below its name.
                let begin = printed.contains("\n") ? "\n" + inner : ""
                let shown = members[place].isSimple ? name : "\"\(name)\""
                return ("#", shown + " => " + begin + printed, nil)
            }
        }
    }
}
