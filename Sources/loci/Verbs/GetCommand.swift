import ArgumentParser
import Foundation
import MemoryEngine

struct GetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show a memory: now, as a version, as the store knew it then; or what a citation names.",
        usage: "loci get <memory> [options]",
        discussion: """
              loci get ID
              loci get api-limit --json
              loci get ID --as-of yesterday
              loci get ID --versions
              loci get 'ID@1'
              loci get 'ID@1#0-4'    # a part of its text, as recalls and contexts cite it
              loci get ID --attachment log.txt > copy-of-log.txt

            `loci list` and `loci recall --json` show ids. Exit status 2 if there is none.
            """)

    @Argument(
        help: "Its id or key; or a citation, ID@VERSION or ID@VERSION#FROM-TO.", transform: Accept.place)
    var memory: MemoryPlace?
    @Option(help: "Its key, where it reads like an id.")
    var key: String?
    @Option(
        help: ArgumentHelp("This version.", valueName: "number"),
        transform: Accept.count(1...UInt32.max, as: 2))
    var version: UInt32?
    @OptionGroup var clocks: ClockOptions
    @Flag(help: "All versions, the oldest first.")
    var versions = false
    @Option(help: ArgumentHelp("Write the bytes of this attachment to standard output.", valueName: "name"))
    var attachment: String?
    @OptionGroup var place: PlaceOptions

    func validate() throws {
        guard (memory == nil) != (key == nil) else { throw ValidationError("give an id or a key, or --key") }
        if case .memory? = memory { return }
        guard key != nil || version == nil && !versions && clocks.asOf == nil && clocks.validAt == nil else {
            throw ValidationError(
                "a citation names its version: leave out --version, --versions and the clocks")
        }
        if case .part? = memory, attachment != nil {
            throw ValidationError("a part of a text has no attachments: leave out #FROM-TO")
        }
    }

    func run() async throws {
        if case .part(let citation)? = memory { return try await print(citation) }
        try await place.withStore(for: .reading) { store, namespace in
            let found = try await find(in: namespace, store)
            guard let last = found.last else {
                throw EngineError(
                    .notFound, "there is no memory \(reference) in \(namespace)")
            }
            if let name = attachment {
                guard let attachment = last.attachments.first(where: { $0.name == name }) else {
                    throw EngineError(.notFound, "the memory has no attachment `\(name)`")
                }
                guard attachment.address == nil else {
                    throw EngineError(
                        .invalid, "`\(name)` is kept outside: \(attachment.address ?? "")")
                }
                let bytes = try await store.bytes(of: attachment, of: last)
                Terminal.write(Data(bytes))
                return
            }
            for memory in found { memory.print(asJSON: place.json) }
        }
    }

    /// Prints the part of a text that is cited.
    private func print(_ citation: CitationArgument) async throws {
        let text = try await place.withStore(for: .reading) { store, namespace in
            try await citation.text(in: namespace, store)
        }
        guard place.json else { return Terminal.print(Visible.text(text)) }
        Terminal.printObject { json in
            json.member("id", citation.id.description)
            json.member("version", citation.version)
            json.member("from", citation.range.lowerBound)
            json.member("to", citation.range.upperBound)
            json.member("text", text)
        }
    }

    private var reference: MemoryReference {
        switch memory {
        case .memory(let reference): reference
        case .version(let id, _): .id(id)
        case .part(let citation): .id(citation.id)
        case nil: .key(key ?? "")
        }
    }

    private var wantedVersion: UInt32? {
        if case .version(_, let number) = memory { return number }
        return version
    }

    private func find(in namespace: Namespace, _ store: any MemoryStore) async throws -> [Memory] {
        let id = try await reference.resolve(in: namespace, store)
        if versions { return try await store.versions(of: id, in: namespace) }
        let memory = try await store.get(
            id, in: namespace, version: wantedVersion, asOf: clocks.asOf, validAt: clocks.validAt)
        if let memory { return [memory] }
        guard let version = wantedVersion, clocks.validAt == nil else { return [] }
        let numbers = try await store.versions(of: id, in: namespace).map(\.version)
        guard let last = numbers.last, !numbers.contains(version) else { return [] }
        throw EngineError(
            .notFound,
            "memory \(id) has no version \(version); there "
                + (numbers.count == 1
                    ? "is only version \(last)" : "are \(numbers.map(String.init).joined(separator: ", "))"))
    }
}

extension Memory {
    /// All that there is to say of it.
    func print(asJSON: Bool) {
        guard !asJSON else {
            var json = JSONWriter()
            json.write(self)
            return Terminal.print(json.text)
        }
        func line(_ name: String, _ value: String?) {
            guard let value, !value.isEmpty else { return }
            let label = Terminal.styled(Terminal.padded(name, to: 11), .dim)
            Terminal.print("\(label) \(Visible.line(value))")
        }
        Terminal.print(Terminal.styled("\(id)@\(version)", .bold) + (isCurrent ? "" : "  (not current)"))
        line("namespace", namespace.description)
        line("kind", kind.rawValue)
        line("key", key)
        line("actor", actor)
        line("thread", thread.map { turn == nil ? $0 : "\($0), turn \(turn ?? 0)" })
        line("happened", happened.lowerBound.description)
        line("recorded", "\(recorded.lowerBound) to \(recorded.upperBound)")
        if valid != Timestamp.distantPast..<Timestamp.distantFuture {
            line("valid", "\(valid.lowerBound) to \(valid.upperBound)")
        }
        if let expires, expires != .distantFuture { line("expires", expires.description) }
        line("importance", isPinned ? "\(importance), pinned" : "\(importance)")
        line("tags", tags.joined(separator: ", "))
        line("keywords", keywords.joined(separator: ", "))
        for (name, value) in attributes.sorted(by: { $0.key < $1.key }) {
            line(Visible.line(name), value.description)
        }
        line("source", origin.source)
        line("written by", "\(origin.principal), \(origin.trust.name)")
        for attachment in attachments {
            line(
                "attachment",
                "\(attachment.name), \(attachment.mediaType), \(Terminal.bytes(attachment.byteCount))")
        }
        Terminal.print("")
        Terminal.print(Visible.text(content))
    }
}
