import ArgumentParser
import Foundation
import MemoryEngine

/// A namespace as the command line writes it: its path and, where a recall asks several, a weight behind `=`.
///
///     project/atlas      project/atlas=0.5      user/u-7,project/atlas=0.5      project/a\=b
///
/// `=` and `,` have a meaning there, so inside a NAME they stand behind a backslash, and so does a backslash.
struct NamespaceArgument: Equatable {
    let namespace: Namespace
    /// `nil` = none was said.
    let weight: Double?

    /// Weights that a recall takes, the same bounds as the engine's.
    private static let weights = 0.0...1_000.0

    /// Reads one namespace or several.
    ///
    /// - Throws: `ValidationError`, which quotes the text and says how it is to be written.
    static func list(_ text: String) throws -> [NamespaceArgument] {
        var arguments: [NamespaceArgument] = []
        var path = String.UnicodeScalarView()
        var weight: String.UnicodeScalarView?
        func add(_ scalar: Unicode.Scalar) {
            if weight == nil { path.append(scalar) } else { weight?.append(scalar) }
        }
        func end() throws {
            arguments.append(
                NamespaceArgument(
                    namespace: try self.namespace(String(path)),
                    weight: try weight.map { try number($0, text) }
                ))
            path = String.UnicodeScalarView()
            weight = nil
        }
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\\":
                guard let next = rest.popFirst(), meaningful.contains(next) else {
                    throw ValidationError(
                        "in `\(text)` a backslash stands before neither `=`, `,` nor another backslash")
                }
                add(next)
            case "=" where weight == nil: weight = String.UnicodeScalarView()
            case ",": try end()
            default: add(scalar)
            }
        }
        try end()
        return arguments
    }

    /// Reads the only namespace of a verb that takes one.
    ///
    /// - Throws: `ValidationError`
    static func one(_ text: String) throws -> Namespace {
        let arguments = try list(text)
        guard arguments.count == 1 else {
            throw ValidationError(
                "`\(text)` is \(arguments.count) namespaces, and this verb takes one; a name with a comma is written "
                    + "with a backslash before it: 'project/a\\,b'")
        }
        guard arguments[0].weight == nil else {
            throw ValidationError(
                "`\(text)` has a weight, which only recall takes; a name with `=` is written with a backslash "
                    + "before it: 'project/a\\=b'")
        }
        return arguments[0].namespace
    }

    /// What `one` reads back.
    static func text(of namespace: Namespace) -> String {
        var text = String.UnicodeScalarView()
        for scalar in namespace.description.unicodeScalars {
            if meaningful.contains(scalar) { text.append("\\") }
            text.append(scalar)
        }
        return String(text)
    }

    private static let meaningful: Set<Unicode.Scalar> = ["=", ",", "\\"]

    private static func namespace(_ path: String) throws -> Namespace {
        do {
            return try Namespace(path: path)
        } catch {
            throw ValidationError("\(error)")
        }
    }

    private static func number(_ digits: String.UnicodeScalarView, _ text: String) throws -> Double {
        guard let number = Double(String(digits)), number > 0, weights.contains(number) else {
            throw ValidationError(
                "in `\(text)` the weight is `\(String(digits))`; write a number above 0 and up to 1000, as in "
                    + "user/u-7=0.5, or a backslash before an `=` of the name: 'project/a\\=b'")
        }
        return number
    }
}

/// The namespace of verbs that work in one.
struct NamespaceOption: ParsableArguments {
    @Option(
        name: [.long, .customShort("n")],
        help: ArgumentHelp(
            "Whose memories: project/NAME, user/NAME, agent/NAME, with /session/NAME behind. "
                + "Or set LOCI_NAMESPACE.", valueName: "path"))
    var namespace: [String] = []

    func validate() throws {
        guard namespace.count <= 1 else {
            throw ValidationError(
                "--namespace is given \(namespace.count) times, and this verb takes one: "
                    + namespace.map { "`\($0)`" }.joined(separator: ", "))
        }
        _ = try said()
    }

    /// What was said on the command line; `nil` = nothing.
    func said() throws -> Namespace? {
        try namespace.first.flatMap { $0.isEmpty ? nil : try NamespaceArgument.one($0) }
    }

    /// What was said on the command line or in the environment; `nil` = nothing.
    func given() throws -> Namespace? {
        if let said = try said() { return said }
        let path = ProcessInfo.processInfo.environment["LOCI_NAMESPACE", default: ""]
        return path.isEmpty ? nil : try NamespaceArgument.one(path)
    }

    func required() throws -> Namespace {
        guard let given = try given() else {
            throw ValidationError("say whose memories: --namespace project/NAME, or set LOCI_NAMESPACE")
        }
        return given
    }

    /// What was given, with a tenant as its homes; all homes of the store where nothing was.
    ///
    /// - Throws: `notFound` for a tenant without a home.
    func namespaces(of store: any MemoryStore) async throws -> [Namespace] {
        guard let given = try given() else { return try await store.homes(under: nil) }
        guard given.root == .tenant else { return [given] }
        return try await store.existingHomes(under: given)
    }
}

extension [Namespace] {
    /// Calls `body` for each. Among several, one whose file was begun and never written hides no other: it is named, and
    /// passed over.
    func forEachWritten(_ body: (Namespace) async throws -> Void) async throws {
        for namespace in self {
            do {
                try await body(namespace)
            } catch let error as EngineError where error.code == .notFound && count > 1 {
                Terminal.note(error.message)
            }
        }
    }
}

/// The namespaces of a recall, each with a weight.
struct NamespaceOptions: ParsableArguments {
    @Option(
        name: [.long, .customShort("n")],
        help: ArgumentHelp(
            "Where to look; may be given again, and weighted: -n project/atlas -n user/u-7=0.5. "
                + "Or set LOCI_NAMESPACE, with commas.", valueName: "path[=weight]"))
    var namespace: [String] = []

    func validate() throws { _ = try Self.weighted(namespace) }

    /// - Throws: `ValidationError` where there is none, or one twice.
    func weighted() throws -> [Namespace: Double] {
        let variable = ProcessInfo.processInfo.environment["LOCI_NAMESPACE", default: ""]
        let given = namespace.isEmpty && !variable.isEmpty ? [variable] : namespace
        guard !given.isEmpty else {
            throw ValidationError("say where to look: --namespace project/NAME, or set LOCI_NAMESPACE")
        }
        return try Self.weighted(given)
    }

    private static func weighted(_ texts: [String]) throws -> [Namespace: Double] {
        var namespaces: [Namespace: Double] = [:]
        for argument in try texts.flatMap(NamespaceArgument.list) {
            guard namespaces.updateValue(argument.weight ?? 1, forKey: argument.namespace) == nil else {
                throw ValidationError("\(argument.namespace) is named twice")
            }
        }
        return namespaces
    }
}
