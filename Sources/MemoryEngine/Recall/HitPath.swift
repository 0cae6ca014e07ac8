extension Hit {
    /// One of the reasons why a memory was found, or what vouched for it.
    public struct Step: Sendable, Equatable {
        public let reason: Reason
        /// What it adds to the score; what all steps add is the score.
        public let adds: Double
    }

    /// Why a memory is a hit. Ranks count from 1.
    public enum Reason: Sendable, Equatable {
        /// It holds words of the question. `rank` is its place among the best by words alone; `nil` = not among them.
        case words(rank: Int?)
        /// Its vector is like the question's, at this place among the best of a space.
        case vectors(EmbeddingSpace, rank: Int?)
        /// An edge joins it to a memory that matches: `out` of this one, or `into` it. That memory may be this one,
        /// where two of its passages stand side by side.
        case edge(EdgeKind, EdgeDirection, MemoryID)
        /// The best memory of its session vouches for it; that may be itself.
        case session(MemoryID)
        /// Somebody said or did it whom the question names.
        case actor(String)
        /// It happened within a time that the question names.
        case calendar(Range<Timestamp>)
        /// Its words name this time; the question names it too, or asks when.
        case event(Range<Timestamp>)
    }
}

extension Hit.Reason: CustomStringConvertible {
    /// The reason in words, as a part of a sentence about the memory.
    public var description: String {
        switch self {
        case .words(let rank): "words" + Self.place(rank)
        case .vectors(let space, let rank): "vectors of \(space.model)" + Self.place(rank)
        case .edge(let kind, let direction, let id): Self.edge(kind, direction, id)
        case .session(let id): "in a session with \(id)"
        case .actor(let name): "by \(name)"
        case .calendar(let time): "happened in \(Self.interval(time))"
        case .event(let time): "speaks of \(Self.interval(time))"
        }
    }

    private static func place(_ rank: Int?) -> String { rank.map { " #\($0)" } ?? "" }

    private static func edge(_ kind: EdgeKind, _ direction: EdgeDirection, _ id: MemoryID) -> String {
        switch (kind, direction) {
        case (.repliesTo, _): "replies to \(id)"
        case (.next, .into): "comes after \(id)"
        case (.next, _): "comes before \(id)"
        case (_, .into): "\(id) \(kind) this"
        default: "\(kind) \(id)"
        }
    }

    /// The first and the last day of an interval, or its one day.
    package static func interval(_ time: Range<Timestamp>) -> String {
        let first = time.lowerBound == .distantPast ? "" : time.lowerBound.day
        let last =
            time.upperBound == .distantFuture
            ? "" : Timestamp(microseconds: time.upperBound.microseconds - 1).day
        return first == last ? first : "\(first)…\(last)"
    }
}
