import Foundation
import MemoryEngine

/// Where a server is, and who logs in there. Nothing that it prints tells the password.
///
///     HOST:PORT      redis://USER:PASSWORD@HOST:PORT      rediss://HOST (TLS)      unix:PATH
package struct ServerAddress: Sendable, Equatable {
    package enum Place: Sendable, Equatable {
        case host(String, port: Int)
        /// The path of a Unix domain socket.
        case socket(String)
    }

    package let place: Place
    package let isOverTLS: Bool
    /// Who logs in, if anybody does.
    package private(set) var user: String?
    package var password: String?
    /// A file in PEM with the certificates that are trusted; `nil` = those of the system.
    package var authority: String?

    /// How an address is written, for messages.
    package static let accepted =
        "HOST:PORT, redis://USER@HOST:PORT, rediss://USER@HOST:PORT for TLS, or unix:PATH"

    /// - Throws: `EngineError`: `invalid`. The message does not quote what may be a password.
    package init(_ text: String) throws(EngineError) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard !path.isEmpty, path.utf8.count < 108 else {
                throw EngineError(.invalid, "behind unix: stands the path of a socket, of at most 107 bytes")
            }
            place = .socket(path)
            isOverTLS = false
            return
        }
        let scheme = ["redis://", "rediss://"].first { text.hasPrefix($0) }
        isOverTLS = scheme == "rediss://"
        var rest = text.dropFirst(scheme?.count ?? 0)
        if let at = rest.lastIndex(of: "@") {
            let login = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                .map { String($0).removingPercentEncoding }
            guard scheme != nil, case let name?? = login.first, login.count < 2 || login[1] != nil else {
                throw Self.refusal
            }
            user = name.isEmpty ? "default" : name
            password = login.count > 1 ? login[1] : nil
            rest = rest[rest.index(after: at)...]
        }
        if scheme != nil, let slash = rest.firstIndex(of: "/") {
            // There is one database.
            guard ["/", "/0"].contains(rest[slash...]) else { throw Self.refusal }
            rest = rest[..<slash]
        }
        place = try Self.place(rest)
    }

    private static let refusal = EngineError(.invalid, "an address is \(accepted)")

    private static func place(_ text: Substring) throws(EngineError) -> Place {
        let colon: Substring.Index?
        var host: Substring
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<end]
            let behind = text.index(after: end)
            guard behind == text.endIndex || text[behind] == ":" else { throw refusal }
            colon = behind == text.endIndex ? nil : behind
        } else {
            colon = text.firstIndex(of: ":")
            host = text[..<(colon ?? text.endIndex)]
        }
        guard !host.isEmpty, host.allSatisfy({ !$0.isWhitespace && !"/?#".contains($0) }) else {
            throw refusal
        }
        guard let colon else { return .host(String(host), port: Server.Options.defaultPort) }
        guard let port = Int(text[text.index(after: colon)...]), (1...65_535).contains(port) else {
            throw refusal
        }
        return .host(String(host), port: port)
    }

    /// The same, with another's password for whoever logs in; the name is `default` where there was none.
    package func loggingIn(with password: String) -> ServerAddress {
        var address = self
        address.user = user ?? "default"
        address.password = password
        return address
    }
}

extension ServerAddress: CustomStringConvertible, CustomReflectable {
    package var description: String {
        switch place {
        case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .socket(let path): path
        }
    }

    package var customMirror: Mirror { Mirror(self, children: ["place": description]) }
}
