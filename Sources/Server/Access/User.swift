import MemoryEngine

/// What a user may do in a part of the store. Each right includes those before it.
public enum Right: String, Sendable, Comparable, CaseIterable {
    case read, write, admin

    public static func < (a: Right, b: Right) -> Bool { a.rank < b.rank }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// A right on all that lies in or below a namespace.
public struct Grant: Sendable, Equatable, CustomStringConvertible {
    public let right: Right
    /// `nil` = the whole store.
    public let subtree: Namespace?

    public init(_ right: Right, on subtree: Namespace?) {
        self.right = right
        self.subtree = subtree
    }

    /// Reads `read:user/ada`, `write:@acme` or `admin:*`.
    ///
    /// - Throws: `EngineError`: `invalid`, `invalidNamespace`.
    public init(_ text: String) throws {
        let parts = text.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let right = Right(rawValue: String(parts[0])) else {
            throw EngineError(
                .invalid,
                "`\(text.prefix(200))` is no grant; write read, write or admin, a colon, and a namespace, a tenant or `*`, as "
                    + "in write:project/atlas")
        }
        self.init(right, on: parts[1] == "*" ? nil : try Namespace(path: String(parts[1])))
    }

    public var description: String { "\(right.rawValue):\(subtree?.description ?? "*")" }
}

/// Who may log in, and what they may do then.
public struct User: Sendable, Equatable {
    public let name: String
    let password: PasswordHash
    public let grants: [Grant]

    /// - Throws: `EngineError.invalid` for a name that cannot be kept; `io`.
    public init(name: String, password: [UInt8], grants: [Grant]) throws {
        try Self.check(name: name)
        guard (1...Self.longestPassword).contains(password.count) else {
            throw EngineError(.invalid, "a password has 1 to \(Self.longestPassword) bytes")
        }
        self.name = name
        self.password = try PasswordHash(of: password)
        self.grants = grants
    }

    /// Reads a line of a file of users: name, hash and grants, between spaces.
    ///
    /// - Throws: `EngineError`: `invalid`, `invalidNamespace`.
    init(line: String) throws {
        let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
        guard words.count >= 2, let password = PasswordHash(words[1]) else {
            throw EngineError(.invalid, "a user is a name, a hash that `loci user` made, and grants")
        }
        try Self.check(name: words[0])
        name = words[0]
        self.password = password
        grants = try words.dropFirst(2).map(Grant.init)
    }

    /// The line that `init(line:)` reads.
    public var line: String { ([name, password.text] + grants.map(\.description)).joined(separator: " ") }

    /// Whether the right is granted on all of a namespace.
    func may(_ right: Right, in namespace: Namespace) -> Bool {
        grants.contains { $0.right >= right && ($0.subtree?.contains(namespace) ?? true) }
    }

    /// Whether the user may read something in a home.
    func mayReadSome(of home: Namespace) -> Bool {
        grants.contains { $0.subtree.map { $0.contains(home) || home.contains($0) } ?? true }
    }

    static let longestPassword = 512

    private static func check(name: String) throws {
        guard (1...128).contains(name.utf8.count),
            name.unicodeScalars.allSatisfy({ $0 > " " && $0 != "\u{7f}" && $0 != "#" })
        else {
            throw EngineError(
                .invalid, "the name of a user has 1 to 128 bytes, and no spaces, control characters or `#`")
        }
    }
}
