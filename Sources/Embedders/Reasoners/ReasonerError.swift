/// Why a model's service gave no note or summary. Switch on `code`; show `message`, which names the service and the way out; no key
/// is in it.
public struct ReasonerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What a caller can act upon.
    public enum Code: String, Sendable {
        /// The service is not reached, refuses, or fails; or the cap of a day is reached. Nothing of the memory is to blame.
        case service
        /// It gives no answer in the time that it has, all tries together.
        case tooSlow
        /// What came is no reply of such a service at all, such as a page of HTML.
        case badReply
        /// The model refuses to answer.
        case refused
        /// The answer ends at the most tokens that it may have.
        case truncated
        /// The answer is empty.
        case empty
        /// The JSON stands in a code fence.
        case fenced
        /// The answer is not JSON, or half of it.
        case notJSON
        /// It is JSON, and not of the form that was asked for: other fields, ids that were not given, too much.
        case mismatch
    }

    public let code: Code
    public let message: String

    init(_ code: Code, _ message: String) { (self.code, self.message) = (code, message) }

    public var description: String { message }

    /// Whether it is about what was asked: another memory may well get an answer.
    public var isOfOneAnswer: Bool {
        switch code {
        case .service, .badReply: false
        case .tooSlow, .refused, .truncated, .empty, .fenced, .notJSON, .mismatch: true
        }
    }
}

/// What is wrong with an answer, as its model is told once.
struct AnswerComplaint: Error {
    let code: ReasonerError.Code
    let reason: String

    init(_ code: ReasonerError.Code, _ reason: String) { (self.code, self.reason) = (code, reason) }

    /// A model that refuses is not talked round.
    var isWorthTelling: Bool { code != .refused }
}
