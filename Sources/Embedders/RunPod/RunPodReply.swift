import Foundation

/// What RunPod answers about a job, to `/run`, `/runsync` and `/status`; its output is not read but for whether it is an error.
struct RunPodReply: Decodable, Equatable {
    enum State: Equatable {
        case inQueue
        case inProgress
        case completed
        case failed
        case cancelled
        case timedOut
        case unknown(String)
    }

    let id: String?
    let state: State
    /// What the worker says that went wrong, in `error` or in an output that is one.
    let complaint: RunPodComplaint?
    let hasOutput: Bool

    private enum Key: String, CodingKey { case id, status, error, output }

    /// Reads an answer; `nil` where it is none.
    init?(_ body: [UInt8]) {
        guard let reply = try? JSONDecoder().decode(RunPodReply.self, from: Data(body)) else { return nil }
        self = reply
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        id = try fields.decodeIfPresent(String.self, forKey: .id)
        state =
            switch try fields.decode(String.self, forKey: .status) {
            case "IN_QUEUE": .inQueue
            // The documents list the second, which was never seen.
            case "IN_PROGRESS", "RUNNING": .inProgress
            case "COMPLETED": .completed
            case "FAILED": .failed
            case "CANCELLED": .cancelled
            case "TIMED_OUT": .timedOut
            case let other: .unknown(String(other.prefix(40)))
            }
        let output = try fields.decodeIfPresent(OutputHead.self, forKey: .output)
        hasOutput = output != nil
        complaint =
            try fields.decodeIfPresent(RunPodComplaint.self, forKey: .error)?.orNone ?? output?.complaint
    }
}

/// The part of an output that tells an error: `{"error": …}`, or `{"object": "error", "message": …}`, alone or as the first
/// of a list.
private struct OutputHead: Decodable {
    let complaint: RunPodComplaint?

    private enum Key: String, CodingKey { case error, object }

    init(from decoder: any Decoder) throws {
        if var list = try? decoder.unkeyedContainer() {
            complaint = list.isAtEnd ? nil : (try? list.decode(Item.self))?.complaint
        } else {
            complaint = try Item(from: decoder).complaint
        }
    }

    private struct Item: Decodable {
        let complaint: RunPodComplaint?

        init(from decoder: any Decoder) throws {
            guard let fields = try? decoder.container(keyedBy: Key.self) else {
                complaint = nil
                return
            }
            if let told = try fields.decodeIfPresent(RunPodComplaint.self, forKey: .error)?.orNone {
                complaint = told
            } else {
                let isError = (try? fields.decode(String.self, forKey: .object)) == "error"
                complaint = isError ? try RunPodComplaint(from: decoder) : nil
            }
        }
    }
}

/// What a worker says that went wrong. Only its message is kept: the SDK sends tracebacks along, and in these are inputs.
struct RunPodComplaint: Decodable, Equatable {
    let message: String
    /// The worker's name for it, such as `too_large`, or the type of the exception.
    let code: String?

    static let unreadable = RunPodComplaint(message: "an error without a message", code: nil)

    /// What an output says that went wrong, if it is one that does.
    static func inOutput(_ body: [UInt8]) -> RunPodComplaint? {
        (try? JSONDecoder().decode(OutputHead.self, from: Data(body)))?.complaint
    }

    /// As an error of an endpoint.
    func failure(of endpoint: String) -> RunPodError {
        // Our own workers' names for it.
        let isSize = ["too_large", "too_many", "reply_too_large"].contains(code)
        let isRefusal = ["bad_image", "bad_video", "bad_base64"].contains(code)
        let name = code.map { " (\($0.prefix(60)))" } ?? ""
        return RunPodError(
            isSize ? .tooLarge : isRefusal ? .refused : .failed,
            "a worker of \(endpoint) failed at a job\(name): \(message)")
    }

    /// An `error` that is empty or `false` tells of none.
    fileprivate var orNone: RunPodComplaint? { message.isEmpty ? nil : self }

    private enum Key: String, CodingKey {
        case errorMessage = "error_message"
        case message, detail, error
        case msg
        case code
        case errorType = "error_type"
    }

    init(message: String, code: String?) { (self.message, self.code) = (message, code) }

    init(from decoder: any Decoder) throws {
        if let text = try? decoder.singleValueContainer().decode(String.self) {
            self = Self.read(text)
        } else if let flag = try? decoder.singleValueContainer().decode(Bool.self) {
            self = flag ? .unreadable : RunPodComplaint(message: "", code: nil)
        } else if let fields = try? decoder.container(keyedBy: Key.self) {
            let keys: [Key] = [.errorMessage, .message, .detail, .error, .msg]
            let text = keys.lazy.compactMap { try? fields.decode(String.self, forKey: $0) }.first
            let code = [Key.code, .errorType].lazy.compactMap { try? fields.decode(String.self, forKey: $0) }
                .first
            let told = text.map { Self.withoutTraceback($0[...]) } ?? Self.unreadable.message
            self.init(message: told.isEmpty ? Self.unreadable.message : told, code: code)
        } else {
            self = .unreadable
        }
    }

    /// The SDK puts JSON into the string. What begins as JSON and is none might be anything, and is not shown.
    private static func read(_ text: String) -> RunPodComplaint {
        let trimmed = text.drop(while: \.isWhitespace)
        guard trimmed.hasPrefix("{") || trimmed.hasPrefix("[") else {
            return RunPodComplaint(message: withoutTraceback(trimmed), code: nil)
        }
        struct Object: Decodable {
            let complaint: RunPodComplaint

            init(from decoder: any Decoder) throws {
                _ = try decoder.container(keyedBy: Key.self)
                complaint = try RunPodComplaint(from: decoder)
            }
        }
        let object = try? JSONDecoder().decode(Object.self, from: Data(trimmed.utf8))
        return object?.complaint ?? .unreadable
    }

    /// Of a traceback the last line, which has the message; else all, which is cut where it is shown.
    private static func withoutTraceback(_ text: Substring) -> String {
        guard text.contains("Traceback (most recent call last)") else { return String(text.prefix(1_000)) }
        let last = text.split(whereSeparator: \.isNewline).last { !$0.allSatisfy(\.isWhitespace) }
        return last.map { String($0.drop(while: \.isWhitespace).prefix(1_000)) } ?? unreadable.message
    }
}
