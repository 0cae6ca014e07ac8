import Foundation
import Testing

@testable import loci

@Suite struct `An import source` {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(arguments: [
        (#"{"content":"x"}"#, "memories", ImportFormat.jsonl),
        ("\n  {\"content\":\"x\"}", "memories.txt", .jsonl),
        ("oops", "memories.jsonl", .jsonl),
        ("dpkg (1.2) unstable; urgency=low\n", "changes", .debianChangelog),
        ("\n\ndpkg (1:1.2-3~x+y) a b; urgency=low\n", "changelog.Debian", .debianChangelog),
        ("free (list);\nexit (0);\n", "main.c", .text), ("Version 2 (2024); see below\n", "changelog", .text),
        ("# Title\n", "README.md", .text), ("", "empty", .text), ("---\na: b\n---\n", "x.md", .notes),
        ("---\na: b\n---\n", "x.txt", .text), ("[draft] a list of notes", "todo.txt", .text),
        ("[{\"title\":\"x\",\"mapping\": {}}]", "conversations.json", .chatgpt),
        ("{\"uuid\":\"x\", \"chat_messages\" :[]}", "one.json", .claude), ("[1]", "list.json", .jsonl),
        ("{\"content\":\"x\",\"attributes\":{\"mapping\":\"y\"}}", "x", .jsonl),
        ("{\"content\":\"the \\\"mapping\\\":{}\"}", "x", .jsonl),
    ])
    func `is told by its first lines`(text: String, name: String, format: ImportFormat) throws {
        let path = try folder.write(name, text)
        #expect(try ImportSource.find(at: path) == [ImportSource(path: path, name: name, format: format)])
    }

    @Test func `may be compressed`() throws {
        let path = try folder.write("changelog", "dpkg (1.2) unstable; urgency=low\n\n  * A.\n")
        try folder.run("gzip", path)
        let sources = try ImportSource.find(at: path + ".gz")
        #expect(sources.map(\.format) == [.debianChangelog])
    }

    @Test func `that is cut short while compressed gives what it has, and an error`() throws {
        let lines = (0..<5_000).map { "{\"content\":\"line \($0) \(($0 &* 7_919) % 10_007)\"}\n" }.joined()
        let path = try folder.write("lines", lines)
        try folder.run("gzip", path)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path + ".gz"))
        let cut = try folder.write("cut.gz", Array(whole.prefix(whole.count / 2)))
        let results = Array(try ImportSource(path: cut, name: "cut", format: .jsonl).reader())
        #expect(results.count > 100)
        guard case .failure(let error) = results.last else { throw Unexpected() }
        #expect(error.isFatal)
        #expect(error.message.contains("gzip"))
    }

    @Test func `of a folder is each file that holds text`() throws {
        try folder.write("b/notes.md", "# N\n\nx")
        try folder.write("a.jsonl", "{}")
        try folder.write("b/changelog", "dpkg (1.2) unstable; urgency=low\n")
        try folder.write("b/data.bin", "x")
        try folder.write("b/zeros.txt", [0x61, 0])
        try folder.write(".hidden/x.md", "x")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/link.md", withDestinationPath: folder.path + "/b/notes.md")
        let name = URL(fileURLWithPath: folder.path).lastPathComponent
        let sources = try ImportSource.find(at: folder.path)
        #expect(sources.map(\.name) == ["\(name)/a.jsonl", "\(name)/b/changelog", "\(name)/b/notes.md"])
        #expect(sources.map(\.format) == [.jsonl, .debianChangelog, .text])
    }

    @Test func `is what the caller says it is`() throws {
        let path = try folder.write("x", "{\"content\":\"x\"}")
        #expect(try ImportSource.find(at: path, format: .text).map(\.format) == [.text])
    }

    @Test func `may be a pipe, whose form is told when it is read`() throws {
        for (text, count) in [
            ("{\"content\":\"a\"}\n{\"content\":\"b\"}\n", 2), ("# A\n\nx\n", 1), ("x", 1), ("", 0),
            ("a (1) u; urgency=low\n\n  * D.\n\n -- F <g@h>  Thu, 11 May 2023 03:15:00 +0200\n", 1),
            ("[{\"chat_messages\":[{\"sender\":\"a\",\"text\":\"b\"}]}]", 1),
        ] {
            let path = folder.path + "/pipe"
            try folder.run("mkfifo", path)
            let file = try folder.write("file", text)
            let writer = Process()
            writer.executableURL = URL(fileURLWithPath: "/bin/sh")
            writer.arguments = ["-c", "cat '\(file)' > '\(path)'"]
            try writer.run()
            let sources = try ImportSource.find(at: path)
            #expect(sources.map(\.format) == [nil])
            #expect(!sources[0].canBeReadTwice)
            #expect(try sources[0].reader().map { try $0.get() }.count == count)
            writer.waitUntilExit()
            try FileManager.default.removeItem(atPath: path)
        }
    }

    @Test func `on standard input is told by its first bytes too`() throws {
        try Shell.run { shell in
            try shell.write("{\"content\":\"a\"}\n", to: "lines.jsonl")
            for line in [
                "loci import - < lines.jsonl", "cat lines.jsonl | loci import - --json",
                "loci import <(cat lines.jsonl)", "loci import /dev/stdin < lines.jsonl",
                "printf 'a (1) u; urgency=low\\n\\n  * D.\\n\\n -- F <g@h>  Thu, 11 May 2023 03:15:00 +0200\\n' | loci import -",
                "printf '' | loci import -",
            ] {
                let answer = try shell.bash(line)
                #expect(answer.status == 0, "\(line): \(answer.errors)")
            }
            #expect(try shell.loci("list", "--json").lines.count == 2)
            let compressed = try shell.bash("gzip -c lines.jsonl | loci import -")
            #expect(compressed.status == 1 && compressed.errors.contains("gzip -dc"))
            #expect(try shell.bash("gzip -c lines.jsonl > a.gz; loci import - < a.gz").status == 1)
        }
    }

    @Test func `that is a zip archive is refused with a word for what to do`() throws {
        let path = try folder.write("export.zip", Array("PK\u{3}\u{4}".utf8) + [0, 0])
        let error = #expect(throws: ImportError.self) { try ImportSource.find(at: path) }
        #expect(error?.message.contains("unpack") == true)
    }

    @Test func `that is not there, not text, empty or no repository is refused by name`() throws {
        let binary = try folder.write("image", [0x89, 0x50, 0, 1])
        let empty = try TemporaryFolder()
        for (path, format, message): (String, ImportFormat?, String) in [
            (folder.path + "/none", nil, "there is no"), (binary, nil, "byte 0"),
            (binary, .git, "no folder of a git"),
            (empty.path, nil, "holds no text"),
        ] {
            let error = #expect(throws: ImportError.self) { try ImportSource.find(at: path, format: format) }
            #expect(error?.message.contains(message) == true)
            #expect(error?.isFatal == true)
        }
        // Git's own words; it looks for a repository in the folders above, too.
        let error = #expect(throws: ImportError.self) {
            try ImportSource(path: "/", name: "/", format: .git).reader()
        }
        #expect(error?.message.contains("not a git repository") == true)
    }

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func `of any bytes gives memories or errors, in order`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let bases = [
            "{\"content\":\"a\",\"tags\":[\"x\"],\"vectors\":{\"m/2\":[1,2]},\"happenedAt\":\"2024-01-02\"}\n{\"content\":\"b\"}\n",
            "a (1) u; urgency=low\n\n  [ B C ]\n  * D #1234.\n    - e\n\n -- F <g@h>  Thu, 11 May 2023 03:15:00 +0200\n",
            "# A\n\ntext\n\nB\n---\n\n```\n# no\n```\n## C ##\nmore\n",
        ]
        for _ in 0..<60 {
            let base = Array((random.choice(bases) + random.choice(bases)).utf8)
            let path = try folder.write("any", random.damaged(base))
            for format in [ImportFormat.jsonl, .debianChangelog, .text] {
                var last = 0
                for case .success(let item) in try ImportSource(path: path, name: "any", format: format)
                    .reader()
                {
                    #expect(item.line >= last)
                    last = item.line
                    #expect(item.draft != nil || format == .jsonl)
                }
            }
        }
    }

    @Test func `tells how far it has come`() throws {
        let path = try folder.write("x.jsonl", "{\"content\":\"a\"}\n{\"content\":\"b\"}\n")
        let reader = try ImportSource(path: path, name: "x", format: .jsonl).reader()
        #expect(reader.progress == ImportProgress(done: 0, total: 32, unit: .bytes))
        #expect(Array(reader).count == 2)
        #expect(reader.progress.done == 32)
    }
}

