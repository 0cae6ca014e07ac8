import Store

/// A time that the words of a memory name, resolved against when it happened.
public struct MentionedTime: Sendable, Equatable {
    /// How finely the words say it.
    public enum Granularity: String, Sendable, CaseIterable {
        case minute, hour, dayPart, day, weekend, week, month, season, year, decade
    }

    /// The words, as "last Friday".
    public let text: String
    /// Their bytes in the content.
    public let range: Range<Int>
    /// The time that they name, in UTC, half-open and never empty.
    public let named: Range<Timestamp>
    /// What they speak of: `named`, or since, until, before or after it. Reaches to `Timestamp.distantPast` or
    /// `.distantFuture` where nothing else bounds it.
    public let interval: Range<Timestamp>
    public let granularity: Granularity
    /// They say no year, or count from when it happened ("two weeks ago").
    public let isRelative: Bool

    init(_ mention: TimeMention, in content: [UInt8]) {
        text = String(decoding: content[mention.range], as: UTF8.self)
        range = mention.range
        named = mention.named
        interval = mention.interval
        isRelative = mention.basis != .absolute
        granularity =
            switch mention.granularity {
            case .minute: .minute
            case .hour: .hour
            case .dayPart: .dayPart
            case .day: .day
            case .weekend: .weekend
            case .week: .week
            case .month: .month
            case .season: .season
            case .year: .year
            case .decade: .decade
            }
    }
}

extension Memory {
    /// The most times of a memory, and the bytes of its content that are read for them.
    static let maximumTimeCount = 1_000
    static let timeByteCount = 1 << 20

    /// The times that the words name, in their order, resolved against when the memory happened. They are read when
    /// they are asked for, and stored nowhere.
    ///
    /// - Complexity: O(n) in the first MiB of the content.
    public var times: [MentionedTime] {
        let bytes = Array(content.utf8.prefix(Self.timeByteCount))
        return TimeExpressions.find(
            in: bytes.span, relativeTo: happened.lowerBound, limit: Self.maximumTimeCount
        ).map { MentionedTime($0, in: bytes) }
    }
}

extension Engine {
    /// The times that the words of a memory name; see `Memory.times`.
    ///
    /// - Throws: `EngineError`: `notFound`.
    public func times(of id: MemoryID, in namespace: Namespace) async throws -> [MentionedTime] {
        guard let memory = try await get(id, in: namespace) else {
            throw EngineError(.notFound, "there is no memory \(id) in \(namespace)")
        }
        return memory.times
    }
}
