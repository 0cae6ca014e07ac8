import MemoryEngine
import Testing

@testable import Embedders

@Suite struct `A policy of retries` {
    @Test func `doubles the bound of its waits up to eight seconds`() {
        let policy = RetryPolicy()
        let bounds = (0..<7).map { policy.wait(beforeRetry: $0, random: 1) }
        #expect(bounds == [0.5, 1, 2, 4, 8, 8, 8].map(Duration.seconds))
        #expect(policy.wait(beforeRetry: 1_000, random: 1) == .seconds(8))
    }

    @Test func `waits for a random part of the bound`() {
        let policy = RetryPolicy()
        #expect(policy.wait(beforeRetry: 2, random: 0) == .zero)
        #expect(policy.wait(beforeRetry: 2, random: 0.25) == .milliseconds(500))
    }

    @Test func `adds to what the server wants, and takes nothing from it`() {
        let policy = RetryPolicy()
        #expect(policy.wait(beforeRetry: 0, retryAfter: .seconds(30), random: 0) == .seconds(30))
        #expect(policy.wait(beforeRetry: 4, retryAfter: .seconds(30), random: 0.5) == .seconds(30.25))
    }

    @Test func `has a budget of a tenth of the requests`() {
        var budget = RetryBudget()
        var taken = 0
        while budget.takeRetry() { taken += 1 }
        #expect(taken == 5)
        for _ in 0..<9 { budget.countRequest() }
        while budget.takeRetry() { taken += 1 }
        #expect(taken == 5)
        budget.countRequest()
        while budget.takeRetry() { taken += 1 }
        #expect(taken == 5 + 1)
        // What is saved up has a bound.
        for _ in 0..<10_000 { budget.countRequest() }
        while budget.takeRetry() { taken += 1 }
        #expect(taken == 5 + 1 + 20)
    }

    private static let now = Timestamp("1994-11-06T08:49:30Z")

    @Test(arguments: [
        "0": 0, "7": 7, "00120": 120, "99999999999999999999999": 1_000_000_000,
        "Sun, 06 Nov 1994 08:49:37 GMT": 7, "Sunday, 06-Nov-94 08:49:37 GMT": 7,
        "Sun Nov  6 08:49:37 1994": 7,
        "Sun, 06 Nov 1994 08:49:00 GMT": 0,
    ])
    func `reads seconds and dates`(text: String, seconds: Int) throws {
        #expect(try RetryAfter.parse(text, now: #require(Self.now)) == .seconds(seconds))
    }

    @Test(arguments: [
        "", "-1", "1.5", "soon", "7 s", "Sun, 99 Nov 1994 08:49:37 GMT", ":", "12:99:99",
    ])
    func `takes nothing else for a time`(text: String) throws {
        #expect(try RetryAfter.parse(text, now: #require(Self.now)) == nil)
    }
}
