import Foundation

/// Whose memories these are, as a path: `[@tenant/](project|user|agent|vectors)/NAME[/session/NAME]`,
/// or `[@tenant/]collective`; `@tenant` alone names all that the tenant has.
///
/// A name has 1 to 128 bytes of UTF-8 in normal form C, without `/` and control characters. The part
/// before `/session` is a home: one file of its own.
public struct Namespace: Hashable, Sendable {
    /// What a path begins with, behind its tenant.
    public enum Root: Hashable, Sendable {
        case project(String)
        case user(String)
        case agent(String)
        /// A tenant's bare vector sets.
        case vectors(String)
        /// Anonymised patterns, which only the engine's anonymiser writes.
        case collective
        /// All homes of a tenant; names a subtree, holds nothing itself.
        case tenant
    }

    public let tenant: String?
    public let root: Root
    public let session: String?

    private init(tenant: String?, root: Root, session: String?) {
        self.tenant = tenant
        self.root = root
        self.session = session
    }

    /// Makes a namespace of names that are written in code. Names from outside go through `init(path:)`.
    ///
    /// - Precondition: the names are valid.
    public static func project(_ name: String, tenant: String? = nil) -> Namespace {
        trusted(.project(name), tenant)
    }
    /// As `project(_:tenant:)`, of a person.
    public static func user(_ name: String, tenant: String? = nil) -> Namespace {
        trusted(.user(name), tenant)
    }
    /// As `project(_:tenant:)`, of an agent.
    public static func agent(_ name: String, tenant: String? = nil) -> Namespace {
        trusted(.agent(name), tenant)
    }
    /// As `project(_:tenant:)`, of a bare vector set.
    public static func vectors(_ name: String, tenant: String? = nil) -> Namespace {
        trusted(.vectors(name), tenant)
    }
    public static let collective = Namespace(tenant: nil, root: .collective, session: nil)
    /// All homes of a tenant; names a subtree, holds nothing itself.
    public static func tenant(_ name: String) -> Namespace { trusted(.tenant, name) }

    /// A session inside this home.
    ///
    /// - Precondition: the name is valid, and this is a home other than `collective`.
    public func session(_ name: String) -> Namespace {
        precondition(root != .collective && root != .tenant, "\(self) has no sessions")
        return Self.trusted(root, tenant, session: name)
    }

    private static func trusted(_ root: Root, _ tenant: String?, session: String? = nil) -> Namespace {
        do {
            let checked = try root.mapName(checkedName)
            return Namespace(
                tenant: try tenant.map(checkedName), root: checked, session: try session.map(checkedName))
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// Reads a path as a person or a program outside gives it.
    ///
    /// - Throws: `EngineError` with code `invalidNamespace`, which says what a path looks like.
    public init(path: String) throws {
        var parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        func refuse(_ why: String) -> EngineError {
            EngineError(
                .invalidNamespace,
                "`\(path.prefix(200))` is not a namespace: \(why); "
                    + "write `[@tenant/](project|user|agent)/NAME[/session/NAME]` or `collective`")
        }
        var tenant: String?
        if let first = parts.first, first.hasPrefix("@") {
            do throws(EngineError) {
                tenant = try Self.checkedName(String(first.dropFirst()))
            } catch {
                throw refuse(error.message)
            }
            parts.removeFirst()
            if parts.isEmpty {
                self.init(tenant: tenant, root: .tenant, session: nil)
                return
            }
        }
        guard let kind = parts.first else { throw refuse("it is empty") }
        if kind == "collective", parts.count == 1 {
            self.init(tenant: tenant, root: .collective, session: nil)
            return
        }
        guard parts.count == 2 || (parts.count == 4 && parts[2] == "session") else {
            throw refuse(parts.count < 2 ? "it lacks a name" : "it has \(parts.count) parts")
        }
        do throws(EngineError) {
            let name = try Self.checkedName(parts[1])
            let session = parts.count == 4 ? try Self.checkedName(parts[3]) : nil
            let root: Root
            switch kind {
            case "project": root = .project(name)
            case "user": root = .user(name)
            case "agent": root = .agent(name)
            case "vectors": root = .vectors(name)
            default: throw EngineError(.invalidNamespace, "there is no scope `\(kind.prefix(40))`")
            }
            self.init(tenant: tenant, root: root, session: session)
        } catch {
            throw refuse(error.message)
        }
    }

    /// The whole home that this lies in.
    public var home: Namespace { Namespace(tenant: tenant, root: root, session: nil) }

    /// Who shares what is in here.
    public var scope: Scope {
        if session != nil { return .session }
        switch root {
        case .user: return .user
        case .collective: return .collective
        case .project, .agent, .vectors, .tenant: return .project
        }
    }

    /// Whether `other` is this namespace or lies below it.
    public func contains(_ other: Namespace) -> Bool {
        if root == .tenant { return tenant == other.tenant }
        return home == other.home && (session == nil || session == other.session)
    }

    public static let maximumNameByteCount = 128

    /// The name in normal form C.
    private static func checkedName(_ name: String) throws(EngineError) -> String {
        // What most names are, and fast.
        let isPlain = name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") }
        if isPlain, (1...maximumNameByteCount).contains(name.utf8.count) { return name }
        let normal = name.precomposedStringWithCanonicalMapping
        guard !normal.isEmpty else { throw EngineError(.invalidNamespace, "a name is empty") }
        guard normal.utf8.count <= maximumNameByteCount else {
            throw EngineError(
                .invalidNamespace,
                "a name has \(normal.utf8.count) bytes, at most \(maximumNameByteCount) are allowed")
        }
        guard normal.unicodeScalars.allSatisfy({ $0 != "/" && $0.properties.generalCategory != .control })
        else {
            throw EngineError(.invalidNamespace, "a name holds `/` or a control character")
        }
        return normal
    }
}

extension Namespace.Root {
    fileprivate func mapName(_ transform: (String) throws -> String) rethrows -> Namespace.Root {
        switch self {
        case .project(let name): .project(try transform(name))
        case .user(let name): .user(try transform(name))
        case .agent(let name): .agent(try transform(name))
        case .vectors(let name): .vectors(try transform(name))
        case .collective, .tenant: self
        }
    }
}

extension Namespace: CustomStringConvertible {
    /// The path.
    public var description: String {
        var path = ""
        if let tenant { path += "@" + tenant + (root == .tenant ? "" : "/") }
        switch root {
        case .project(let name): path += "project/" + name
        case .user(let name): path += "user/" + name
        case .agent(let name): path += "agent/" + name
        case .vectors(let name): path += "vectors/" + name
        case .collective: path += "collective"
        case .tenant: break
        }
        if let session { path += "/session/" + session }
        return path
    }
}

/// Who shares a memory.
public enum Scope: String, Sendable, CaseIterable {
    case session, user, project, collective
}

extension Namespace {
    /// The path of the home of a namespace, by the path of that.
    static func homePath(_ path: String) -> String { (try? Namespace(path: path))?.home.description ?? path }
}
