import MemoryEngine
import Testing

@testable import loci

@Suite struct `A conversation of ChatGPT` {
    private func results(_ text: String) throws -> [Result<ImportItem, ImportError>] {
        let folder = try TemporaryFolder()
        let path = try folder.write("conversations.json", text)
        #expect(try ImportSource.find(at: path).map(\.format) == [.chatgpt])
        return Array(try ImportSource(path: path, name: "c", format: .chatgpt).reader())
    }

    private func node(
        _ name: String, parent: String?, children: [String] = [], role: String, parts: String,
        more: String = ""
    ) -> String {
        let parent = parent.map { "\"\($0)\"" } ?? "null"
        let children = children.map { "\"\($0)\"" }.joined(separator: ",")
        return #"""
            "\#(name)":{"id":"\#(name)","parent":\#(parent),"children":[\#(children)],"message":{"id":"id-\#(name)",
            "author":{"role":"\#(role)","name":null,"metadata":{}},"create_time":1700000000.25,
            "content":{"content_type":"text","parts":[\#(parts)]},"metadata":{"model_slug":"gpt-x"}\#(more)}}
            """#
    }

    private var root: String { #""root":{"id":"root","message":null,"parent":null,"children":["s"]}"# }

    private func conversation(_ nodes: [String], current: String?) -> String {
        let current = current.map { "\"\($0)\"" } ?? "null"
        return #"{"title":"Tokens","create_time":1699999999.5,"update_time":1700000001,"mapping":{"#
            + nodes.joined(separator: ",") + #"},"current_node":\#(current),"conversation_id":"conv-1"}"#
    }

    @Test func `is what leads to its current node, a memory for each message`() throws {
        let nodes = [
            root, node("s", parent: "root", children: ["q"], role: "system", parts: #""""#),
            node(
                "q", parent: "s", children: ["old", "new"], role: "user",
                parts: #""How long does a token last?""#),
            node("old", parent: "q", role: "assistant", parts: #""A week.""#),
            node(
                "new", parent: "q", children: ["t"], role: "assistant",
                parts:
                    #""Thirty days.",{"content_type":"image_asset_pointer"},{"content_type":"audio_transcription","text":"Said."}"#
            ),
            node("t", parent: "new", role: "user", parts: #""  ""#),
        ]
        let items = try results("[\(conversation(nodes, current: "t"))]").map { try $0.get() }
        let drafts = items.compactMap(\.draft)
        #expect(drafts.map(\.content) == ["How long does a token last?", "Thirty days.\n\nSaid."])
        #expect(drafts.map(\.actor) == ["user", "assistant"])
        #expect(drafts.map(\.key) == ["chatgpt:id-q", "chatgpt:id-new"])
        #expect(drafts.allSatisfy { $0.thread == "chatgpt:conv-1" && $0.kind == .message })
        #expect(
            drafts.allSatisfy { $0.attributes == ["title": "Tokens"] && $0.origin.source == "chatgpt:conv-1" }
        )
        #expect(drafts[0].happened?.lowerBound.description == "2023-11-14T22:13:20.25Z")
        #expect(drafts[1].origin.model == "gpt-x")
        #expect(items.map(\.line) == [1, 2])
        #expect(items[0].unit == "message")
    }

    @Test func `without a current node ends at its newest leaf`() throws {
        let nodes = [
            node("a", parent: nil, children: ["b", "c"], role: "user", parts: #""a""#),
            node("b", parent: "a", role: "assistant", parts: #""b""#).replacing(
                "1700000000.25", with: "1700000002"),
            node("c", parent: "a", role: "assistant", parts: #""c""#),
        ]
        for current in [nil, "gone"] {
            let text = "[\(conversation(nodes, current: current))]"
            #expect(try results(text).map { try $0.get().draft?.content } == ["a", "b"])
        }
    }

    @Test func `counts the messages of branches that were not shown last`() throws {
        let nodes = [
            node("a", parent: nil, role: "user", parts: #""a""#),
            node("b", parent: "a", role: "assistant", parts: #""b""#),
            node("c", parent: "a", role: "assistant", parts: #""c""#),
            node("d", parent: "c", role: "user", parts: #""d""#),
            node("s", parent: "c", role: "system", parts: #""s""#),
        ]
        try Shell.run { shell in
            try shell.write("[\(conversation(nodes, current: "b"))]", to: "conversations.json")
            let answer = try shell.loci("import", "conversations.json")
            #expect(answer.output.hasPrefix("2 new"))
            #expect(
                answer.errors.contains("2 messages of other branches than the one last shown were left out"),
                "\(answer.errors)")
            let again = try shell.loci("import", "conversations.json", "--json")
            #expect(try JSONParser.parse(again.errors)["leftOut"]?.integer == 2)
        }
    }

    @Test func `leaves out what is hidden or thought, and names a tool`() throws {
        let hidden = node("h", parent: "a", role: "user", parts: #""profile""#)
            .replacing(#""model_slug":"gpt-x""#, with: #""is_visually_hidden_from_conversation":true"#)
        let thought = node("t", parent: "h", role: "assistant", parts: #""hm""#)
            .replacing(#""content_type":"text""#, with: #""content_type":"thoughts""#)
        let tool = node("p", parent: "t", role: "tool", parts: "")
            .replacing(
                #""content_type":"text","parts":[]"#, with: #""content_type":"execution_output","text":"42""#
            )
            .replacing(#""name":null"#, with: #""name":"python""#)
            .replacing(#""model_slug":"gpt-x""#, with: #""attachments":[{"name":"a.csv"},{"id":1}]"#)
        let nodes = [node("a", parent: nil, role: "user", parts: #""a""#), hidden, thought, tool]
        let drafts = try results("[\(conversation(nodes, current: "p"))]").map {
            try #require(try $0.get().draft)
        }
        #expect(drafts.map(\.content) == ["a", "42"])
        #expect(drafts[1].actor == "python")
        #expect(drafts[1].keywords == ["a.csv"])
    }

    @Test func `whose messages have no id or time is still known again`() throws {
        let bare = node("a", parent: nil, role: "user", parts: #""a""#)
            .replacing(#""id":"id-a","#, with: "").replacing("1700000000.25", with: "null")
        let text = "[\(conversation([bare], current: "a"))]"
        let item = try #require(try results(text).first?.get())
        #expect(item.draft?.key == "chatgpt:a")
        #expect(item.draft?.happened?.lowerBound.description == "2023-11-14T22:13:19.5Z")
        #expect(item.contentDigest.count == 32)
    }

    @Test func `that is damaged is refused alone, and those behind it are read`() throws {
        let good = conversation([node("a", parent: nil, role: "user", parts: #""a""#)], current: "a")
        let loop = conversation(
            [
                node("a", parent: "b", role: "user", parts: #""a""#),
                node("b", parent: "a", role: "user", parts: #""b""#),
            ], current: "b")
        let results = try results(
            "\u{FEFF}[\(good), {\"mapping\":3},\n 7 , \(loop), {\"mapping\": {\"x\": }}, \(good)]\n")
        #expect(results.count == 6)
        let errors = results.map { result in
            if case .failure(let error) = result { error.description } else { "" }
        }
        #expect(errors[1] == "conversation 2: it has no `mapping`")
        #expect(errors[2] == "conversation 3: it is a number, and should be an object")
        #expect(errors[3].contains("own ancestor"))
        #expect(errors[4].contains("no JSON: at byte"))
        #expect(try results[5].get().line == 2)
    }
}

@Suite struct `A conversation of Claude` {
    private func results(_ text: String) throws -> [Result<ImportItem, ImportError>] {
        let folder = try TemporaryFolder()
        let path = try folder.write("conversations.json", text)
        #expect(try ImportSource.find(at: path).map(\.format) == [.claude])
        return Array(try ImportSource(path: path, name: "c", format: .claude).reader())
    }

    @Test func `gives a memory for each message, with what was pasted`() throws {
        let text = #"""
            [{"uuid":"c-1","name":"Deploy","summary":"","created_at":"2024-05-06T07:08:09.123456Z",
              "updated_at":"2024-05-06T08:00:00Z","account":{"uuid":"u"},"chat_messages":[
               {"uuid":"m-1","text":"Why?","sender":"human","created_at":"2024-05-06T07:08:10Z",
                "attachments":[{"file_name":"log.txt","file_size":3,"extracted_content":"it failed"}],
                "files":[{"file_name":"shot.png"}]},
               {"uuid":"m-2","sender":"assistant","created_at":"2024-05-06T07:08:12+00:00",
                "text":"Let me see.\nThis block is not supported.\nIts token expired.",
                "content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"Let me see."},
                 {"type":"tool_use","name":"search"},{"type":"text","text":"Its token expired."}]},
               {"uuid":"m-3","sender":"human","text":" ","content":[],"created_at":"2024-05-06T07:09:00Z"}]},
             {"uuid":"c-2","name":"","chat_messages":[]}]
            """#
        let items = try results(text).map { try $0.get() }
        let drafts = items.compactMap(\.draft)
        #expect(drafts.map(\.content) == ["Why?\n\nlog.txt\nit failed", "Let me see.\n\nIts token expired."])
        #expect(drafts.map(\.actor) == ["human", "assistant"])
        #expect(drafts.map(\.key) == ["claude:m-1", "claude:m-2"])
        #expect(drafts.allSatisfy { $0.thread == "claude:c-1" && $0.attributes == ["title": "Deploy"] })
        #expect(drafts[0].keywords == ["log.txt", "shot.png"])
        #expect(drafts[1].happened?.lowerBound.description == "2024-05-06T07:08:12Z")
        #expect(items.map(\.line) == [1, 2])
    }

    @Test func `without times keeps the time of what came before`() throws {
        let text = #"""
            [{"uuid":"c","created_at":"2024-01-01T00:00:00Z","chat_messages":[{"sender":"human","text":"a"},
            {"sender":"human","text":"b","created_at":"2024-01-02T00:00:00Z"},{"sender":"human","text":"c","created_at":"x"}]}]
            """#
        let drafts = try results(text).map { try #require(try $0.get().draft) }
        #expect(drafts.map { $0.happened?.lowerBound.day } == ["2024-01-01", "2024-01-02", "2024-01-02"])
        #expect(drafts.allSatisfy { $0.key == nil && $0.thread == "claude:c" })
    }

    @Test func `is brought once, whatever is imported again, and goes on with what is new`() throws {
        try Shell.run { shell in
            func export(_ count: Int) -> String {
                let messages = (1...count).map {
                    #"{"uuid":"m\#($0)","sender":"human","text":"message \#($0)"}"#
                }
                return #"[{"uuid":"c","name":"t","chat_messages":[\#(messages.joined(separator: ","))]}]"#
            }
            let path = try shell.write(export(3), to: "conversations.json")
            #expect(try shell.loci("import", path).output.hasPrefix("3 new, 0 known"))
            try shell.write(export(5), to: "conversations.json")
            #expect(try shell.loci("import", path).output.hasPrefix("2 new, 3 known"))
            let last = try JSONParser.parse(shell.loci("import", path, "--json").output)
            #expect(last["committed"]?.integer == 5)
            #expect(try shell.loci("recall", "message 4", "--limit", "1").output.contains("message 4"))
        }
    }
}

@Suite struct `A JSON list in pieces` {
    private func elements(_ text: String, maximum: Int = 1 << 20) throws -> [String] {
        let folder = try TemporaryFolder()
        let path = try folder.write("x", text)
        var reader = JSONElements(try ByteStream(path: path), maximumByteCount: maximum)
        var elements: [String] = []
        while true {
            do {
                guard let element = try reader.next() else { return elements }
                elements.append(String(decoding: element, as: UTF8.self).trimmingSpace)
            } catch {
                elements.append("! \(error.message)")
                if error.isFatal { return elements }
            }
        }
    }

    @Test(arguments: [
        ("", []), (" \n", []), ("[]", []), ("[ ]\n", []), ("[1]", ["1"]),
        (" [1 ,\n[2,3], \"a,]\\\"\"]", ["1", "[2,3]", "\"a,]\\\"\""]),
        (#"[{"a":"}","b":[{}]},{}]"#, [#"{"a":"}","b":[{}]}"#, "{}"]), ("{\"a\":[1,2]}", ["{\"a\":[1,2]}"]),
        ("\u{FEFF}[1]", ["1"]), ("[\"\\\\\",1]", ["\"\\\\\"", "1"]),
    ])
    func `gives its elements, or a text that is no list whole`(text: String, expected: [String]) throws {
        #expect(try elements(text) == expected)
    }

    @Test(arguments: [
        ("[1", "file ends"), ("[", "file ends"), ("[1,", "file ends"), ("[\"a", "file ends"),
        ("[1] 2", "follows the end"),
        ("[{}}", "between two elements"), ("[1}2]", "between two elements"),
    ])
    func `without an end is refused, after what it gave`(text: String, message: String) throws {
        let elements = try elements(text)
        #expect(elements.last?.contains(message) == true, "\(elements)")
    }

    @Test func `passes over an element that is too long`() throws {
        let long = "\"" + String(repeating: "x", count: 1 << 19) + "\""
        #expect(
            try elements("[1,\(long),2]", maximum: 1 << 18).map { $0.prefix(12) } == [
                "1", "! an element", "2",
            ])
    }

    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func `is cut as a parser would, however the pieces of the stream fall`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let values: [JSONValue] = (0..<2_000).map { index in
            let text = random.text() + random.choice(["\"", "\\", "]", "}", ",", "[", "{"])
            return random.choice([
                .string(text), ["a": .array([.string(text), 1, []]), "b": [:]], .number(Double(index)), nil,
            ])
        }
        let text = "[" + values.map { JSONWriter.text(of: $0) }.joined(separator: " , ") + "]"
        #expect(try elements(text).map { try JSONParser.parse($0) } == values)
    }
}
