import MemoryEngine
import Testing

@testable import loci

@Suite struct `A Debian changelog` {
    private func results(_ bytes: [UInt8]) throws -> [Result<ImportItem, ImportError>] {
        let folder = try TemporaryFolder()
        let path = try folder.write("changelog", bytes)
        return Array(try ImportSource(path: path, name: "changelog", format: .debianChangelog).reader())
    }

    private func results(_ text: String) throws -> [Result<ImportItem, ImportError>] {
        try results(Array(text.utf8))
    }

    private let good = """
        atlas (2:1.4-3~deb12) bookworm stable; urgency=medium, binary-only=yes

          [ Ann Example ]
          * Fix the crash when a token
            has expired. Closes: #123456, #654321
            - even at night
            * and inside
          * Drop the old door.

          [ Upstream changes for 1.4 ]
          * New release.

         -- Bob Example <bob@host.example>  Thu, 11 May 2023 03:15:00 +0200

        atlas (1.3-1) unstable; urgency=low

          No bullet here,
          two lines.

         -- Ann Example <ann@host.example>  Mon,  2 Jan 2023 00:00:00 -0130

        """

    @Test func `gives each change with who, when, version and bugs`() throws {
        let items = try results(good).map { try $0.get() }
        let drafts = items.compactMap(\.draft)
        #expect(
            drafts.map(\.content) == [
                "atlas 2:1.4-3~deb12: Fix the crash when a token has expired. Closes: #123456, #654321\n  - even at night\n  "
                    + "* and inside",
                "atlas 2:1.4-3~deb12: Drop the old door.", "atlas 2:1.4-3~deb12: New release.",
                "atlas 1.3-1: No bullet here, two lines.",
            ])
        #expect(drafts.map(\.actor) == ["Ann Example", "Ann Example", "Bob Example", "Ann Example"])
        #expect(
            drafts.map(\.key) == [
                "deb:atlas/2:1.4-3~deb12/1", "deb:atlas/2:1.4-3~deb12/2", "deb:atlas/2:1.4-3~deb12/3",
                "deb:atlas/1.3-1/1",
            ])
        // The address is that of who signed, and nobody else's.
        #expect(drafts.map { $0.attributes["email"] } == [nil, nil, "bob@host.example", "ann@host.example"])
        #expect(drafts[0].happened?.lowerBound.description == "2023-05-11T01:15:00Z")
        #expect(drafts[3].happened?.lowerBound.description == "2023-01-02T01:30:00Z")
        #expect(drafts[0].keywords == ["atlas", "2:1.4-3~deb12", "#123456", "#654321"])
        #expect(
            drafts[0].attributes == [
                "package": "atlas", "version": "2:1.4-3~deb12", "distribution": "bookworm stable",
                "urgency": "medium",
            ])
        #expect(drafts[0].kind == .event)
        #expect(drafts[0].thread == "atlas")
        #expect(drafts[0].tags == ["changelog"])
        // The last item of an entry uses up the line of its signature.
        #expect(items.map(\.line) == [7, 8, 13, 20])
    }

    @Test func `skips an entry that is malformed, names its line, and goes on`() throws {
        let text = """
            atlas (3) unstable; urgency=low

              * Lost: nobody signed.

            atlas (2) unstable; urgency=low

              * Lost: no such day.

             -- Bob <bob@host.example>  Thu, 31 Feb 2023 03:15:00 +0200

            some noise
            more noise

            """
        let results = try results(text + good)
        let errors = results.compactMap { result -> ImportError? in
            if case .failure(let error) = result { error } else { nil }
        }
        #expect(errors.map(\.line) == [1, 9, 11])
        #expect(errors.map(\.isFatal) == [false, false, false])
        #expect(errors[0].message.contains("atlas/3"))
        #expect(errors[1].message.contains("31 Feb"))
        #expect(errors[2].message.contains("some noise"))
        #expect(results.count == errors.count + 4)
    }

    @Test func `that breaks off is told of`() throws {
        let results = try results("atlas (3) unstable; urgency=low\n\n  * Lost.\n")
        guard results.count == 1, case .failure(let error) = results[0] else { throw Unexpected() }
        #expect(error.line == 1)
    }

    @Test func `may end in remarks of editors and tools`() throws {
        let remarks =
            "# Older entries have been removed from this changelog.\nLocal variables:\nmode: debian-changelog\nEnd:\n"
        #expect(try results(good + remarks).allSatisfy { (try? $0.get()) != nil })
    }

    @Test func `gives a version that stands there twice keys of its own`() throws {
        let keys = try results(good + "\n" + good).map { try #require(try $0.get().draft?.key) }
        #expect(keys.count == 8)
        #expect(Set(keys).count == 8)
        #expect(keys.last == "deb:atlas/1.3-1~2/1")
    }

    @Test func `reads names in Latin-1`() throws {
        let text =
            Array("atlas (1) unstable; urgency=low\n\n  * X.\n\n -- J".utf8) + [0xF6]
            + Array("rg <j@host.example>  Thu, 11 May 2023 03:15:00 +0200\n".utf8)
        #expect(try results(text).map { try $0.get().draft?.actor } == ["Jörg"])
    }

    @Test(arguments: [
        ("Thu, 11 May 2023 03:15:00 +0200", "2023-05-11T01:15:00Z"),
        ("11 May 2023 03:15:00 +0000", "2023-05-11T03:15:00Z"),
        ("Mon,  6 Nov 95 03:15:00 EST", "1995-11-06T08:15:00Z"),
        ("Thu, 11 May 2023 3:05 GMT", "2023-05-11T03:05:00Z"),
        ("Thu, 11 September 2003 03:15:00 +0530", "2003-09-10T21:45:00Z"),
        ("Thu, 11 May 2023 03:15:00 +0200 (CEST)", "2023-05-11T01:15:00Z"),
    ])
    func `has dates as mail has them`(text: String, expected: String) {
        #expect(MailDate.parse(text[...])?.description == expected)
    }

    @Test(arguments: [
        "", "yesterday", "Thu, 32 May 2023 03:15:00 +0200", "Thu, 11 Mai 2023 03:15:00 +0200", "11 May 2023",
        "Thu, 11 May 2023 25:15:00 +0200", "Thu, 11 May 2023 03:15:00 +02", "Thu, 11 May 2023 03:15:00 NOPE",
        "Thu, -1 May 2023 03:15:00 +0200", "Thu, 11 May 2023 03:-5:00 +0200",
        "99999999999999999999 May 2023 03:15:00 Z",
    ])
    func `has no other dates`(text: String) {
        #expect(MailDate.parse(text[...]) == nil)
    }
}
