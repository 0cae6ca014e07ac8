import ArgumentParser
import MemoryEngine

/// The conditions that a filter expression is made of.
extension FilterExpression {
    /// What `--filter` takes, for people.
    static let help = """
        kind:fact  tag:deploy  keyword:token  actor:ada  thread:t  session:s  key:k  id:ID,ID
        by:ada (principal)  agent:bot  model:m  source:log:81  trust:known  importance:0.5 (at least)
        since:TIME  before:TIME (happened), and the same with recorded-, valid- or expires- before it
        has:NAME (an attribute)  NAME=value  NAME^=beginning  NAME>5  NAME>=5  NAME<5  NAME<=5
        tag^:deploy/  key^:beginning  source^:beginning  media:image/  modality:image  vector:SPACE
        pinned  current  attached  expiring  contributes
        NAME=5 is a number, NAME="5" a text, as NAME=five is.
        Nothing behind actor:, thread:, session: or key: means "none". Values with spaces stand in "".
        """

    /// - Throws: `ValidationError`, which lists the conditions that there are.
    static func condition(_ text: String, now: Timestamp) throws -> Filter {
        if let filter = flag(text) { return filter }
        if let sign = text.firstIndex(where: { ":=<>^".contains($0) }) {
            let name = String(text[..<sign])
            let rest = text[sign...]
            try refuseEmpty(name, rest, of: text)
            if name.last == "!" {
                throw ValidationError(
                    "in the filter `\(text)` is no condition; write `!` before what is not to hold, as `!tries=5` or `!kind:fact`"
                )
            }
            let found =
                if rest.hasPrefix("^:") {
                    beginning(name, String(rest.dropFirst(2)))
                } else if rest.hasPrefix("^=") {
                    name.isEmpty ? nil : Filter.attributeHasPrefix(name, String(rest.dropFirst(2)))
                } else if rest.hasPrefix(":") {
                    try named(name, String(rest.dropFirst())) ?? time(name, String(rest.dropFirst()), now)
                } else if rest.hasPrefix("=") {
                    AttributeArgument(text).map { Filter.attribute($0.name, $0.value) }
                } else {
                    comparison(name, rest)
                }
            if let found { return found }
        }
        throw ValidationError("`\(text)` is no condition; a filter is made of\n\(help)")
    }

    private static func refusal(_ text: String, _ accepted: String) -> ValidationError {
        ValidationError("in the filter `\(text)` is no condition; write \(accepted)")
    }

    /// What can be none; behind the others and behind `^` nothing is no condition, and would find nothing.
    private static let optional: Set = ["actor", "thread", "session", "key"]

    private static func refuseEmpty(_ name: String, _ rest: Substring, of text: String) throws {
        let sign = ["^:", "^=", ":"].first { rest.hasPrefix($0) }
        guard let sign, rest.dropFirst(sign.count).allSatisfy(\.isWhitespace),
            rest != ":" || !optional.contains(name)
        else { return }
        throw ValidationError(
            "in the filter nothing stands behind `\(text)`; write a value, as in `\(text)fact`; only "
                + optional.sorted().map { "`\($0):`" }.joined(separator: ", ") + " may be empty, for none")
    }

    private static func flag(_ text: String) -> Filter? {
        switch text {
        case "pinned": .isPinned
        case "current": .isCurrent
        case "attached": .hasAttachment
        case "expiring": .expires(.distantPast ..< .distantFuture)
        case "contributes": .mayContribute
        default: nil
        }
    }

    private static func named(_ name: String, _ value: String) throws -> Filter? {
        let some = value.isEmpty ? nil : value
        switch name {
        case "kind": return .kind(MemoryKind(rawValue: value))
        case "tag": return .tag(value)
        case "keyword": return .keyword(value)
        case "actor": return .actor(some)
        case "thread": return .thread(some)
        case "session": return .session(some)
        case "key": return .key(some)
        case "id":
            let ids = value.split(separator: ",", omittingEmptySubsequences: false).map {
                MemoryID(String($0))
            }
            return ids.contains(nil) ? nil : .ids(Set(ids.compactMap { $0 }))
        case "by": return .principal(value)
        case "agent": return .agent(value)
        case "model": return .model(value)
        case "source": return .source(value)
        case "has": return .hasAttribute(value)
        case "media": return .mediaType(value)
        case "modality": return Modality(rawValue: value).map { .modality($0) }
        case "vector": return EmbeddingSpace(name: value).map { .hasVector($0) }
        case "trust":
            guard let trust = Trust(name: value) else {
                throw refusal("trust:" + value, "trust:untrusted, trust:known or trust:verified")
            }
            return .trust(atLeast: trust)
        case "importance":
            guard let number = Float(value), (0...1).contains(number) else {
                throw refusal(
                    "importance:" + value, "importance: and a number from 0 to 1, as importance:0.8")
            }
            return .importance(atLeast: number)
        default: return nil
        }
    }

    private static func beginning(_ name: String, _ value: String) -> Filter? {
        switch name {
        case "tag": .tagHasPrefix(value)
        case "key": .keyHasPrefix(value)
        case "source": .sourceHasPrefix(value)
        default: nil
        }
    }

    /// `since:` and `before:`, of what happened, or with the name of another time before them.
    private static func time(_ name: String, _ value: String, _ now: Timestamp) throws -> Filter? {
        let parts = name.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.last == "since" || parts.last == "before" else { return nil }
        guard let time = TimeArgument.parse(value, now: now) else {
            throw refusal("\(name):\(value)", "\(name): and \(TimeArgument.accepted)")
        }
        let range: Range<Timestamp>
        switch parts.last {
        case "since": range = time..<Timestamp.distantFuture
        case "before" where time != .distantPast: range = Timestamp.distantPast..<time
        default: return nil
        }
        guard parts.count == 2 else { return .happened(range) }
        switch parts[0] {
        case "recorded": return .recorded(range)
        case "valid": return .valid(range)
        case "expires": return .expires(range)
        default: return nil
        }
    }

    /// An attribute compared with a number.
    private static func comparison(_ name: String, _ text: Substring) -> Filter? {
        let isEqual = text.dropFirst().hasPrefix("=")
        guard !name.isEmpty, let number = Double(text.dropFirst(isEqual ? 2 : 1)), number.isFinite else {
            return nil
        }
        switch text.first {
        case ">": return .attributeBetween(name, (isEqual ? number : number.nextUp)...Double.infinity)
        case "<": return .attributeBetween(name, -Double.infinity...(isEqual ? number : number.nextDown))
        default: return nil
        }
    }
}
