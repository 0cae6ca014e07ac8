import ArgumentParser
import MemoryEngine

/// A memory as the command line names it: by its id, or by its key.
enum MemoryReference: Equatable, CustomStringConvertible {
    case id(MemoryID)
    case key(String)

    init(_ text: String) throws {
        if let id = MemoryID(text) {
            self = .id(id)
        } else if text.isEmpty {
            throw ValidationError("write an id, or the key that the memory was given")
        } else {
            self = .key(text)
        }
    }

    var description: String {
        switch self {
        case .id(let id): id.description
        case .key(let key): "`\(key)`"
        }
    }

    /// The memory's id.
    ///
    /// - Throws: `notFound` for a key that no memory of the namespace has.
    func resolve(in namespace: Namespace, _ store: any MemoryStore) async throws -> MemoryID {
        switch self {
        case .id(let id): return id
        case .key(let key):
            guard let id = try await store.id(ofKey: key, in: namespace) else {
                throw EngineError(.notFound, "`\(key)` is no id, and no key of a memory in \(namespace)")
            }
            return id
        }
    }
}

extension Accept {
    static func memory(_ text: String) throws -> MemoryReference { try MemoryReference(text) }

    /// A memory, a version of it or a part of one.
    static func place(_ text: String) throws -> MemoryPlace { try MemoryPlace(text) }

    /// The kind of an edge: one of the engine's, or `GRAPH/NAME` for one of the caller's.
    static func edgeKind(_ text: String) throws -> EdgeKind {
        if let known = EdgeKind.all.first(where: { $0.name == text }) { return known }
        let parts = text.split(separator: "/", maxSplits: 1)
        guard parts.count == 2, let graph = MemoryGraph(name: String(parts[0])) else {
            throw ValidationError(
                "write one of \(EdgeKind.all.map(\.name).joined(separator: ", ")), or GRAPH/NAME with one of your own "
                    + "in the semantic, temporal, causal or entity graph, as causal/blocks")
        }
        do {
            return try EdgeKind(String(parts[1]), in: graph)
        } catch {
            throw ValidationError(error.message)
        }
    }

    /// One of the four graphs.
    static func graph(_ text: String) throws -> MemoryGraph {
        guard let graph = MemoryGraph(name: text) else {
            throw ValidationError(
                "write one of \(MemoryGraph.allCases.map(\.name).joined(separator: ", "))")
        }
        return graph
    }

    /// The id of an edge.
    static func edgeID(_ text: String) throws -> EdgeID {
        guard let id = EdgeID(text) else {
            throw ValidationError("write the id of an edge as `loci link` prints it")
        }
        return id
    }

    /// A place in a memory: `ID@VERSION#FROM-TO`, as recalls and contexts print it.
    static func citation(_ text: String) throws -> CitationArgument {
        guard let citation = CitationArgument(text) else {
            throw ValidationError("write a citation as it is printed, ID@VERSION#FROM-TO")
        }
        return citation
    }
}

/// A citation without its namespace, which the command line names elsewhere.
struct CitationArgument: Equatable {
    let id: MemoryID
    let version: UInt32
    let range: Range<Int>

    init?(_ text: String) {
        guard let place = Citation.place(text) else { return nil }
        (id, version, range) = place
    }

    func citation(in namespace: Namespace) -> Citation {
        Citation(namespace: namespace, id: id, version: version, range: range)
    }

    /// The words that stand there.
    ///
    /// - Throws: `notFound` for a memory, a version or bytes that are not there.
    func text(in namespace: Namespace, _ store: any MemoryStore) async throws -> String {
        do {
            return try await store.content(of: citation(in: namespace))
        } catch let error as EngineError where error.code == .invalid {
            throw EngineError(
                .notFound, "\(id)@\(version)#\(range.lowerBound)-\(range.upperBound): \(error.message)")
        }
    }
}

/// What `get` shows: a memory by its id or key, a version of it (`ID@VERSION`), or a part of one
/// (`ID@VERSION#FROM-TO`), as citations are printed.
enum MemoryPlace: Equatable {
    case memory(MemoryReference)
    case version(MemoryID, UInt32)
    case part(CitationArgument)

    init(_ text: String) throws {
        if let citation = CitationArgument(text) {
            self = .part(citation)
            return
        }
        if let at = text.lastIndex(of: "@"), let id = MemoryID(String(text[..<at])) {
            guard let version = UInt32(text[text.index(after: at)...]), version > 0 else {
                throw ValidationError("write a citation as it is printed, ID@VERSION or ID@VERSION#FROM-TO")
            }
            self = .version(id, version)
            return
        }
        self = .memory(try MemoryReference(text))
    }
}
