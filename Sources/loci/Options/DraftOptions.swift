import ArgumentParser
import Embedders
import Foundation
import MemoryEngine

/// What is said of a memory beside its words; the same flags for `remember` and `update`.
struct DraftOptions: ParsableArguments {
    @Option(help: "What sort of thing it is: note, fact, event, message, document, or a word of yours.")
    var kind: String?
    @Option(help: "Who said or did it.")
    var actor: String?
    @Option(help: "The conversation, file or series that it belongs to.")
    var thread: String?
    @Option(
        help: ArgumentHelp(
            "When it happened: 2026-11-23, 2026-11-23T08:30+01:00, yesterday, \"2 days ago\" (UTC without a zone).",
            valueName: "time"), transform: Accept.time)
    var happened: Timestamp?
    @Option(help: ArgumentHelp("A label; may be given again.", valueName: "tag"))
    var tag: [String] = []
    @Option(help: ArgumentHelp("A further word to be found by; may be given again.", valueName: "word"))
    var keyword: [String] = []
    @Option(
        help: ArgumentHelp("An attribute; may be given again.", valueName: "name=value"),
        transform: Accept.attribute)
    var attribute: [AttributeArgument] = []
    @Option(
        help: ArgumentHelp("How much it matters, 0 to 1 (by default 0.5).", valueName: "number"),
        transform: Accept.number(0...1, as: "0.8"))
    var importance: Double?
    @Option(
        help: ArgumentHelp("From then on it is hidden, and later removed.", valueName: "time"),
        transform: Accept.time)
    var expires: Timestamp?
    @Option(
        help: ArgumentHelp("Since when it is true.", valueName: "time"), transform: Accept.time)
    var validFrom: Timestamp?
    @Option(
        help: ArgumentHelp("Until when it is true.", valueName: "time"), transform: Accept.time)
    var validUntil: Timestamp?
    @Option(help: ArgumentHelp("What it was taken from: an address or a short name.", valueName: "source"))
    var source: String?
    @Option(help: "How far it can be believed: untrusted, known or verified.")
    var trust: Trust?
    @Option(
        help: ArgumentHelp("A file to be kept with it; may be given again.", valueName: "file"),
        completion: .file())
    var attach: [String] = []
    @Option(
        help: ArgumentHelp(
            "A vector of yours: the space as MODEL@REVISION/DIMENSION/METRIC, and a JSON list of numbers or the "
                + "name of a file with one.", valueName: "space=vector"))
    var vector: [String] = []
    @Flag(help: "Let --vector make another space beside one of yours that the home has.")
    var newSpace = false

    /// A name with a typing error would make a space, and nothing would ask it.
    ///
    /// - Throws: `EngineError.invalid` where a vector lies in a space that a home with others of callers does not have.
    func checkSpaces(
        of draft: MemoryDraft, in namespace: Namespace, _ store: any MemoryStore,
        besides options: StoreOptions
    ) async throws {
        guard !newSpace, !draft.embeddings.isEmpty else { return }
        // There may be no home yet, or no right to ask. That embedders of the program have vectors there says nothing.
        guard let spaces = try? await store.spaces(in: namespace) else { return }
        let own = try options.ownSpaces() + [HashEmbedder().space]
        let known = spaces.filter { !own.contains($0) }
        guard !known.isEmpty, let other = draft.embeddings.first(where: { !spaces.contains($0.space) })
        else { return }
        throw EngineError(
            .invalid,
            "\(namespace.home) has no vectors in \(other.space.name), only in "
                + known.map(\.name).sorted().joined(separator: " and ")
                + "; if a new space is meant, say --new-space")
    }

