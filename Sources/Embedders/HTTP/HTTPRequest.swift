/// A line of a head.
package struct HTTPHeader: Hashable, Sendable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }

    /// Whether it has the form that RFC 9110 gives a name.
    static func isName(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// Whether it is one line, so that nothing in it begins another.
    var isOneLine: Bool {
        Self.isName(name) && !value.isEmpty && value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }
}

/// What is asked of a server. Two equal ones ask the same, for the same person.
package struct HTTPRequest: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
    }

    package let method: Method
    package let url: String
    /// The server's name and port, for errors.
    package let host: String
    package let headers: [HTTPHeader]
    package let credential: HTTPCredential?
    package let body: [UInt8]
    /// Made once, as whoever looks for an equal request holds a lock meanwhile.
    private let bodyHash: Int

    /// - Throws: `HTTPError` with code `invalid`: an URL that is none of `http` or `https`, or has a user or the key in it; a
    ///   header that is not one line.
    /// - Precondition: a `get` has no body.
    package init(
        _ method: Method, _ url: String, headers: [HTTPHeader] = [], credential: HTTPCredential? = nil,
        body: [UInt8] = []
    ) throws {
        precondition(method == .post || body.isEmpty, "a GET with a body")
        guard let host = Self.host(of: url) else {
            throw HTTPError(.invalid, "an URL is not https://HOST/PATH or http://HOST/PATH")
        }
        if let credential, url.contains(credential.key) {
            throw HTTPError(.invalid, "the URL for \(host) has the key in it; give the key alone")
        }
        if let header = headers.first(where: { !$0.isOneLine }) {
            throw HTTPError(
                .invalid, "the header \(header.name.debugDescription) for \(host) is not one line")
        }
        self.method = method
        self.url = url
        self.host = host
        self.headers = headers
        self.credential = credential
        self.body = body
        bodyHash = body.hashValue
    }

    /// Looks whether an URL can stand before a path.
    ///
    /// - Throws: `HTTPError` with code `invalid`, which does not show it.
    static func check(base url: String) throws {
        guard let sign = url.first(where: { $0 == "?" || $0 == "#" }) else { return }
        throw HTTPError(
            .invalid, "an URL before a path has no `\(sign)`: leave it out, with what is behind it")
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(url)
        hasher.combine(bodyHash)
    }

    package var description: String { "\(method.rawValue) to \(host), \(body.count) bytes" }
    /// Without headers and body: they are the caller's.
    package var customMirror: Mirror { Mirror(self, children: ["description": description]) }

    /// The part between the slashes; `nil` where libcurl might see another one.
    private static func host(of url: String) -> String? {
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else { return nil }
        guard let scheme = ["https://", "http://"].first(where: url.hasPrefix) else { return nil }
        let host = url.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let isPlain = host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: ".-_:[]".utf8.contains(byte)
            }
        }
        return host.isEmpty || !isPlain ? nil : String(host)
    }
}

/// What a server answered.
package struct HTTPResponse: Sendable, Equatable {
    package let status: Int
    package let headers: [HTTPHeader]
    package let body: [UInt8]

    package init(status: Int, headers: [HTTPHeader] = [], body: [UInt8] = []) {
        (self.status, self.headers, self.body) = (status, headers, body)
    }

    /// Whether the server did what it was asked for.
    package var isSuccess: Bool { (200...299).contains(status) }

    /// The last value of a header, its name in any case.
    package func value(of name: String) -> String? {
        headers.last { $0.name.lowercased() == name.lowercased() }?.value
    }
}
