import MemoryEngine

/// Conversations with an assistant, as its maker gives them to whom they belong: a JSON list of them. A message is
/// a memory, and its thread is the conversation.
///
/// One conversation at a time is in memory. The number of a message in the file stands for its line.
final class Conversations: ImportParser {
    /// Whose form it is.
    enum Maker: String {
        case chatGPT = "chatgpt"
        case claude
    }

    /// What the forms of all makers come to.
    struct Conversation: Equatable {
        var id: String?
        var title: String?
        var began: Timestamp?
        var messages: [Message] = []
        /// How many messages stand on other branches than the one that was last shown.
        var leftOutCount = 0
    }

    struct Message: Equatable {
        var id: String?
        var actor: String
        var text: String
        var time: Timestamp?
        var model: String?
        /// Names of files that were sent with it.
        var files: [String] = []
    }

    /// Why a conversation cannot be read; the message names the field.
    struct Refusal: Error {
        let message: String
    }

    private var elements: JSONElements
    private let maker: Maker
    private var ready: [ImportItem] = []
    private var readyPosition = 0
    private var conversationCount = 0
    private var messageCount = 0
    private(set) var leftOutCount = 0

    private static let unit = "message"
    private static let maximumFileCount = 64

    init(_ stream: ByteStream, of maker: Maker) {
        elements = JSONElements(stream)
        self.maker = maker
    }

    var progress: ImportProgress { elements.stream.progress }

    func next() throws(ImportError) -> ImportItem? {
        while true {
            if readyPosition < ready.count {
                readyPosition += 1
                return ready[readyPosition - 1]
            }
            conversationCount += 1
            guard let bytes = try elements.next() else { return nil }
            ready = try read(bytes)
            readyPosition = 0
        }
    }

    private func read(_ bytes: [UInt8]) throws(ImportError) -> [ImportItem] {
        do {
            let value = try JSONParser.parse(bytes)
            guard value.object != nil else {
                throw Refusal(message: "it is \(value.kindName), and should be an object")
            }
            let conversation =
                switch maker {
                case .chatGPT: try Self.chatGPT(value)
                case .claude: try Self.claude(value)
                }
            leftOutCount += conversation.leftOutCount
            return items(of: conversation)
        } catch let error as JSONError {
            throw ImportError("conversation \(conversationCount): no JSON: \(error)")
        } catch let error as Refusal {
            throw ImportError("conversation \(conversationCount): \(error.message)")
        } catch {
            throw ImportError("conversation \(conversationCount): \(error)")
        }
    }

    private func items(of conversation: Conversation) -> [ImportItem] {
        let prefix = maker.rawValue
        let id = conversation.id ?? conversation.messages.first?.id
        let thread = id.map { boundedName("\(prefix):\($0)") }
        var time = conversation.began
        return conversation.messages.map { message in
            messageCount += 1
            // What has no time of its own came after what was said before it.
            time = message.time ?? time
            var draft = MemoryDraft(message.text)
            draft.kind = .message
            draft.actor = message.actor.clipped(to: maximumNameByteCount)
            draft.thread = thread
            draft.key = message.id.map { boundedName("\(prefix):\($0)") }
            draft.happened = time.map { $0...$0 }
            draft.keywords = message.files.prefix(Self.maximumFileCount).map {
                $0.clipped(to: maximumNameByteCount)
            }
            if let title = conversation.title, !title.isEmpty {
                draft.attributes["title"] = .string(title.clipped(to: 4_000))
            }
            draft.origin = Origin(model: message.model?.clipped(to: 4_000), source: thread)
            let said = "\(thread ?? "") \(message.actor) \(time?.description ?? "") \(message.text)"
            return ImportItem(
                content: .draft(draft), line: messageCount, unit: Self.unit,
                contentDigest: Attachment.data(Array(said.utf8), name: "").digest)
        }
    }

    // MARK: Telling the form

    /// Whose conversations a JSON text is that begins with these bytes; `nil` = nobody's that is known.
    static func detect(_ head: ArraySlice<UInt8>) -> ImportFormat? {
        let text = String(decoding: head, as: UTF8.self)
        if hasMember("chat_messages", "[", in: text) { return .claude }
        return hasMember("mapping", "{", in: text) ? .chatgpt : nil
    }

    /// Whether a member of this name begins with this bracket, which no field of JSON Lines does. In a string its
    /// quotation marks would be escaped.
    private static func hasMember(_ name: String, _ bracket: Character, in text: String) -> Bool {
        guard let range = text.firstRange(of: "\"\(name)\"") else { return false }
        return text[range.upperBound...].filter { !$0.isWhitespace }.prefix(2) == ":\(bracket)"
    }

    // MARK: Fields

    static func string(_ name: String, of value: JSONValue) -> String? {
        guard let text = value[name]?.string, !text.isEmpty else { return nil }
        return text
    }

    /// Seconds since 1970, or RFC 3339.
    static func time(_ name: String, of value: JSONValue) -> Timestamp? {
        let time: Timestamp?
        switch value[name] {
        case .number(let seconds):
            time = Int64(exactly: (seconds * 1e6).rounded()).map { Timestamp(microseconds: $0) }
        case .string(let text): time = Timestamp(text)
        default: time = nil
        }
        return time.flatMap { Timestamp.allowed.contains($0) ? $0 : nil }
    }
}