    /// Puts what was said into a draft, and leaves the rest as it is. Lists are added to.
    func apply(to draft: inout MemoryDraft) throws {
        for (name, texts) in [
            ("kind", [kind].compactMap { $0 }), ("actor", [actor].compactMap { $0 }),
            ("thread", [thread].compactMap { $0 }), ("source", [source].compactMap { $0 }), ("tag", tag),
            ("keyword", keyword),
        ] { try texts.forEach { try Accept.refuseBlank($0, of: name) } }
        if let kind { draft.kind = MemoryKind(rawValue: kind) }
        if let actor { draft.actor = actor }
        if let thread { draft.thread = thread }
        if let happened { draft.happened = happened...happened }
        draft.tags += tag.filter { !draft.tags.contains($0) }
        draft.keywords += keyword.filter { !draft.keywords.contains($0) }
        for argument in attribute { draft.attributes[argument.name] = argument.value }
        if let importance { draft.importance = Float(importance) }
        if let expires { draft.expires = expires }
        if validFrom != nil || validUntil != nil {
            let from = validFrom ?? draft.valid?.lowerBound ?? .distantPast
            let until = validUntil ?? draft.valid?.upperBound ?? .distantFuture
            guard from < until else {
                throw ValidationError("--valid-until, \(until), is not after --valid-from, \(from)")
            }
            draft.valid = from..<until
        }
        if let source { draft.origin.source = source }
        if let trust { draft.origin.trust = trust }
        for path in attach { draft.attachments.append(try .file(path)) }
        for text in vector { draft.embeddings += try Self.embeddings(text) }
    }

    /// `SPACE=[0.1, …]`, or `SPACE=FILE`.
    private static func embeddings(_ text: String) throws -> [Embedding] {
        guard let sign = text.firstIndex(of: "=") else {
            throw ValidationError(
                "--vector is `\(text.clipped(to: 60))`; write SPACE=[numbers] or SPACE=FILE, as 'mini/3=[0.1,0.2,0.3]'"
            )
        }
        let space = String(text[..<sign])
        var json = Array(text[text.index(after: sign)...].utf8)
        if json.first != UInt8(ascii: "[") {
            let path = String(decoding: json, as: UTF8.self)
            guard let data = FileManager.default.contents(atPath: path) else {
                throw EngineError(.notFound, "there is no file \(path)")
            }
            json = [UInt8](data)
        }
        do {
            var fields = MemoryFields(folder: URL(fileURLWithPath: "/"), isLenient: false)
            let value = try JSONParser.parse(json)
            try fields.read("vectors", .object(JSONObject([.init(name: space, value: value)])))
            return try fields.finished().embeddings
        } catch let error as JSONError {
            throw EngineError(.invalidVector, "the vector in \(space) is no JSON: \(error)")
        } catch let error as MemoryFields.Refusal {
            throw EngineError(.invalidVector, error.message)
        }
    }
}

extension Trust: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument) }
    public static var allValueStrings: [String] { allCases.map(\.name) }
}

/// The words of a memory or a question: the arguments, or standard input.
enum Words {
    /// - Parameter arguments: joined by spaces; `-` alone, or none where input is no terminal, reads all input.
    static func read(_ arguments: [String]) throws -> String {
        guard arguments == ["-"] || arguments.isEmpty && !Terminal.isInputTerminal else {
            try checkArguments(arguments)
            return arguments.joined(separator: " ")
        }
        // One byte more than is allowed, so that the engine says what is.
        let data = try FileHandle.standardInput.read(upToCount: maximumByteCount) ?? Data()
        var bytes = [UInt8](data)
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw EngineError(.invalid, "standard input is not UTF-8")
        }
        return text
    }

    /// Words that ask something of a verb.
    static func question(_ arguments: [String], of verb: String) throws -> String {
        let text = try read(arguments)
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw ValidationError("say what to ask: loci \(verb) \"Why did the deploy fail?\"")
        }
        return text
    }

    private static let maximumByteCount = 20_000_000

    /// Swift repairs arguments that are not UTF-8, so the kernel is asked what they were.
    private static func checkArguments(_ arguments: [String]) throws {
        guard arguments.contains(where: { $0.unicodeScalars.contains("\u{FFFD}") }),
            let data = FileManager.default.contents(atPath: "/proc/self/cmdline")
        else { return }
        guard String(validating: data, as: UTF8.self) != nil else {
            throw EngineError(.invalid, "an argument is not UTF-8")
        }
    }
}
