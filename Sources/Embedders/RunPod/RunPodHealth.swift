import Foundation

/// What an endpoint's `/health` says of its workers and jobs.
public struct RunPodHealth: Sendable, Equatable {
    /// What its workers are up to.
    public enum Condition: Sendable, Equatable {
        /// Some take jobs.
        case ready
        /// Some start.
        case starting
        /// Some shall start, and there is no free GPU for them.
        case throttled
        /// There are some, and none of them is well.
        case unhealthy
        /// There is none. One that is scaled to zero starts workers when a job comes; one that sleeps does not.
        case withoutWorkers
    }

    /// By RunPod's names: `idle`, `running`, `ready`, `initializing`, `throttled`, `unhealthy` and what else there is.
    public let workers: [String: Int]
    /// By RunPod's names: `inQueue`, `inProgress`, `completed`, `failed`, `retried`.
    public let jobs: [String: Int]

    init(workers: [String: Int], jobs: [String: Int] = [:]) { (self.workers, self.jobs) = (workers, jobs) }

    /// Reads an answer of `/health`; `nil` where it is none.
    init?(_ body: [UInt8]) {
        struct Answer: Decodable {
            let workers: [String: Int]
            let jobs: [String: Int]?
        }
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(body)) else { return nil }
        self.init(workers: answer.workers, jobs: answer.jobs ?? [:])
    }

    public var condition: Condition {
        func has(_ kinds: String...) -> Bool { kinds.contains { workers[$0, default: 0] > 0 } }
        if has("ready", "idle", "running") { return .ready }
        if has("initializing") { return .starting }
        if has("throttled") { return .throttled }
        // A kind that we do not know is a worker all the same.
        return workers.values.contains { $0 > 0 } ? .unhealthy : .withoutWorkers
    }
}
