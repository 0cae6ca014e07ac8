import MemoryEngine

extension Conversations {
    /// A conversation as Claude exports it: a list of messages in the order of their time.
    ///
    ///     {"uuid":…,"name":…,"created_at":"2024-05-06T07:08:09.123456Z","chat_messages":[
    ///       {"uuid":…,"sender":"human","text":"…","created_at":…,"content":[{"type":"text","text":"…"}],
    ///        "attachments":[{"file_name":…,"extracted_content":"…"}],"files":[{"file_name":…}]}]}
    ///
    /// The text of a file that was pasted stands behind the message. Calls of tools and what the assistant thought
    /// are left out, and so are messages without a text.
    static func claude(_ value: JSONValue) throws(Refusal) -> Conversation {
        guard let list = value["chat_messages"]?.array else {
            throw Refusal(message: "it has no `chat_messages`")
        }
        var conversation = Conversation(
            id: string("uuid", of: value), title: string("name", of: value),
            began: time("created_at", of: value))
        for (index, element) in list.enumerated() {
            guard element.object != nil else {
                throw Refusal(
                    message: "chat_messages[\(index)] is \(element.kindName), and should be an object")
            }
            let text = text(of: element)
            guard !text.isEmpty else { continue }
            let files = (element["attachments"]?.array ?? []) + (element["files"]?.array ?? [])
            conversation.messages.append(
                Message(
                    id: string("uuid", of: element), actor: string("sender", of: element) ?? "unknown",
                    text: text, time: time("created_at", of: element),
                    files: files.compactMap { string("file_name", of: $0) }))
        }
        return conversation
    }

    private static func text(of message: JSONValue) -> String {
        // `text` is all blocks in one, with a sentence in the place of each that is no text.
        let blocks = message["content"]?.array ?? []
        var texts = blocks.filter { ["text", "voice_note"].contains($0["type"]?.string) }
            .compactMap { string("text", of: $0) }
        if blocks.isEmpty, let text = message["text"]?.string { texts = [text] }
        for attachment in message["attachments"]?.array ?? [] {
            guard let pasted = string("extracted_content", of: attachment) else { continue }
            texts.append(
                [string("file_name", of: attachment), pasted].compactMap { $0 }.joined(separator: "\n"))
        }
        return texts.filter { !$0.allSatisfy(\.isWhitespace) }.joined(separator: "\n\n")
    }
}
