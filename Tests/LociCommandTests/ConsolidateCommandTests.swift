import Testing

@testable import loci

@Suite struct `The command, asked to consolidate` {
    @Test func `tells what each step found, shows it, and takes it back`() throws {
        try Shell.run { shell in
            for text in [
                "The deploy failed: its token had expired.", "the deploy failed, its token had expired",
            ] {
                #expect(try shell.loci("remember", text).status == 0)
            }
            let told = try shell.loci("consolidate")
            #expect(
                told.status == 0
                    && told.lines.contains { $0.hasPrefix("duplicates") && $0.hasSuffix("1 new") })
            #expect(told.lines.contains { $0.hasPrefix("words") && $0.contains("left out") })
            let again = try JSONParser.parse(
                try shell.loci("consolidate", "--only", "duplicates", "--json").output)
            #expect(again["steps"]?.array?.map { $0["found"] } == [.number(0)])

            let listed = try shell.loci("consolidate", "--list", "--json")
            #expect(listed.lines.count == 1)
            let conclusion = try JSONParser.parse(listed.lines[0])
            #expect(
                conclusion["step"]?.string == "duplicates"
                    && conclusion["says"]?.string?.contains("same") == true)
            #expect(conclusion["edge"]?["kind"]?.string == "duplicateOf")
            #expect(try shell.loci("consolidate", "--list").output.contains("the deploy failed, its token"))

            #expect(try shell.loci("consolidate", "--undo").output.contains("1 conclusions taken back"))
            #expect(try shell.loci("consolidate", "--list").output.isEmpty)
            #expect(try shell.loci("consolidate", "--list", "--undo").status == ExitStatus.usage)
            #expect(try shell.loci("consolidate", "--only", "dreams").status == ExitStatus.usage)
        }
    }
}
