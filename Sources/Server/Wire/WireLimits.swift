/// The bounds of what a connection may send. What is beyond one of them is refused with an error that names it, and the
/// connection is closed, since where the next command begins is not known then.
public struct WireLimits: Sendable, Equatable {
    /// The longest line: a command in words, or a count.
    public var lineByteCount = 64 << 10
    /// The longest argument.
    public var argumentByteCount = 64 << 20
    /// The most arguments of a command.
    public var argumentCount = 1 << 20
    /// All arguments of a command together.
    public var commandByteCount = 128 << 20
    /// As above, before a connection has said who it is.
    public var strangerArgumentByteCount = 16 << 10
    public var strangerArgumentCount = 10

    public init() {}
}

/// Bytes that are no command of the protocol. The connection ends behind the message.
package struct ProtocolError: Error, Equatable {
    package let message: String
    init(_ message: String) { self.message = message }
}
