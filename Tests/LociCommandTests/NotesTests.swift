import Foundation
import MemoryEngine
import Testing

@testable import loci

@Suite struct `The settings of a note` {
    private func fields(_ text: String) -> [String: FrontMatter.Value] {
        Dictionary(
            FrontMatter(text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)).fields
                .map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    @Test(arguments: [
        ("a: b", FrontMatter.Value.scalar("b", isQuoted: false)),
        ("a:   two words   # comment", .scalar("two words", isQuoted: false)),
        ("a: b#c", .scalar("b#c", isQuoted: false)),
        (#"a: "x: \"y\" \u00e9\n""#, .scalar("x: \"y\" é\n", isQuoted: true)),
        ("a: 'it''s' # c", .scalar("it's", isQuoted: true)),
        ("a: https://host.example/x", .scalar("https://host.example/x", isQuoted: false)),
        ("\"a\": 5", .scalar("5", isQuoted: false)),
        ("a: one\n  two\n  three", .scalar("one two three", isQuoted: false)),
        ("a: [b, \"c, d\", 'e',f ]", .list(["b", "c, d", "e", "f"])), ("a: []", .list([])),
        ("a: [b,\n  c,\n]", .list(["b", "c"])),
        ("a:\n  - b\n  - \"c: d\"\n\n  - e # f", .list(["b", "c: d", "e"])),
        ("a:\n- b\n- c", .list(["b", "c"])), ("a:\n  - b\n  -   c: d\n      e: f\n  - g", .list(["b", "g"])),
        ("a: |\n  one\n    two\n\n  three", .scalar("one\n  two\n\nthree", isQuoted: true)),
        ("a: >-\n  one\n  two\n\n  three", .scalar("one two\nthree", isQuoted: true)),
    ])
    func `are scalars and lists of them`(text: String, expected: FrontMatter.Value) {
        #expect(fields(text + "\nz: end") == ["a": expected, "z": .scalar("end", isQuoted: false)])
    }

    @Test(arguments: [
        "a:", "a: ~", "a: null", "a: # nothing", "a: {b: c}", "a: &anchor b", "a: *anchor", "a: \"no end",
        "a: [no, end",
        "a: [[b]]", "a:\n  b: c\n  d:\n    - e", "# a: b", "just words", "- a", "a:b", ": b", "\"a: b",
        "!!map", "@x: 1",
        "a: \"x\" y", "a: \"\\q\"",
    ])
    func `pass over what is none of these`(text: String) {
        #expect(fields(text + "\nz: end") == ["z": .scalar("end", isQuoted: false)])
    }

    @Test(arguments: [
        ("---\na: b\n---\n", true), ("\u{FEFF}---\r\na: b\r\n---\r\n", true), ("---\n\n# c\na: b", true),
        ("---\n---\n", false), ("---\nA rule above.\n", false), ("# Title\n---\na: b\n", false),
        ("--- \na: b\n", false), ("", false),
    ])
    func `stand at the head of a file`(text: String, begins: Bool) {
        #expect(FrontMatter.begins(Array(text.utf8)[...]) == begins)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `of any text are fields or nothing`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let base = Array("a: \"b\"\nc: [d, 'e']\nf:\n  - g\n  - h: i\nj: |\n  k\n\nl: > \n m\n".utf8)
        for _ in 0..<200 {
            let text = String(decoding: random.damaged(random.damaged(base)), as: UTF8.self)
            for (name, _) in fields(text) { #expect(!name.isEmpty) }
        }
    }
}

@Suite struct `The links of a note` {
    private func links(_ text: String, at path: String = "folder/note.md") -> [String] {
        var links = NoteLinks(noteAt: path)
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) { links.read(String(line)) }
        return links.links.map { $0.heading.isEmpty ? $0.target : "\($0.target) # \($0.heading)" }
    }

    @Test(arguments: [
        ("See [[Deploy guide]] and [[a/b|shown]].", ["Deploy guide", "a/b"]),
        ("[[Note#Part two|x]] [[#Here]] [[Note]]", ["Note # Part two"]),
        ("![[Sketch.md]] ![[photo.png]]", ["Sketch", "photo.png"]),
        ("| [[a\\|b]] |", ["a"]), ("[[a]", []), ("[[]] [[ ]] [[a[b]]", []), ("[[a]] [[b", ["a"]),
        (
            "[x](other.md) [y](../top%20note.md#part) [z](./sub/c.markdown)",
            ["folder/other", "top note # part", "folder/sub/c"]
        ),
        ("[x](https://host.example/a.md) [y](/a.md) [z](a.png) [w](../../a.md) [v](mailto:a@b.md)", []),
        ("[x](<a b.md>) [y](c.md \"title\")", ["folder/a b", "folder/c"]),
        ("`[[code]]` and ``[[`]]`` but [[text]] ` [[open]]", ["text", "open"]),
        ("```\n[[code]]\n```\n[[text]]\n~~~~\n[[a]]\n~~~\n[[b]]", ["text"]),
    ])
    func `are told from code and from other addresses`(text: String, expected: [String]) {
        #expect(links(text) == expected)
    }
}

@Suite struct `A note` {
    private func item(_ text: String, name: String = "vault/Deploy.md") throws -> ImportItem? {
        let folder = try TemporaryFolder()
        let path = try folder.write("x.md", text)
        let items = try ImportSource(path: path, name: name, format: .notes).reader().map { try $0.get() }
        #expect(items.count <= 1)
        return items.first
    }

    private func draft(_ text: String, name: String = "vault/Deploy.md") throws -> MemoryDraft {
        try #require(try item(text, name: name)?.draft)
    }

    @Test func `is one memory with what its settings say`() throws {
        let item = try #require(
            try item(
                """
                ---
                title: How we deploy
                tags: [deploy, "#ci"]
                aliases:
                  - releasing
                created: 2024-05-06 07:08
                author: Ada
                status: draft
                rating: 4.5
                public: true
                code: "007"
                sources: [a, b]
                ---
                # Deploy

                See [[Tokens#Lifetime]] and [[Runbook]].

                ## Steps

                One.
                """))
        let draft = try #require(item.draft)
        #expect(
            draft.content
                == "How we deploy\n\n# Deploy\n\nSee [[Tokens#Lifetime]] and [[Runbook]].\n\n## Steps\n\nOne."
        )
        #expect(draft.kind == .note)
        #expect(draft.key == "note:vault/Deploy.md")
        #expect(draft.actor == "Ada")
        #expect(draft.tags == ["deploy", "ci"])
        #expect(draft.keywords == ["releasing"])
        #expect(draft.happened?.lowerBound.description == "2024-05-06T07:08:00Z")
        #expect(
            draft.attributes == [
                "title": "How we deploy", "path": "vault/Deploy.md", "created": "2024-05-06 07:08",
                "status": "draft",
                "rating": 4.5, "public": true, "code": "007", "sources": "a, b", "link:Tokens": "Lifetime",
                "link:Runbook": true,
            ])
        #expect(draft.origin.source == "file:vault/Deploy.md")
        #expect(item.line == 20)
    }

    @Test func `takes its title from the first heading, else from its name`() throws {
        #expect(try draft("# Deploy\n\ntext").content == "Deploy\n\ntext")
        #expect(try draft("text\n\n# Later").content == "Deploy\n\ntext\n\n# Later")
        #expect(try draft("---\ntags: a b\n---\n").content == "Deploy")
        #expect(try draft("---\ntags: a b\n---\n").tags == ["a", "b"])
        #expect(try draft("---\r\ntag: x\r\n---\r\ntext\r\n").content == "Deploy\n\ntext")
    }

    @Test func `keeps the heading that it begins with as it stands, where its title is another`() throws {
        #expect(try draft("---\ntitle: A\n---\n## Prices ##\nx").content == "A\n\n## Prices ##\n\nx")
        #expect(try draft("---\ntitle: A\n---\n# A\nx").content == "A\n\nx")
    }

    @Test func `names the settings that cannot be read, and keeps the others`() throws {
        let item = try #require(
            try item("---\nstatus: draft\ntags: [a, b\nauthor: \"Ada\nempty: []\nmap: {a: b}\n---\nText.\n"))
        #expect(item.remarks.map(\.line) == [3, 4])
        #expect(item.remarks.map { $0.message.contains("cannot be read") } == [true, true])
        #expect(item.draft?.attributes["status"] == "draft")
        #expect(item.draft?.tags == [])
        try Shell.run { shell in
            try shell.write("---\ntags: [a, b\n---\nText.\n", to: "note.md")
            let answer = try shell.loci("import", "note.md")
            #expect(answer.status == 0 && answer.output.hasPrefix("1 new"))
            #expect(answer.errors.contains("note.md: line 2: the value of `tags`"), "\(answer.errors)")
        }
    }

    @Test func `has no link and no name of what is code`() throws {
        try Shell.run { shell in
            let text = "See `[[not a link]]`.\n\n```\n[[nor this]]\n```\n\n[[Runbook]]\n"
            try shell.write(text, to: "vault/note.md")
            for name in ["not a link", "nor this", "Runbook"] {
                try shell.write("---\na: b\n---\nx\n", to: "vault/\(name).md")
            }
            try shell.write("{}", to: "vault/.obsidian/app.json")
            try shell.loci("import", "vault")
            let neighbors = try shell.loci("neighbors", "note:vault/note.md").output
            #expect(neighbors.contains("Runbook"), "\(neighbors)")
            #expect(!neighbors.contains("not a link") && !neighbors.contains("nor this"), "\(neighbors)")
        }
    }

    @Test(arguments: ["", "\n\n", "---\n---\n"])
    func `that says nothing is none`(text: String) throws {
        #expect(try item(text) == nil)
    }

    @Test func `that begins with a rule has no settings`() throws {
        let draft = try draft("---\ntext: yes\n# Head\n")
        #expect(draft.content == "Deploy\n\n---\ntext: yes\n# Head")
    }

    @Test func `has a key of its whole path, however long, in one form`() throws {
        let long = "vault/" + String(repeating: "folder/", count: 60)
        let keys = try [draft("a", name: long + "a.md"), draft("a", name: long + "b.md")].compactMap(\.key)
        #expect(Set(keys).count == 2)
        #expect(keys.allSatisfy { $0.utf8.count == 256 })

        let folder = try TemporaryFolder()
        try folder.write("vault/.obsidian/app.json", "{}")
        try folder.write("vault/Cafe\u{301}.md", "text")
        let sources = try ImportSource.find(at: folder.path + "/vault")
        #expect(sources.map(\.format) == [.notes])
        #expect(sources.map { Array($0.name.utf8) } == [Array("vault/Caf\u{E9}.md".utf8)])
    }

    @Test func `bounds what it becomes`() throws {
        let settings = (0..<400).map { "field\($0): x" }.joined(separator: "\n")
        let links = (0..<400).map { "[[note \($0)]] [[\(String(repeating: "x", count: 300))]]" }.joined(
            separator: "\n")
        let draft = try draft(
            "---\n\(settings)\ntags: [\(String(repeating: "t,", count: 5_000))]\n---\n\(links)")
        #expect(draft.attributes.count == 48 + 200 + 2)
        #expect(draft.attributes.keys.allSatisfy { $0.utf8.count <= 256 })
    }

    @Test func `leaves out a line that is not UTF-8, and names it`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(
            "x.md", Array("---\na: b\n---\nc\n".utf8) + [0xC3, 0x0A] + Array("d".utf8))
        let results = Array(try ImportSource(path: path, name: "x.md", format: .notes).reader())
        guard results.count == 2, case .failure(let error) = results[0] else { throw Unexpected() }
        #expect(error.line == 5)
        #expect(try results[1].get().draft?.content == "x\n\nc\nd")
    }

    @Test func `has one key, however the way to it is spelled`() throws {
        try Shell.run { shell in
            try shell.write("{}", to: "vault/.obsidian/app.json")
            try shell.write("Text of [[Other]].\n", to: "vault/sub/Note.md")
            #expect(try shell.loci("import", "vault").output.hasPrefix("1 new"))
            let key = try JSONParser.parse(try shell.loci("list", "--json").output)["key"]?.string
            #expect(key == "note:vault/sub/Note.md")
            for line in [
                "cd vault && loci import .", "cd vault/sub && loci import ..", "loci import $PWD/vault",
                "loci import ./vault/", "ln -s vault link && loci import link",
                "cd vault/sub && loci import Note.md", "loci import $PWD/vault/sub/Note.md",
                "loci import vault/sub/Note.md", "loci import vault/sub",
            ] {
                let answer = try shell.bash("export LOCI_STORE=$PWD/store; " + line)
                #expect(
                    answer.output.hasPrefix("0 new, 1 known"), "\(line): \(answer.output)\(answer.errors)")
            }
        }
    }

    @Test func `is found by what it links to, and is updated when it changes`() throws {
        try Shell.run { shell in
            let path = try shell.write(
                "---\ntags: [a]\n---\nSee [[Runbook|the book]].\n", to: "vault/Deploy.md")
            try shell.write("# Runbook\n\nSteps.\n", to: "vault/Runbook.md")
            #expect(try shell.loci("import", "vault").output.hasPrefix("2 new"))
            let leading = try shell.loci("list", "--filter", "has:link:Runbook", "--json")
            #expect(leading.lines.count == 1 && leading.output.contains("note:vault/Deploy.md"))
            try shell.write("---\ntags: [a]\n---\nNo more.\n", to: "vault/Deploy.md")
            #expect(try shell.loci("import", "vault").output.hasPrefix("1 new, 1 known"))
            #expect(try shell.loci("list", "--filter", "has:link:Runbook", "--json").lines.isEmpty)
            #expect(FileManager.default.fileExists(atPath: path))
        }
    }
}
