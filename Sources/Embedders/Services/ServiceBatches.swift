/// What one input weighs in a request.
struct InputWeight: Equatable {
    /// How many tokens it has at most about.
    var tokens: Int
    /// What it takes in the body.
    var bytes: Int
}

/// What one request to a service may hold; `nil` = no bound.
struct RequestBounds {
    var count: Int
    var tokens: Int?
    /// Of inputs in the body. Services do not say what they take; a larger body is a longer wait and no gain.
    var bytes = 8 << 20

    /// Cuts inputs into requests, in their order, each with as many as it may hold. One that is too heavy goes alone, for
    /// the service to judge.
    ///
    /// - Complexity: O(`weights.count`).
    func batches(of weights: [InputWeight]) -> [Range<Int>] {
        var batches: [Range<Int>] = []
        var start = 0
        var sum = InputWeight(tokens: 0, bytes: 0)
        for (index, weight) in weights.enumerated() {
            let isFull =
                index - start >= max(1, count) || sum.tokens + weight.tokens > tokens ?? .max
                || sum.bytes + weight.bytes > bytes
            if index > start, isFull {
                batches.append(start..<index)
                (start, sum) = (index, InputWeight(tokens: 0, bytes: 0))
            }
            sum.tokens += weight.tokens
            sum.bytes += weight.bytes
        }
        if start < weights.count { batches.append(start..<weights.count) }
        return batches
    }
}