@Suite struct `A line reader` {
    private func lines(_ bytes: [UInt8], maximum: Int = 100) throws -> [String] {
        let folder = try TemporaryFolder()
        let path = try folder.write("x", bytes)
        var reader = LineReader(try ByteStream(path: path), maximumByteCount: maximum)
        var lines: [String] = []
        while let line = try reader.next() {
            #expect(line.number == lines.count + 1)
            lines.append(String(decoding: line.bytes, as: UTF8.self) + (line.isTooLong ? "…" : ""))
        }
        return lines
    }

    @Test(arguments: [
        ("", []), ("\n", [""]), ("a", ["a"]), ("a\n", ["a"]), ("a\n\nb", ["a", "", "b"]), ("\n\n", ["", ""]),
        ("a\r\nb", ["a\r", "b"]),
    ])
    func `gives what stands between the ends of lines`(text: String, expected: [String]) throws {
        #expect(try lines(Array(text.utf8)) == expected)
    }

    @Test func `cuts a line that is too long, and goes on behind it`() throws {
        #expect(try lines(Array("abcd\nabcdef\nx".utf8), maximum: 4) == ["abcd", "abcd…", "x"])
        let long = [UInt8](repeating: 0x61, count: 1 << 20) + Array("\nend".utf8)
        #expect(try lines(long, maximum: 3) == ["aaa…", "end"])
    }

    @Test func `is not disturbed by where the pieces of a stream end`() throws {
        let expected = (0..<60_000).map { "line \($0) " + String(repeating: "x", count: $0 % 23) }
        #expect(try lines(Array(expected.joined(separator: "\n").utf8)) == expected)
    }
}
