import ArgumentParser
import MemoryEngine

/// Which memories take part; all conditions must hold.
struct FilterOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Of this kind; given again: of any of them.", valueName: "kind"))
    var kind: [String] = []
    @Option(help: ArgumentHelp("With this tag; given again: with all of them.", valueName: "tag"))
    var tag: [String] = []
    @Option(help: ArgumentHelp("By this actor; given again: by any of them.", valueName: "actor"))
    var actor: [String] = []
    @Option(help: ArgumentHelp("Of this thread.", valueName: "thread"))
    var thread: String?
    @Option(
        help: ArgumentHelp("With this attribute; given again: with all.", valueName: "name=value"),
        transform: Accept.attribute)
    var attribute: [AttributeArgument] = []
    @Option(
        help: ArgumentHelp(
            "Happened then or later: 2026-11-23, yesterday, \"2 days ago\".", valueName: "time"),
        transform: Accept.time)
    var since: Timestamp?
    @Option(help: ArgumentHelp("Happened before then.", valueName: "time"), transform: Accept.time)
    var until: Timestamp?
    @Option(help: ArgumentHelp("Believed at least so far: untrusted, known, verified.", valueName: "trust"))
    var trust: Trust?
    @Option(
        help: ArgumentHelp(
            "Conditions joined by && || ! and parentheses.", discussion: FilterExpression.help,
            valueName: "expression"))
    var filter: String?

    /// `nil` where nothing was said.
    func condition() throws -> Filter? {
        for (name, texts) in [
            ("kind", kind), ("tag", tag), ("actor", actor), ("thread", [thread].compactMap { $0 }),
        ] { try texts.forEach { try Accept.refuseBlank($0, of: name) } }
        var parts: [Filter] = []
        if !kind.isEmpty { parts.append(Self.any(kind.map { .kind(MemoryKind(rawValue: $0)) })) }
        parts += tag.map { .tag($0) }
        if !actor.isEmpty { parts.append(Self.any(actor.map { .actor($0) })) }
        if let thread { parts.append(.thread(thread)) }
        parts += attribute.map { .attribute($0.name, $0.value) }
        if since != nil || until != nil {
            let from = since ?? .distantPast
            let until = until ?? .distantFuture
            guard from < until else {
                throw ValidationError("--until, \(until), is not after --since, \(from)")
            }
            parts.append(.happened(from..<until))
        }
        if let trust { parts.append(.trust(atLeast: trust)) }
        if let filter { parts.append(try FilterExpression.parse(filter)) }
        return parts.isEmpty ? nil : parts.count == 1 ? parts[0] : .all(parts)
    }

    private static func any(_ parts: [Filter]) -> Filter { parts.count == 1 ? parts[0] : .any(parts) }
}
