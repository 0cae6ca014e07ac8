extension RunPodEmbedder: HealthReporting {
    /// Asks its endpoints, side by side; none of them starts a worker because of it. It is as well as the worse one.
    public func health() async -> EmbedderHealth {
        if let capped = EmbedderHealth(ofCapsIn: options.ledger, Self.service) { return capped }
        async let queue = queueState()
        async let loadBalancer = loadBalancerState()
        let states = await [queue, loadBalancer].compactMap { $0 }
        let worst = states.first { $0.state != .ready } ?? states[0]
        return EmbedderHealth(worst.state, states.map(\.message).joined(separator: "; "))
    }

    private func queueState() async -> EmbedderHealth? {
        guard let queue else { return nil }
        do {
            return switch try await queue.health().condition {
            case .ready: EmbedderHealth(.ready, "\(queue.name) has workers")
            case .starting: EmbedderHealth(.loading, "\(queue.name) starts workers")
            case .withoutWorkers:
                EmbedderHealth(
                    .loading, "\(queue.name) has no worker: a job starts one, unless the endpoint sleeps")
            case .throttled: EmbedderHealth(.failing, "\(queue.name) has no free GPU: ask again later")
            case .unhealthy:
                EmbedderHealth(.failing, "\(queue.name) has workers, and none is well: look at their logs")
            }
        } catch {
            return Self.state(of: error)
        }
    }

    private func loadBalancerState() async -> EmbedderHealth? {
        guard let loadBalancer else { return nil }
        do {
            return try await loadBalancer.isReady()
                ? EmbedderHealth(.ready, "\(loadBalancer.name) takes questions")
                : EmbedderHealth(.loading, "\(loadBalancer.name) starts workers")
        } catch {
            return Self.state(of: error)
        }
    }

    private static func state(of error: any Error) -> EmbedderHealth {
        guard let error = error as? RunPodError else {
            return EmbedderHealth(.unreachable, "the call was cancelled")
        }
        let state: EmbedderHealth.State =
            switch error.code {
            case .wrongKey: .wrongKey
            case .cold, .asleep: .loading
            case .unavailable, .deadline: .unreachable
            default: .failing
            }
        return EmbedderHealth(state, error.message)
    }
}
