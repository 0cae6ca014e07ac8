import ArgumentParser
import Embedders
import Foundation
import MemoryEngine

/// Which embedder gives vectors to what is remembered and asked.
enum EmbedderChoice: String, ExpressibleByArgument, CaseIterable {
    case hash, none
}

extension Durability: ExpressibleByArgument {}

/// A number of bytes as a person writes it: `64G`, `512M`, `1048576`.
struct ByteSize: ExpressibleByArgument, Equatable {
    let byteCount: Int

    init?(argument: String) {
        var digits = argument.uppercased()[...]
        for suffix in ["IB", "B"] where digits.hasSuffix(suffix) { digits = digits.dropLast(suffix.count) }
        var scale = 1
        if let unit = digits.last, let power = ["K", "M", "G", "T"].firstIndex(of: String(unit)) {
            scale = 1 << (10 * (power + 1))
            digits = digits.dropLast()
        }
        guard let number = Int(digits), number > 0 else { return nil }
        let (product, hasOverflown) = number.multipliedReportingOverflow(by: scale)
        guard !hasOverflown else { return nil }
        byteCount = product
    }
}

/// The options that every verb has: which store, and how to speak.
struct StoreOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The store: a directory. Or set LOCI_STORE.", valueName: "path"))
    var store: String?

    @Flag(help: "Print JSON, for programs; errors are JSON on standard error.")
    var json = false

    @Option(help: ArgumentHelp("How long to wait for another process that writes.", valueName: "seconds"))
    var wait: Double = 0

    @Option(help: ArgumentHelp("Who writes (by default the user of this machine).", valueName: "name"))
    var principal: String?

    @Option(help: "What makes vectors: hash (words and their pieces, hashed; no model), or none.")
    var embedder: EmbedderChoice = .hash

    @Option(help: "When a write is safe: commit (before the verb ends), everySecond, none (on closing).")
    var durability: Durability = .commit

    @Option(help: ArgumentHelp("The largest size of a home's file, as 64G.", valueName: "size"))
    var quota: ByteSize?

    func validate() throws {
        guard wait >= 0, wait <= 86_400 else { throw ValidationError("--wait takes 0 to 86400 seconds") }
    }

    /// What a verb does to the store.
    enum Use {
        /// Reads only: the store must be there.
        case reading
        /// Changes what is there.
        case changing
        /// Writes, and makes the store if there is none.
        case creating
    }

    /// The directory of the store.
    func path() throws -> String {
        if let store, !store.isEmpty { return store }
        if let store = ProcessInfo.processInfo.environment["LOCI_STORE"], !store.isEmpty { return store }
        throw ValidationError("say which store: --store PATH, or set LOCI_STORE")
    }

    func open(for use: Use) throws -> Engine {
        let path = try path()
        var options = Engine.Options()
        options.isReadOnly = use == .reading
        options.durability = durability
        options.writerWait = .milliseconds(Int(wait * 1_000))
        if let principal { options.principal = principal }
        if let quota { options.quotaBytes = quota.byteCount }
        if use != .creating, !FileManager.default.fileExists(atPath: path) {
            throw EngineError(.notFound, "there is no store at \(path)")
        }
        return try Engine.open(at: path, embedder: embedder == .hash ? HashEmbedder() : nil, options: options)
    }

    /// Opens the store, lends it, and closes it whatever happens.
    func withEngine<Result>(for use: Use, _ body: (Engine) async throws -> Result) async throws -> Result {
        let engine = try open(for: use)
        do {
            let result = try await body(engine)
            await engine.close()
            return result
        } catch {
            await engine.close()
            throw error
        }
    }
}

/// The namespace of verbs that work in one.
struct NamespaceOption: ParsableArguments {
    @Option(
        name: [.long, .customShort("n")],
        help: ArgumentHelp(
            "Whose memories: project/NAME, user/NAME, agent/NAME, with /session/NAME behind. "
                + "Or set LOCI_NAMESPACE.", valueName: "path"))
    var namespace: String?

    /// What was said on the command line or in the environment; `nil` = nothing.
    func given() throws -> Namespace? {
        guard let path = namespace ?? ProcessInfo.processInfo.environment["LOCI_NAMESPACE"], !path.isEmpty
        else {
            return nil
        }
        return try Namespace(path: path)
    }

    func required() throws -> Namespace {
        guard let given = try given() else {
            throw ValidationError("say whose memories: --namespace project/NAME, or set LOCI_NAMESPACE")
        }
        return given
    }
}

/// The namespaces of a recall, each with a weight.
struct NamespaceOptions: ParsableArguments {
    @Option(
        name: [.long, .customShort("n")],
        help: ArgumentHelp(
            "Where to look; may be given again, and weighted: project/atlas=1 user/u-7=0.5. "
                + "Or set LOCI_NAMESPACE, with commas.", valueName: "path[=weight]"))
    var namespace: [String] = []

    func weighted() throws -> [Namespace: Double] {
        var given = namespace
        if given.isEmpty, let all = ProcessInfo.processInfo.environment["LOCI_NAMESPACE"] {
            given = all.split(separator: ",").map(String.init)
        }
        guard !given.isEmpty else {
            throw ValidationError("say where to look: --namespace project/NAME, or set LOCI_NAMESPACE")
        }
        var namespaces: [Namespace: Double] = [:]
        for text in given {
            var path = text
            var weight = 1.0
            if let sign = text.lastIndex(of: "="), let number = Double(text[text.index(after: sign)...]) {
                path = String(text[..<sign])
                weight = number
            }
            namespaces[try Namespace(path: path)] = weight
        }
        return namespaces
    }
}

extension MemoryID: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension Timestamp: ExpressibleByArgument {
    public init?(argument: String) {
        guard argument != "now" else {
            self = .now
            return
        }
        self.init(argument)
    }
}
