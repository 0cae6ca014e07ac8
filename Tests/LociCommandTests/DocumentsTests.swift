import MemoryEngine
import Testing

@testable import loci

@Suite struct `A document` {
    private func items(_ text: String, name: String = "guide.md") throws -> [ImportItem] {
        let folder = try TemporaryFolder()
        let path = try folder.write(name, text)
        return try ImportSource(path: path, name: "docs/\(name)", format: .text).reader().map { try $0.get() }
    }

    @Test func `gives each section with the headings above it`() throws {
        let items = try items(
            "Before.\n\n# Guide\n\nIntro.\n\n## Set up ##\n\n### Debian 12\n\nInstall it.\n\n## Use\nRun it.\n"
        )
        let drafts = items.compactMap(\.draft)
        #expect(
            drafts.map(\.content) == [
                "Before.", "Guide\n\nIntro.", "Debian 12\n\nInstall it.", "Use\n\nRun it.",
            ])
        #expect(
            drafts.map(\.key) == [
                "file:docs/guide.md", "file:docs/guide.md#guide", "file:docs/guide.md#debian-12",
                "file:docs/guide.md#use",
            ])
        #expect(drafts[2].attributes["heading"] == "Guide > Set up > Debian 12")
        #expect(drafts[2].keywords == ["Guide", "Set up"])
        #expect(drafts[3].attributes == ["path": "docs/guide.md", "heading": "Guide > Use"])
        #expect(
            drafts.allSatisfy { $0.kind == .document && $0.thread == "docs/guide.md" && $0.happened != nil })
        #expect(items.map(\.line) == [2, 6, 12, 14])
    }

    @Test func `takes underlined headings, and none in blocks of code or settings`() throws {
        let drafts = try items(
            "---\ntitle: x\n# no\n---\n\nOne\n===\n\na\n\n```sh\n# no\n```\n\nTwo\n---\n~~~~\n# no\n~~~\n# no\n~~~~\n- item\n---\nb\n"
        ).compactMap(\.draft)
        #expect(drafts.map { $0.content.prefix(3) } == ["---", "One", "Two"])
        #expect(drafts[1].content.contains("# no"))
        #expect(drafts[2].content.hasSuffix("- item\n---\nb"))
    }

    @Test func `numbers sections of one name`() throws {
        let keys = try items("# A\n1\n# A\n2\n# A!\n3\n").compactMap(\.draft?.key)
        #expect(keys == ["file:docs/guide.md#a", "file:docs/guide.md#a-1", "file:docs/guide.md#a-2"])
    }

    @Test func `in plain text is one memory`() throws {
        let drafts = try items("Title\n=====\n\n# not a heading\n", name: "notes.txt").compactMap(\.draft)
        #expect(drafts.map(\.content) == ["Title\n=====\n\n# not a heading"])
        #expect(drafts[0].key == "file:docs/notes.txt")
    }

    @Test(arguments: ["", "\n\n", "# Only\n## Headings\n"])
    func `that says nothing gives nothing`(text: String) throws {
        #expect(try items(text).isEmpty)
    }

    @Test func `leaves out a line that is not UTF-8, and names it`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("x.md", Array("# A\nb\n".utf8) + [0xC3, 0x0A] + Array("c".utf8))
        let results = Array(try ImportSource(path: path, name: "x.md", format: .text).reader())
        guard results.count == 2, case .failure(let error) = results[0] else { throw Unexpected() }
        #expect(error.line == 3)
        #expect(try results[1].get().draft?.content == "A\n\nb\nc")
    }

    @Test(arguments: [
        ("# A", 1, "A"), ("###### F", 6, "F"), ("   ## B ##  ", 2, "B"), ("#\tC", 1, "C"), ("# C#", 1, "C#"),
    ])
    func `has headings`(line: String, level: Int, title: String) {
        let heading = Documents.heading(line)
        #expect(heading?.level == level)
        #expect(heading?.title == title)
    }

    @Test(arguments: ["#A", "####### G", "    # code", "#", "# #", "text", ""])
    func `has no other headings`(line: String) {
        #expect(Documents.heading(line) == nil)
    }

    @Test func `cuts a section that is too long at the end of a line`() throws {
        let line = String(repeating: "word ", count: 20_000)
        let drafts = try items("# A\n" + String(repeating: line + "\n", count: 100)).compactMap(\.draft)
        #expect(drafts.count == 2)
        #expect(drafts.map(\.key) == ["file:docs/guide.md#a", "file:docs/guide.md#a-1"])
        #expect(drafts.allSatisfy { $0.content.utf8.count < 9 << 20 })
    }
}
