import MemoryEngine
import Testing

@testable import loci

@Suite struct `A git history` {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.run("git", "init", "-q", "-b", "main", ".")
    }

    private func commit(
        _ arguments: String..., date: String = "2024-05-06T07:08:09+02:00", committed: String? = nil
    ) throws {
        try folder.run("git", "add", "--all")
        let author = [
            "GIT_AUTHOR_NAME": "Ann B", "GIT_AUTHOR_EMAIL": "ann@host.example", "GIT_AUTHOR_DATE": date,
        ]
        var committer = ["GIT_COMMITTER_NAME": "C", "GIT_COMMITTER_EMAIL": "c@host.example"]
        committer["GIT_COMMITTER_DATE"] = committed
        let message = try folder.write(".git/message", arguments.joined(separator: "\n\n"))
        try folder.run(
            "git", "commit", "-q", "--allow-empty", "--allow-empty-message", "--cleanup=verbatim", "-F",
            message,
            environment: author.merging(committer) { $1 })
    }

    private func drafts() throws -> [MemoryDraft] {
        try ImportSource(path: folder.path, name: "atlas", format: .git).reader().map {
            try #require(try $0.get().draft)
        }
    }

    @Test func `gives each commit with its author, date, message and paths, oldest first`() throws {
        try folder.write("a b", "1")
        try folder.write("d/é\n\"x", "2")
        try commit("First thing", "Because of -- reasons.\n\nTrailer: yes")
        try commit("Second", date: "2024-05-07T07:08:09Z")
        #expect(try ImportSource.find(at: folder.path).map(\.format) == [.git])
        let drafts = try drafts()
        #expect(drafts.map(\.content) == ["First thing\n\nBecause of -- reasons.\n\nTrailer: yes", "Second"])
        let first = drafts[0]
        guard case .string(let hash) = first.attributes["hash"] else { throw Unexpected() }
        #expect(hash.count == 40)
        #expect(first.key == "git:\(hash)")
        #expect(first.kind == .commit)
        #expect(first.actor == "Ann B")
        #expect(first.happened?.lowerBound.description == "2024-05-06T05:08:09Z")
        #expect(first.tags == ["commit"])
        #expect(first.keywords == [String(hash.prefix(7)), String(hash.prefix(12)), "a b", "d/é\n\"x"])
        #expect(first.attributes["files"] == 2)
        #expect(first.attributes["email"] == "ann@host.example")
        #expect(first.origin.source == "git:\(hash)")
        #expect(first.origin.trust == .verified)
        #expect(drafts[1].keywords.count == 2)
        #expect(drafts[1].thread == first.thread)
        #expect(try self.drafts() == drafts)
    }

    @Test func `takes messages that are empty, odd, or look like git's own output`() throws {
        try commit("")
        try commit("\u{1}commit deadbeef\nAuthor: X", "\u{1B}[31m")
        try commit("three")
        let contents = try drafts().map(\.content)
        #expect(contents.count == 3)
        #expect(contents[0].hasSuffix(", without a message"))
        #expect(contents[1] == "\u{1}commit deadbeef\nAuthor: X\n\n\u{1B}[31m")
    }

    @Test func `bounds the paths that become keywords`() throws {
        for number in 0..<70 { try folder.write("f\(number)", "x") }
        try folder.write(String(repeating: "d/", count: 140) + "deep", "x")
        try commit("many")
        let draft = try #require(try drafts().first)
        #expect(draft.keywords.count == 2 + 64)
        #expect(draft.attributes["files"] == 71)
        #expect(draft.keywords.allSatisfy { $0.utf8.count <= 256 })
    }

    @Test func `holds both sides of a merge`() throws {
        try commit("base")
        try folder.run("git", "checkout", "-q", "-b", "side")
        try folder.write("s", "1")
        try commit("side")
        try folder.run("git", "checkout", "-q", "main")
        try folder.write("m", "1")
        try commit("main")
        try folder.run(
            "git", "-c", "user.name=A", "-c", "user.email=a@host.example", "merge", "-q", "-m", "merge",
            "side")
        #expect(Set(try drafts().map(\.content)) == ["base", "side", "main", "merge"])
    }

    @Test func `gives parents before their children, whatever the dates say`() throws {
        let (noon, before, after) = ("2024-05-06T12:00:00Z", "2024-05-06T11:00:00Z", "2024-05-06T13:00:00Z")
        try commit("base", committed: noon)
        try folder.run("git", "checkout", "-q", "-b", "side")
        try commit("side", committed: before)
        try folder.run("git", "checkout", "-q", "main")
        try commit("main", committed: after)
        try folder.run(
            "git", "-c", "user.name=A", "-c", "user.email=a@host.example", "merge", "-q", "-m", "merge",
            "side", environment: ["GIT_COMMITTER_DATE": after, "GIT_AUTHOR_DATE": after])
        let contents = try drafts().map(\.content)
        #expect(contents.first == "base" && contents.last == "merge", "\(contents)")
        #expect(Set(contents) == ["base", "side", "main", "merge"])
    }

    @Test func `is called the same by every spelling of its path, and in every clone`() throws {
        try commit("one")
        let name = "atlas"
        try folder.run("git", "clone", "-q", ".", name)
        try folder.run("git", "-C", name, "remote", "remove", "origin")
        try folder.run("git", "clone", "-q", "--bare", name, "copies/atlas.git")
        try folder.run("git", "clone", "-q", "file://\(folder.path)/copies/atlas.git", "working-copy")
        try folder.run("git", "-C", name, "worktree", "add", "-q", "-b", "other", "../tree")
        try folder.run("ln", "-s", name, "link")
        for path in [
            "atlas", "atlas/", "atlas/.git", "atlas/../atlas", "copies/atlas.git", "working-copy", "tree",
            "link",
        ] {
            let sources = try ImportSource.find(at: folder.path + "/" + path)
            #expect(sources.map(\.format) == [.git])
            let threads = try sources[0].reader().map { try $0.get().draft?.thread }
            #expect(threads == [name], "\(path)")
        }
    }

    @Test(arguments: [
        ("ssh://git@host.example:2222/srv/atlas.git", "atlas"), ("git@host.example:atlas.git", "atlas"),
        ("https://host.example/group/atlas/", "atlas"), ("/srv/atlas/.git", "atlas"), ("atlas", "atlas"),
        ("", nil), ("..", nil), ("/", nil),
    ])
    func `is called by the last part of an address`(address: String, name: String?) {
        #expect(GitHistory.repositoryName(address) == name)
    }

    @Test func `without a commit is empty`() throws {
        #expect(try drafts().isEmpty)
    }

    @Test func `may be bare, shallow, or a second working tree`() throws {
        try commit("one")
        try commit("two")
        try folder.run("git", "clone", "-q", "--bare", ".", "bare.git")
        try folder.run("git", "clone", "-q", "--depth", "1", "file://\(folder.path)", "shallow")
        try folder.run("git", "worktree", "add", "-q", "-b", "other", "tree")
        for (name, count) in [("bare.git", 2), ("shallow", 1), ("tree", 2)] {
            let sources = try ImportSource.find(at: folder.path + "/" + name)
            #expect(sources.map(\.format) == [.git])
            #expect(try sources[0].reader().map { try $0.get() }.count == count, "\(name)")
        }
    }

    /// Writes a commit as git would not, and makes it the newest.
    private func commitRaw(_ text: String) throws {
        try folder.write(".git/raw", text)
        try folder.run(
            "sh", "-c",
            #"""
            (printf 'tree %s\n' $(git write-tree); printf "$(cat .git/raw)") > .git/object
            git update-ref HEAD $(git hash-object -t commit -w --literally .git/object)
            """#)
    }

    @Test func `gives messages in other encodings, and bytes of none, as text`() throws {
        let people =
            "author A <a@host.example> 1700000000 +0000\ncommitter A <a@host.example> 1700000000 +0000\n"
        for (header, content) in [("encoding ISO-8859-1\n", "café"), ("", "caf\u{FFFD}")] {
            try commitRaw(people + header + #"\ncaf\351"#)
            #expect(try drafts().map(\.content) == [content])
        }
    }

    @Test(arguments: ["-5", "253402300800", "none", "99999999999999999999999"])
    func `names the commit whose date cannot be read, or takes git's word for it`(date: String) throws {
        try commitRaw(
            "author A <a@host.example> \(date) +0000\ncommitter A <a@host.example> \(date) +0000\n\nlate")
        let results = Array(try ImportSource(path: folder.path, name: "atlas", format: .git).reader())
        #expect(results.count == 1)
        switch results.first {
        case .failure(let error): #expect(error.description.hasPrefix("commit 1: commit "))
        case .success(let item): #expect(item.draft?.happened != nil)
        case nil: break
        }
    }

    @Test func `counts its commits`() throws {
        try commit("one")
        try commit("two")
        let reader = try ImportSource(path: folder.path, name: "atlas", format: .git).reader()
        #expect(reader.progress == ImportProgress(done: 0, total: 2, unit: .commits))
        #expect(try reader.map { try $0.get().line } == [1, 2])
        #expect(reader.progress.done == 2)
    }
}
