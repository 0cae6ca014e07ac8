/// Which memories may be found or listed: conditions joined by `&&`, `||` and `!`.
public indirect enum Filter: Sendable, Hashable {
    case kind(MemoryKind)
    case actor(String)
    case thread(String)
    case tag(String)
    case attribute(String, AttributeValue)
    /// Has the attribute, whatever its value.
    case hasAttribute(String)
    case trust(atLeast: Trust)
    case importance(atLeast: Float)
    case principal(String)
    /// Happened within the interval, at least in part.
    case happened(Range<Timestamp>)
    /// The store learned of it within the interval.
    case recorded(Range<Timestamp>)
    /// Is in this session; `nil` = in none.
    case session(String?)
    case isPinned
    case all([Filter])
    case any([Filter])
    case not(Filter)

    public static func && (a: Filter, b: Filter) -> Filter { .all([a, b]) }
    public static func || (a: Filter, b: Filter) -> Filter { .any([a, b]) }
    public static prefix func ! (a: Filter) -> Filter { .not(a) }

    /// How deep conditions may be nested.
    public static let maximumDepth = 64

    var depth: Int {
        switch self {
        case .all(let parts), .any(let parts): 1 + (parts.map(\.depth).max() ?? 0)
        case .not(let part): 1 + part.depth
        default: 1
        }
    }
}
