import Testing

@testable import Embedders

@Suite struct `A circuit breaker` {
    /// A breaker, for all steps of a test.
    private final class Tried {
        private var breaker = CircuitBreaker()

        var opensUntil: Duration? { breaker.opensUntil }
        func permit(at now: Duration) -> CircuitBreaker.Permit? { breaker.permit(at: now) }
        func record(_ outcome: CircuitBreaker.Outcome, of permit: CircuitBreaker.Permit, at now: Duration) {
            breaker.record(outcome, of: permit, at: now)
        }
    }

    private let breaker = Tried()

    /// One attempt that ends at once; `false` if it was not permitted.
    @discardableResult
    private func attempt(_ outcome: CircuitBreaker.Outcome, at seconds: Double) -> Bool {
        guard let permit = breaker.permit(at: .seconds(seconds)) else { return false }
        breaker.record(outcome, of: permit, at: .seconds(seconds))
        return true
    }

    @Test func `opens at ten outcomes of which half are failures`() {
        for index in 0..<9 { attempt(index < 5 ? .failure : .success, at: 1) }
        #expect(breaker.opensUntil == nil)
        attempt(.success, at: 1)
        #expect(breaker.opensUntil == .seconds(11))
        #expect(!attempt(.success, at: 10.9))
    }

    @Test func `stays closed below half`() {
        for index in 0..<900 { #expect(attempt(index % 9 < 5 ? .success : .failure, at: 1)) }
        #expect(breaker.opensUntil == nil)
    }

    @Test func `forgets what is older than half a minute`() {
        for _ in 0..<9 { attempt(.failure, at: 0) }
        attempt(.failure, at: 30)
        #expect(breaker.opensUntil == nil)
        for _ in 0..<9 { attempt(.failure, at: 59) }
        #expect(breaker.opensUntil == .seconds(69))
    }

    @Test func `lets one try after the cool-down, and closes when it succeeds`() throws {
        for _ in 0..<10 { attempt(.failure, at: 0) }
        let probe = try #require(breaker.permit(at: .seconds(10)))
        #expect(breaker.permit(at: .seconds(100)) == nil)
        breaker.record(.success, of: probe, at: .seconds(12))
        // What was before the rest is forgotten.
        for _ in 0..<9 { #expect(attempt(.failure, at: 12)) }
        #expect(breaker.opensUntil == nil)
        attempt(.failure, at: 12)
        #expect(breaker.opensUntil == .seconds(22))
    }

    @Test func `opens again when the try fails`() throws {
        for _ in 0..<10 { attempt(.failure, at: 0) }
        #expect(attempt(.failure, at: 10))
        #expect(breaker.opensUntil == .seconds(20))
        #expect(!attempt(.success, at: 19))
        #expect(attempt(.success, at: 20))
        #expect(attempt(.success, at: 20))
    }

    @Test func `lets another try where one was given up`() throws {
        for _ in 0..<10 { attempt(.failure, at: 0) }
        let probe = try #require(breaker.permit(at: .seconds(10)))
        breaker.record(.unknown, of: probe, at: .seconds(11))
        let next = try #require(breaker.permit(at: .seconds(11)))
        // It counts once only.
        breaker.record(.success, of: probe, at: .seconds(12))
        #expect(breaker.permit(at: .seconds(12)) == nil)
        breaker.record(.success, of: next, at: .seconds(12))
        #expect(breaker.permit(at: .seconds(12)) != nil)
    }

    @Test func `does not count what was begun before it opened`() throws {
        let early = try (0..<10).map { _ in try #require(breaker.permit(at: .zero)) }
        for _ in 0..<10 { attempt(.failure, at: 1) }
        #expect(attempt(.success, at: 11))
        for permit in early { breaker.record(.failure, of: permit, at: .seconds(11)) }
        #expect(breaker.opensUntil == nil)
    }

    @Test func `does not count what was given up`() {
        for _ in 0..<100 { #expect(attempt(.unknown, at: 0)) }
        #expect(breaker.opensUntil == nil)
    }
}
