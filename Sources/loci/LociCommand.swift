import ArgumentParser
import Foundation
import MemoryEngine

/// The command `loci`; each verb has a file in `Verbs`.
struct LociCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "loci",
        abstract:
            "A memory for agents: remembers text with its words and vectors, and finds what answers a question.",
        discussion: """
            A store is a directory; name it with --store PATH or LOCI_STORE. Memories belong to a \
            namespace: project/NAME, user/NAME or agent/NAME, with /session/NAME behind; name it \
            with --namespace PATH or LOCI_NAMESPACE.

              export LOCI_STORE=~/memories LOCI_NAMESPACE=project/atlas
              loci remember "The deploy failed: its token had expired."
              loci recall "Why did the deploy fail?"
              loci import docs README.md
              loci export > everything.jsonl

            Where a server has the store open (loci serve), verbs that have a command in its protocol, import and export ask \
            it, with --connect HOST:PORT or LOCI_URL; the others are for the files. LOCI_PASSWORD is the password of \
            redis://USER@HOST:PORT, and LOCI_CA a file of certificates for rediss://HOST:PORT (TLS).

              export LOCI_URL=redis://ada@127.0.0.1:6399

            What the environment does not say of LOCI_STORE, LOCI_URL, LOCI_PASSWORD, and of services that make vectors \
            (loci help embedders), may stand in a file `.env` of the working directory.

            A NAME has 1 to 128 bytes without `/` and control characters. On the command line `=` and `,` in \
            it stand behind a backslash, because recall takes weights: 'project/a\\=b'.

            Times are \(TimeArgument.accepted).

            EXIT STATUS

              0    done
              1    refused or failed; check found problems
              2    not found: a memory, a home, a store, a file
              64   the command line is wrong
              70   crashed: run loci check
              130  interrupted

            COMPLETION of verbs and options by the shell

              loci --generate-completion-script bash > ~/.loci.bash    # then in ~/.bashrc: . ~/.loci.bash
              loci --generate-completion-script zsh > ~/.zfunc/_loci    # a folder of $fpath
              loci --generate-completion-script fish > ~/.config/fish/completions/loci.fish
            """,
        version: Loci.version,
        groupedSubcommands: [
            CommandGroup(
                name: "Every day",
                subcommands: [
                    RememberCommand.self, RecallCommand.self, ExplainCommand.self, GetCommand.self,
                    ListCommand.self,
                    UpdateCommand.self, SupersedeCommand.self, RetractCommand.self, PromoteCommand.self,
                    RecordCommand.self, ForgetCommand.self,
                ]),
            CommandGroup(
                name: "Along edges",
                subcommands: [
                    WhyCommand.self, ContextCommand.self, NeighborsCommand.self, PathCommand.self,
                    LinkCommand.self, UnlinkCommand.self, PeopleCommand.self, ConsolidateCommand.self,
                ]),
            CommandGroup(
                name: "In and out",
                subcommands: [
                    ImportCommand.self, ExportCommand.self, ChangesCommand.self, HomesCommand.self,
                    NamespacesCommand.self, ServeCommand.self, UserCommand.self,
                ]),
            CommandGroup(
                name: "Keeping it well",
                subcommands: [
                    StatsCommand.self, CheckCommand.self, DumpCommand.self, CompactCommand.self,
                    VacuumCommand.self, RebuildCommand.self, IndexCommand.self, TuneCommand.self,
                    ReembedCommand.self, EmbedCommand.self, EmbeddersCommand.self, ModelCommand.self,
                    SpacesCommand.self,
                    SnapshotCommand.self, RestoreCommand.self,
                    MeasureCommand.self,
                ]),
        ])
}

/// Runs the command that the arguments name, and ends with its exit status.
@main
enum Program {
    static func main() async {
        Signals.explainCrashes()
        Signals.ignoreFileLimit()
        let asksJSON = CommandLine.arguments.contains("--json")
        do {
            var command = try LociCommand.parseAsRoot()
            try checkHelp()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let exit as ExitCode {
            Glibc.exit(exit.rawValue)
        } catch {
            Glibc.exit(report(error, asJSON: asksJSON))
        }
    }

    /// The parser gives the general help for `help NAME` of any name.
    private static func checkHelp() throws {
        let arguments = CommandLine.arguments.dropFirst().filter { !$0.hasPrefix("-") }
        guard arguments.first == "help", let name = arguments.dropFirst().first, name != "help" else {
            return
        }
        let verbs = LociCommand.configuration.groupedSubcommands.flatMap(\.subcommands)
        guard !verbs.contains(where: { $0.configuration.commandName == name }) else { return }
        throw ValidationError("there is no verb `\(name)`")
    }

    /// The parser takes `-1` behind an option for another option, and says that the value is missing.
    private static func hint(for message: String) -> String {
        let parts = message.split(separator: "'")
        guard parts.count > 1, parts[0].hasPrefix("Missing value for"),
            let option = parts[1].split(separator: " ").first.map(String.init),
            let place = CommandLine.arguments.firstIndex(of: option), place + 1 < CommandLine.arguments.count,
            CommandLine.arguments[place + 1].hasPrefix("-")
        else { return "" }
        return ". If `\(CommandLine.arguments[place + 1])` is meant, write "
            + "\(option)=\(CommandLine.arguments[place + 1])"
    }

    /// Says what went wrong, or gives the help that was asked for. Returns the exit status.
    static func report(_ error: any Error, asJSON: Bool) -> Int32 {
        let status = LociCommand.exitCode(for: error)
        if status.isSuccess {
            print(LociCommand.fullMessage(for: error))
            return 0
        }
        guard status == .validationFailure else {
            let failure = Failure(error)
            failure.report(asJSON: asJSON)
            return failure.status
        }
        let message = LociCommand.message(for: error)
        Failure(
            "usage", (message.isEmpty ? "\(error)" : message) + hint(for: message), status: ExitStatus.usage
        ).report(asJSON: asJSON)
        if !asJSON {
            Terminal.note("      `loci help` lists the verbs, `loci help VERB` says how to use one.")
        }
        return ExitStatus.usage
    }
}
