import ArgumentParser
import Foundation
import MemoryEngine
import Server

struct UserCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user",
        abstract: "Say who may log in to a server, and what they may do.",
        usage: "loci user <name> --users <file> (--grant <right:namespace> ... | --remove)",
        discussion: """
              loci user ada --users users.txt --grant write:user/ada --grant read:project/atlas < password.txt
              loci user ops --users users.txt --grant admin:* < password.txt
              loci user ops --users users.txt --remove

            The password is the first line of standard input. What is kept is its scrypt hash, in a file that only its owner \
            can read; each line is a user. Rights are read, write and admin, each with those before it, on a \
            namespace and what lies in it, on a tenant (@acme) or on everything (*). A server reads the file when it starts.
            """)

    @Argument(help: "The name of the user.")
    var name: String
    @Option(help: ArgumentHelp("The file of users.", valueName: "file"), completion: .file())
    var users: String
    @Option(
        help: ArgumentHelp("A right and where; may be given again.", valueName: "right:namespace"),
        transform: { try Grant($0) })
    var grant: [Grant] = []
    @Flag(help: "Take the user out of the file.")
    var remove = false

    func validate() throws {
        guard remove != !grant.isEmpty else {
            throw ValidationError(
                "say what the user may do with --grant, as write:project/atlas, or --remove")
        }
    }

    func run() throws {
        var known = FileManager.default.fileExists(atPath: users) ? try Users.read(users) : []
        let place = known.firstIndex { $0.name == name }
        if remove {
            guard let place else { throw EngineError(.notFound, "there is no user `\(name)` in \(users)") }
            known.remove(at: place)
        } else {
            if Terminal.isInputTerminal { Terminal.note("type the password, which is shown, and a new line") }
            guard let password = readLine(strippingNewline: true) else {
                throw EngineError(.invalid, "standard input has no password")
            }
            let user = try User(name: name, password: Array(password.utf8), grants: grant)
            if let place { known[place] = user } else { known.append(user) }
        }
        try write(known.map { $0.line + "\n" }.joined())
        Terminal.print("\(name)  \(remove ? "removed" : grant.map(\.description).joined(separator: " "))")
    }

    /// Puts a new file in the place of the old one, which only its owner can read at any time.
    private func write(_ text: String) throws {
        let path = users + ".new"
        try? FileManager.default.removeItem(atPath: path)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else { throw EngineError(.io, "\(path) cannot be made") }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try file.write(contentsOf: Data(text.utf8))
        try file.synchronize()
        guard rename(path, users) == 0 else { throw EngineError(.io, "\(users) cannot be written") }
    }
}
