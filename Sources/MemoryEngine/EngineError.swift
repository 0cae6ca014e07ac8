/// Why the engine refused. Switch on `code`; show `message`, which names the thing and the way out.
public struct EngineError: Error, Sendable, CustomStringConvertible {
    /// What a caller can act upon.
    public enum Code: String, Sendable {
        /// A value that the caller gave is not allowed; nothing was changed.
        case invalid
        /// A namespace path is not one.
        case invalidNamespace
        /// A vector has the wrong dimension, a component that is not finite, or no length.
        case invalidVector
        /// The namespace holds something else than what the call is for.
        case wrongKind
        /// There is no such memory, version, home or receipt.
        case notFound
        /// The memory was changed by somebody else since the version that the caller expected.
        case conflict
        /// A bound of the engine is exceeded (text, attachment, batch).
        case tooLarge
        /// Direct writes to this namespace are refused.
        case forbidden
        /// The changes asked for have been trimmed; start again from an export.
        case gap
        /// The deadline passed, or the call was cancelled; the store is as it was.
        case deadline
        /// The home's quota is reached.
        case full
        /// The disk is full.
        case diskFull
        /// Another process writes to this home.
        case locked
        /// The store is open for reading only.
        case readOnly
        /// The file is damaged, or does not belong to this program.
        case corrupted
        /// The file is not of Loci, or newer than this program.
        case foreign
        /// The embedder failed.
        case embedder
        /// The operating system refused.
        case io
    }

    public let code: Code
    public let message: String
    /// What was read has been replaced before it was written: doing all of it again may succeed.
    let isStale: Bool
    /// What failed may succeed later as it is: it tells nothing of what was asked for.
    package let isTransient: Bool
    /// Which draft of a batch is to blame, from 0, and what is wrong with it.
    package let draft: (place: Int, message: String)?

    public init(_ code: Code, _ message: String) { self.init(code, message, isStale: false) }

    init(_ code: Code, _ message: String, isStale: Bool) {
        (self.code, self.message, self.isStale, isTransient, draft) = (code, message, isStale, false, nil)
    }

    package init(_ code: Code, _ message: String, isTransient: Bool) {
        (self.code, self.message, isStale, self.isTransient, draft) = (code, message, false, isTransient, nil)
    }

    /// What is wrong with a draft of a batch.
    init(_ error: EngineError, ofDraft place: Int, of count: Int) {
        (code, isStale, isTransient) = (error.code, false, false)
        draft = (place, error.message)
        message = count == 1 ? error.message : "draft \(place + 1): \(error.message)"
    }

    public var description: String { message }
}
