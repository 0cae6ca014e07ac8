/// What an agent works with for one call: what its session said lately, and what the question recalls of the session, the user
/// and the project. A view is made for the call and is stored nowhere; what it shows stays where it lies (the working context of
/// Google's Agent Development Kit is such a view).
///
/// ```swift
/// let view = MemoryView(
///     session: .project("atlas").session("s1"), user: .user("ada"), project: .project("atlas"))
/// let pack = try await engine.context(for: "Why did the deploy fail?", in: view, tokenBudget: 2_000)
/// ```
public struct MemoryView: Sendable, Equatable {
    /// Which part of a view something is from.
    public enum Scope: String, Sendable, CaseIterable {
        case session, user, project
    }

    public var session: Namespace?
    public var user: Namespace?
    public var project: Namespace?
    /// How much what a scope holds counts (`RecallQuery.namespaces`). By default all count alike: scores are measured by what
    /// all homes hold together, so that the place of a memory says nothing of how well it answers, and what the session said
    /// lately is there anyway.
    public var weights: [Scope: Double] = [:]
    /// The most that is taken of what the session said lately, the newest; 0 = nothing.
    public var recentLimit = 20
    /// The share of the budget that it may fill: half, so that as much is left for what the question recalls.
    public var recentShare = 0.5

    public init(session: Namespace? = nil, user: Namespace? = nil, project: Namespace? = nil) {
        self.session = session
        self.user = user
        self.project = project
    }

    private func namespace(of scope: Scope) -> Namespace? {
        switch scope {
        case .session: session
        case .user: user
        case .project: project
        }
    }

    /// The question to all scopes, as a recall takes it. Where two scopes are one namespace, the greater weight counts.
    public func query(_ text: String) -> RecallQuery {
        var namespaces: [Namespace: Double] = [:]
        for scope in Scope.allCases {
            guard let namespace = namespace(of: scope) else { continue }
            namespaces[namespace] = max(namespaces[namespace] ?? 0, weights[scope] ?? 1)
        }
        return RecallQuery(text, in: namespaces)
    }

    /// The narrowest scope that a namespace lies in.
    public func scope(of namespace: Namespace) -> Scope? {
        Scope.allCases.first { self.namespace(of: $0)?.contains(namespace) ?? false }
    }
}
