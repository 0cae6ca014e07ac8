/// Which memories may be found or listed: conditions joined by `&&`, `||` and `!`.
public indirect enum Filter: Sendable, Hashable {
    /// One of these; an id that is not there is no error.
    case ids(Set<MemoryID>)
    case kind(MemoryKind)
    /// By this actor; `nil` = by none.
    case actor(String?)
    /// Of this thread; `nil` = of none.
    case thread(String?)
    /// Is in this session; `nil` = in none.
    case session(String?)
    /// Has this key, in whatever session; `nil` = has none.
    case key(String?)
    case keyHasPrefix(String)
    case tag(String)
    /// Has a tag that begins so, as `deploy/` does; every tag begins with "".
    case tagHasPrefix(String)
    /// Has this among the further words that it is to be found by, exactly.
    case keyword(String)
    case attribute(String, AttributeValue)
    /// Has the attribute, whatever its value.
    case hasAttribute(String)
    /// The attribute is a number within the bounds; one side may be infinite.
    case attributeBetween(String, ClosedRange<Double>)
    /// The attribute is a string that begins so.
    case attributeHasPrefix(String, String)
    case trust(atLeast: Trust)
    case importance(atLeast: Float)
    /// Who wrote it.
    case principal(String)
    /// The program or agent that wrote it.
    case agent(String)
    /// The model that made it.
    case model(String)
    /// What it was taken from.
    case source(String)
    case sourceHasPrefix(String)
    /// Anonymised patterns may be learned from it.
    case mayContribute
    /// Has an attachment.
    case hasAttachment
    /// Has an attachment whose media type begins so, as `image/` or `image/png` do.
    case mediaType(String)
    /// Has text, or an image or a video attached.
    case modality(Modality)
    /// Has a vector in this space, for this passage of it.
    case hasVector(EmbeddingSpace)
    /// Happened within the interval, at least in part.
    case happened(Range<Timestamp>)
    /// The store learned of it within the interval.
    case recorded(Range<Timestamp>)
    /// Was true within the interval, at least in part.
    case valid(Range<Timestamp>)
    /// Expires within the interval; what never expires does in none.
    case expires(Range<Timestamp>)
    case isPinned
    /// Is the newest version, and neither superseded nor retracted.
    case isCurrent
    case all([Filter])
    case any([Filter])
    case not(Filter)

    public static func && (a: Filter, b: Filter) -> Filter { .all([a, b]) }
    public static func || (a: Filter, b: Filter) -> Filter { .any([a, b]) }
    public static prefix func ! (a: Filter) -> Filter { .not(a) }

    /// How deep conditions may be nested.
    public static let maximumDepth = 64
    /// How many conditions, and ids in them, a filter may have.
    public static let maximumCount = 100_000

    /// Whether it names summaries or facts among what it wants.
    var asksForSummaries: Bool {
        switch self {
        case .kind(let kind): kind == .summary || kind == .fact
        case .all(let parts), .any(let parts): parts.contains { $0.asksForSummaries }
        default: false
        }
    }

    var depth: Int {
        switch self {
        case .all(let parts), .any(let parts): 1 + (parts.map(\.depth).max() ?? 0)
        case .not(let part): 1 + part.depth
        default: 1
        }
    }

    var count: Int {
        switch self {
        case .all(let parts), .any(let parts): parts.reduce(1) { $0 + $1.count }
        case .not(let part): 1 + part.count
        case .ids(let ids): 1 + ids.count
        default: 1
        }
    }
}
