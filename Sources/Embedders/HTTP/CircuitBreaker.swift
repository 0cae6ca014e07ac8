/// Keeps requests from a provider that fails, so that neither it nor callers are kept busy by what will not succeed.
///
/// It is closed while all is well. It opens when at least half of ten or more outcomes of the last 30 seconds are failures;
/// then nobody asks for a while. After that one request may try (half open): if it succeeds, the breaker closes, and if
/// not, it opens again. No I/O and no clock: an event goes in with its time.
package struct CircuitBreaker: Sendable {
    package struct Options: Sendable {
        package var window = Duration.seconds(30)
        package var leastCount = 10
        package var failingShare = 0.5
        package var coolDown = Duration.seconds(10)

        package init() {}
    }

    /// Allows one attempt, whose outcome is to be recorded.
    package struct Permit: Sendable, Equatable { fileprivate let generation: Int }

    package enum Outcome: Sendable {
        case success
        case failure
        /// It was given up before it told anything of the provider.
        case unknown
    }

    private enum State {
        case closed
        case open(until: Duration)
        case halfOpen
    }

    private let options: Options
    private var state = State.closed
    /// Changes with the state: what was begun before says nothing of what is now.
    private var generation = 0
    /// Outcomes by the second in which they came, so that there are never more of them than seconds of the window.
    private var seconds: [(second: Int64, count: Int, failureCount: Int)] = []

    package init(_ options: Options = Options()) { self.options = options }

    /// When the next attempt may be made, while it is open.
    package var opensUntil: Duration? {
        if case .open(let until) = state { until } else { nil }
    }

    /// Allows an attempt, or not.
    package mutating func permit(at now: Duration) -> Permit? {
        switch state {
        case .closed: break
        case .open(let until) where now >= until: become(.halfOpen)
        case .open, .halfOpen: return nil
        }
        return Permit(generation: generation)
    }

    /// Takes what came of an attempt.
    package mutating func record(_ outcome: Outcome, of permit: Permit, at now: Duration) {
        guard permit.generation == generation else { return }
        switch (state, outcome) {
        case (.halfOpen, .success): become(.closed)
        case (.halfOpen, .failure): become(.open(until: now + options.coolDown))
        // The next one may try at once.
        case (.halfOpen, .unknown): become(.open(until: now))
        case (.closed, .success), (.closed, .failure):
            count(isFailure: outcome == .failure, at: now)
            if isFailing { become(.open(until: now + options.coolDown)) }
        case (.closed, .unknown), (.open, _): break
        }
    }

    private mutating func become(_ next: State) {
        state = next
        generation += 1
        seconds.removeAll()
    }

    private mutating func count(isFailure: Bool, at now: Duration) {
        let second = now.components.seconds
        let oldest = second - options.window.components.seconds
        seconds.removeAll { $0.second <= oldest }
        if seconds.last?.second != second { seconds.append((second, 0, 0)) }
        seconds[seconds.count - 1].count += 1
        if isFailure { seconds[seconds.count - 1].failureCount += 1 }
    }

    private var isFailing: Bool {
        let count = seconds.reduce(0) { $0 + $1.count }
        let failureCount = seconds.reduce(0) { $0 + $1.failureCount }
        return count >= options.leastCount && Double(failureCount) >= options.failingShare * Double(count)
    }
}
