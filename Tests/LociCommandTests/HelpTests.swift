import ArgumentParser
import Foundation
import TestSupport
import Testing

@testable import loci

@Suite struct `The help` {
    private static let verbs: [any ParsableCommand.Type] =
        [LociCommand.self] + LociCommand.configuration.groupedSubcommands.flatMap(\.subcommands)

    /// The lines of a discussion that can be pasted.
    private static func examples(of verb: any ParsableCommand.Type) -> [String] {
        verb.configuration.discussion.split(separator: "\n").filter { $0.hasPrefix("  ") }
            .map { String($0.drop { $0 == " " }) }
            .filter { line in ["loci ", "export ", "cat "].contains { line.hasPrefix($0) } }
    }

    @Test func `of every verb has examples, a usage and an abstract of one line`() {
        for verb in Self.verbs {
            let name = verb.configuration.commandName ?? ""
            #expect(!verb.configuration.abstract.isEmpty)
            #expect(!Self.examples(of: verb).isEmpty, "\(name)")
            #expect(
                Self.examples(of: verb).contains { $0.contains(name == "loci" ? "loci " : "loci \(name)") })
            for line in verb.configuration.discussion.split(separator: "\n") where line.hasPrefix("  ") {
                #expect(line.count <= 100, "\(line)")
            }
            let help = LociCommand.helpMessage(for: verb, columns: 80)
            #expect(help.contains(name == "loci" ? "USAGE: loci" : "USAGE: loci \(name)"), "\(help)")
        }
    }

    @Test func `names the exit status and the completion`() {
        let help = LociCommand.helpMessage(columns: 100)
        for status in [
            0, ExitStatus.failure, ExitStatus.notFound, ExitStatus.usage, Signals.crashStatus,
            Signals.interruptStatus,
        ] {
            #expect(help.contains("\n  \(status) "), "\(status)")
        }
        #expect(help.contains("--generate-completion-script bash"))
    }

    /// What the examples speak of.
    private func prepare(_ shell: Shell) throws {
        try TinyModel(seed: 1).write(to: shell.folder + "/all-MiniLM-L6-v2")
        try shell.write("What was said.\n", to: "notes.txt")
        try shell.write("a line of a log\n", to: "log.txt")
        try shell.write("no pixels\n", to: "photo.png")
        try shell.write("correct horse\n", to: "password.txt")
        try shell.write("a-key-of-nobody\n", to: "key.txt")
        try shell.write("{\"content\":\"A fact.\"}\n", to: "facts.jsonl")
        try shell.write("# Atlas\n\nRead me.\n", to: "README.md")
        try shell.write("# Guide\n\nText.\n", to: "docs/guide.md")
        try shell.write("---\ntags: [a]\n---\nSee [[Other]].\n", to: "vault/note.md")
        try shell.write(
            #"[{"uuid":"c","name":"t","chat_messages":[{"uuid":"m","sender":"human","text":"Hi."}]}]"#,
            to: "conversations.json")
        try shell.write(
            "atlas (1.0) unstable; urgency=low\n\n  * A.\n\n -- A B <a@host.example>  Thu, 11 May 2023 03:15:00 +0200\n",
            to: "changelog.Debian")
        let made = try shell.bash(
            """
            set -e
            mkdir -p backup bin .zfunc .config/fish/completions
            ln -s /bin/cat bin/less
            gzip changelog.Debian
            git init -q src/atlas
            git -C src/atlas -c user.name=A -c user.email=a@host.example commit -q --allow-empty -m First
            loci remember 'The deploy failed: its token had expired.' -n project/atlas > /dev/null
            loci remember 'The limit is 100.' --key api-limit > /dev/null
            loci remember 'Whoever measures draws words from texts like this one.' > /dev/null
            loci remember 'Of a tenant.' -n @acme/project/x > /dev/null
            loci remember 'In a session.' -n project/atlas/session/s1 > /dev/null
            loci remember 'Deploy 80 was late.' --key deploy/80 > /dev/null
            loci remember 'Deploy 81 failed. Closes: #1234' --key deploy/81 > /dev/null
            loci remember 'The timer was removed. Fixes: #12' > /dev/null
            loci link deploy/81 deploy/80 --as causedBy > /dev/null
            loci snapshot backup/atlas.loci > /dev/null
            loci export > backup.jsonl
            """)
        try #require(made.status == 0, "\(made.errors)")
    }

    @Test func `has examples that work when they are pasted`() throws {
        try Shell.run { shell in
            try prepare(shell)
            for verb in Self.verbs {
                for example in Self.examples(of: verb) {
                    // A stream without an end.
                    if example.contains("--follow") { continue }
                    let isServer = example.hasPrefix("loci serve") && !example.contains("--print-config")
                    let command =
                        isServer ? Self.served(example) : try withIDs(example, shell)
                    let answer = try shell.bash("PATH=$PWD/bin:$PATH; \(command)")
                    // What the store knew yesterday is nothing.
                    // And a service that nobody has configured makes no vectors, nor is there an image here.
                    let expected: Int32 =
                        example.contains("loci get ID --as-of")
                        ? 2 : example.contains(" runpod-") || example.contains("--like") ? 1 : 0
                    #expect(answer.status == expected, "\(example)\n\(answer.errors)")
                }
            }
        }
    }

    /// The example as a server at a free port, which is ended as soon as it listens.
    private static func served(_ example: String) -> String {
        """
        exec 3< <(exec \(example) --port 0)
        server=$!
        grep -q -m 1 'listening at 127.0.0.1:' <&3 || exit 1
        kill -TERM $server
        wait $server
        """
    }

    /// The example with ids of memories that were made for it.
    private func withIDs(_ example: String, _ shell: Shell) throws -> String {
        var line = example
        if line.contains("RECALL-ID") {
            let recall = try shell.loci("recall", "deploy", "--receipt", "--json")
            line.replace("RECALL-ID", with: try #require(JSONParser.parse(recall.output)["id"]?.string))
        }
        let words = line.split(separator: " ").map(String.init)
        let place = words.firstIndex(of: "-n").map { words[$0 + 1] } ?? "project/atlas"
        if line.contains("NEW-ID") {
            line.replace("NEW-ID", with: try shell.remember("Another for \(example)", in: place))
        }
        if line.contains(" EDGE") {
            let linked = try shell.loci("link", "deploy/80", "deploy/81", "--as", "refersTo", "--json")
            line.replace(" EDGE", with: " " + (try #require(JSONParser.parse(linked.output)["id"]?.string)))
        }
        if line.contains("'ID@") {
            line.replace("'ID@", with: "'" + (try shell.remember("Evidence for \(example)", in: place)) + "@")
        }
        if line.contains(" ID") {
            let log = shell.folder + "/log.txt"
            let made = try shell.loci("remember", "For \(example)", "-n", place, "--attach", log, "--json")
            line.replace(" ID", with: " " + (try #require(JSONParser.parse(made.output)["id"]?.string)))
        }
        return line
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func `gives a completion script that the shell can read`(shellName: String) throws {
        try Shell.run { shell in
            let script = try shell.loci("--generate-completion-script", shellName)
            #expect(script.status == 0)
            for word in ["remember", "restore", "namespace", "everySecond", "debian-changelog"] {
                #expect(script.output.contains(word), "\(word)")
            }
            let path = try shell.write(script.output, to: "script")
            // Where the shell is not installed its script is not read.
            let check = try shell.bash(
                "command -v \(shellName) > /dev/null || exit 0; \(shellName) -n \(path)")
            #expect(check.status == 0, "\(check.errors)")
        }
    }
}
