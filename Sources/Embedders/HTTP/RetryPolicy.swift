/// How long to wait before a request is sent again, and how often.
package struct RetryPolicy: Sendable {
    package var maximumRetries = 4
    /// The bound of the first wait; each further one is twice as long.
    package var base = Duration.milliseconds(500)
    package var cap = Duration.seconds(8)

    package init() {}

    /// One more try, a quarter of a second later at most: what a question takes on where there is no connection, as words answer it
    /// meanwhile.
    package static let hurried: RetryPolicy = {
        var policy = RetryPolicy()
        (policy.maximumRetries, policy.base) = (1, .milliseconds(250))
        return policy
    }()

    /// The wait before retry `number`, counted from 0: a random part of the bound ("full jitter"), so that those who failed
    /// together do not come back together (Brooker, "Exponential backoff and jitter", 2015).
    ///
    /// Where the server said how long it wants to be left alone, that long, and a random part of `base` on top.
    ///
    /// - Parameter random: from 0 up to 1.
    package func wait(beforeRetry number: Int, retryAfter: Duration? = nil, random: Double) -> Duration {
        if let retryAfter { return retryAfter + base * random }
        return min(cap, base * (1 << min(number, 16))) * random
    }
}

/// How many retries there may be: a tenth of the requests, and a few for a start. So a provider that fails gets at most a
/// tenth more to do, whoever retries how often (a bucket of tokens, as in Twitter's Finagle).
package struct RetryBudget: Sendable {
    private static let price = 10
    /// A reserve of five, so that the first requests may be retried as well.
    private static let start = 5 * price
    /// Requests that went well an hour ago do not pay for a storm.
    private static let maximum = 20 * price

    private var deposit = start

    package init() {}

    /// For each request, however often it is sent.
    package mutating func countRequest() { deposit = min(Self.maximum, deposit + 1) }

    /// Takes a retry out; `false` if there is none.
    package mutating func takeRetry() -> Bool {
        guard deposit >= Self.price else { return false }
        deposit -= Self.price
        return true
    }
}
