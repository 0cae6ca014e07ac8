import Testing

@testable import loci

@Suite struct `The command, asked who is who` {
    private let changelog = """
        atlas (1.2) unstable; urgency=low

          * Send mail in the background.

         -- Ada Lovelace <ada@host.example>  Thu, 11 May 2023 03:15:00 +0200

        atlas (1.1) unstable; urgency=low

          [ Bob Ross ]
          * Paint it.

          [ Ada Lovelace ]
          * Count it.

         -- Ada Lovelace <al@other.example>  Mon,  2 Jan 2023 00:00:00 -0130

        """

    @Test func `puts people of an import together, says why, and takes it back for good`() throws {
        try Shell.run { shell in
            let imported = try shell.loci(
                "import", "-", "--format", "debian-changelog", input: Array(changelog.utf8))
            #expect(imported.status == 0, "\(imported.errors)")
            #expect(imported.errors.contains("2 names with addresses are one person"), "\(imported.errors)")

            let people = try shell.loci("people", "--json")
            #expect(people.lines.count == 1, "\(people.output) \(people.errors)")
            let ada = try JSONParser.parse(people.lines[0])
            #expect(ada["name"]?.string == "Ada Lovelace")
            #expect(
                ada["identities"]?.array?.compactMap { $0["address"]?.string }.sorted() == [
                    "ada@host.example", "al@other.example",
                ])
            #expect(ada["merges"]?.array?.count == 2)
            #expect(ada["aliases"]?.array?.count == 3)

            let shown = try shell.loci("people", "AL@other.example", "--merges").output
            #expect(
                shown.contains("Ada Lovelace = al@other.example  stands beside it (al@other.example)"),
                "\(shown)")
            #expect(try shell.loci("people", "Bob Nobody").status == ExitStatus.notFound)

            let merge = try #require(
                ada["merges"]?.array?.first { $0["rule"]?.string?.contains("al@") ?? false })
            #expect(try shell.loci("unlink", #require(merge["id"]?.string)).status == 0)
            #expect(try shell.loci("people", "--json", "--resolve").lines.count == 2)
        }
    }
}
