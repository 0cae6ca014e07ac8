import MemoryEngine

extension Conversations {
    /// A conversation as ChatGPT exports it: a tree of messages, in which every answer that was asked for again is
    /// a branch.
    ///
    ///     {"title":…,"create_time":1700000000.5,"conversation_id":…,"current_node":"n3","mapping":{
    ///       "n3":{"parent":"n2","children":[],"message":{"id":…,"author":{"role":"assistant"},
    ///         "create_time":…,"content":{"content_type":"text","parts":["…"]},"metadata":{"model_slug":…}}}}}
    ///
    /// What leads to the current node is the conversation; other branches are left out, and so are messages of the
    /// system, hidden ones, and those without a text.
    static func chatGPT(_ value: JSONValue) throws(Refusal) -> Conversation {
        guard let nodes = value["mapping"]?.object else { throw Refusal(message: "it has no `mapping`") }
        var conversation = Conversation(
            id: string("conversation_id", of: value) ?? string("id", of: value),
            title: string("title", of: value), began: time("create_time", of: value))
        var byName: [String: JSONValue] = [:]
        for member in nodes.members { byName[member.name] = member.value }
        for name in try path(to: string("current_node", of: value), among: byName) {
            if let node = byName.removeValue(forKey: name), let message = message(node, named: name) {
                conversation.messages.append(message)
            }
        }
        conversation.leftOutCount = byName.count { message($0.value, named: $0.key) != nil }
        return conversation
    }

    /// The names of the nodes from the root to the current one; without a current one, to the newest leaf.
    private static func path(
        to current: String?, among nodes: [String: JSONValue]
    ) throws(Refusal) -> [String] {
        var name = current.flatMap { nodes[$0] == nil ? nil : $0 } ?? newestLeaf(of: nodes)
        var path: [String] = []
        var seen: Set<String> = []
        while let here = name {
            guard seen.insert(here).inserted else {
                throw Refusal(message: "node `\(here.clipped(to: 60))` of its `mapping` is its own ancestor")
            }
            path.append(here)
            // A parent that is not there ends the way, as no parent does.
            name = nodes[here].flatMap { string("parent", of: $0) }.flatMap { nodes[$0] == nil ? nil : $0 }
        }
        return path.reversed()
    }

    private static func newestLeaf(of nodes: [String: JSONValue]) -> String? {
        let leaves = nodes.filter { $0.value["children"]?.array?.isEmpty ?? true }
        return leaves.max { a, b in
            let (timeA, timeB) = (time(of: a.value), time(of: b.value))
            return timeA != timeB ? timeA < timeB : a.key < b.key
        }?.key
    }

    private static func time(of node: JSONValue) -> Timestamp {
        node["message"].flatMap { time("create_time", of: $0) } ?? .distantPast
    }

    private static func message(_ node: JSONValue, named name: String) -> Message? {
        guard let message = node["message"], let author = message["author"],
            let role = string("role", of: author), role != "system"
        else { return nil }
        let metadata = message["metadata"]
        if metadata?["is_visually_hidden_from_conversation"]?.bool == true { return nil }
        guard let content = message["content"], let text = text(of: content) else { return nil }
        let files = metadata?["attachments"]?.array?.compactMap { string("name", of: $0) } ?? []
        return Message(
            id: string("id", of: message) ?? name,
            // A tool has a name of its own.
            actor: role == "tool" ? string("name", of: author) ?? role : role, text: text,
            time: time("create_time", of: message), model: metadata.flatMap { string("model_slug", of: $0) },
            files: files)
    }

    /// What was said, without images and the like; `nil` for nothing, and for what the assistant thought.
    private static func text(of content: JSONValue) -> String? {
        let unsaid = ["thoughts", "reasoning_recap", "user_editable_context", "model_editable_context"]
        if let type = content["content_type"]?.string, unsaid.contains(type) { return nil }
        var texts = content["parts"]?.array?.compactMap { $0.string ?? string("text", of: $0) } ?? []
        if texts.isEmpty, let text = content["text"]?.string { texts = [text] }
        let text = texts.filter { !$0.allSatisfy(\.isWhitespace) }.joined(separator: "\n\n")
        return text.isEmpty ? nil : text
    }
}
