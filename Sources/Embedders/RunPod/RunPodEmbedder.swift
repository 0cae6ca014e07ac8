import Foundation
import MemoryEngine

/// Vectors of a worker on RunPod: passages through an endpoint with a queue, which scales and may be cold; questions, which
/// somebody waits for, through one that balances loads.
///
/// The worker is asked as ours in `workers/` want it, and may answer as they do or as one of Infinity does. What it answers is
/// checked before it becomes a vector of the space.
public struct RunPodEmbedder: Embedder {
    /// How it asks, and how long it waits.
    public struct Options: Sendable {
        /// How long a job of passages may take: the cold start of a worker that loads a large model, its queue, its work.
        public var deadline = Duration.seconds(600)
        /// How long a question may take.
        public var queryDeadline = Duration.seconds(10)
        /// Whether questions may wait in a queue, where there is no load balancer. A worker's loop alone takes .1 to 1 s
        /// a job, and a cold start minutes.
        public var waitsForQueue = false
        /// Whether jobs of passages go by `/runsync`, which takes bodies of 20 MB, and not by `/run`, which takes 10.
        public var usesRunSync = false
        /// Where a load balancer's worker takes `{"type": …}` and answers with its output.
        public var loadBalancerPath = "/embed"
        /// What the worker takes: texts, images or both, in one space, or videos.
        public var modalities: Set<Modality> = [.text]
        /// How many frames of a video that comes as frames are sent, at least 2; they are evenly spaced.
        public var frameCount = 16
        /// Other names by which the worker may call the model in its answer.
        public var otherNames: Set<String> = []
        /// What stands before a question, or before a passage, for models that want it.
        public var queryPrefix = ""
        public var passagePrefix = ""
        /// Inputs of one job.
        public var maximumJobCount = 64
        /// Bytes of one job's body; RunPod's own limits hold besides.
        public var maximumJobByteCount = 10_000_000
        /// Jobs at RunPod at once, for all calls together. With fewer the worker's loop sleeps between jobs.
        public var maximumInFlight = 32
        /// Inputs of one call, which fill so many jobs; the bytes of a text, and what they cost.
        public var limits = EmbedderLimits(maximumBatchCount: 2_048, maximumInputByteCount: 65_536)

        /// Counts jobs, their inputs and the seconds that workers take for them, under `runpod`; its caps stop a job before it is
        /// sent. Of a job that is given up the seconds are not known, and not counted. The starts of workers and their idle time, which RunPod bills too, are not in it.
        public var ledger: CostLedger?
        /// What a second of a worker costs; `nil` = that is not known.
        public var dollarsPerSecond: Double?

        public init() {}
    }

    /// Under which costs are counted, of all models: one account pays.
    static let service = "runpod"

    public let space: EmbeddingSpace
    public var modalities: Set<Modality> { options.modalities }
    public var limits: EmbedderLimits { options.limits }
    /// Enough for all jobs that may be in flight, where a call may hold as many.
    public var preferredBatchCount: Int {
        let count = max(1, options.maximumJobCount).multipliedReportingOverflow(
            by: max(1, options.maximumInFlight))
        return max(1, min(count.overflow ? .max : count.partialValue, limits.maximumBatchCount))
    }

    let queue: RunPodEndpoint?
    let loadBalancer: RunPodLoadBalancer?
    let options: Options
    private let turns: Turns

    /// - Parameters:
    ///   - queue: the endpoint with a queue, by its id (`abc123`) or the URL that stands before `/run`.
    ///   - loadBalancer: the endpoint that balances loads, by its id or its URL. It takes passages too, where there is no queue.
    ///   - key: of RunPod. It shows in no error, and not when this is printed.
    ///   - space: the model by the name that the worker has for it, and the dimension of its vectors.
    /// - Throws: `EngineError` with code `invalid`: neither endpoint, or an id, URL or key that is none.
    public init(
        queue: String? = nil, loadBalancer: String? = nil, key: String?, space: EmbeddingSpace,
        options: Options = Options()
    ) throws {
        do {
            let transport = try ServiceCall.transport.get()
            // Each has a client of its own, since one may fail without the other.
            try self.init(
                queue: queue.map { try RunPodEndpoint($0, key: key, client: HTTPClient(over: transport)) },
                loadBalancer: loadBalancer.map {
                    try RunPodLoadBalancer($0, key: key, client: HTTPClient(over: transport))
                },
                space: space, options: options)
        } catch let error as HTTPError {
            throw RunPodError(error, of: "RunPod").engineError
        } catch let error as RunPodError {
            throw error.engineError
        }
    }

    init(
        queue: RunPodEndpoint?, loadBalancer: RunPodLoadBalancer?, space: EmbeddingSpace,
        options: Options = Options()
    ) throws {
        guard queue != nil || loadBalancer != nil else {
            throw EngineError(.invalid, "\(space.name) has no endpoint at RunPod; give the id of one")
        }
        self.queue = queue
        self.loadBalancer = loadBalancer
        self.space = space
        self.options = options
        turns = Turns(count: options.maximumInFlight)
    }

    // MARK: Vectors

    /// One vector of length 1 for each input, in their order.
    ///
    /// - Throws: `EngineError`: `embedder` (RunPod or its worker fails, is cold or asleep, or answers with what are no vectors of
    ///   the space; a question without an endpoint for it), `invalid` (what is no image or video, or damaged), `tooLarge`,
    ///   `deadline`; `CancellationError`.
    public func embed(_ inputs: [EmbeddingInput], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        let inputs = try inputs.enumerated().map { try prepared($1, at: $0, purpose) }
        let door = try door(for: purpose)
        do {
            let batches = try RunPodBatch.batches(
                of: inputs.map { ($0.kind, $0.byteCount) }, atMost: options.maximumJobCount,
                byteCount: min(options.maximumJobByteCount, door.maximumBodyByteCount))
            return try await vectors(of: batches, inputs, through: door)
        } catch let error as RunPodError {
            throw error.engineError
        }
    }

    private func prepared(
        _ input: EmbeddingInput, at place: Int, _ purpose: EmbeddingPurpose
    ) throws -> RunPodBatch.Item {
        switch input {
        case .text(let text) where modalities.contains(.text):
            let whole = (purpose == .query ? options.queryPrefix : options.passagePrefix) + text
            guard whole.utf8.count <= limits.maximumInputByteCount else {
                throw EngineError(
                    .tooLarge,
                    "text \(place) has \(whole.utf8.count) bytes, and may have \(limits.maximumInputByteCount) for "
                        + "\(space.name); split it")
            }
            return RunPodBatch.Item(.text, Array(whole.utf8))
        case .image(let bytes) where modalities.contains(.image):
            try input.check("image \(place)")
            return RunPodBatch.Item(.image, bytes)
        case .video(let bytes) where modalities.contains(.video):
            try input.check("video \(place)")
            return RunPodBatch.Item(.video, bytes)
        case .frames(let frames) where modalities.contains(.video):
            try input.check("video \(place)")
            // No more than the worker looks at, and the same ones that it would choose.
            let isWhole = frames.count <= options.frameCount
            return RunPodBatch.Item(
                frames: isWhole
                    ? frames
                    : EmbeddingInput.evenlySpaced(options.frameCount, of: frames.count).map { frames[$0] })
        case .text, .image, .video, .frames:
            let kinds = modalities.map(\.rawValue).sorted().joined(separator: " and ")
            throw EngineError(.embedder, "\(space.name) embeds \(kinds) only; give what is else a vector")
        }
    }

    /// Where a call goes.
    private enum Door: Sendable {
        case queue(RunPodEndpoint, RunPodEndpoint.Route, Duration)
        case loadBalancer(RunPodLoadBalancer, Duration, isHurried: Bool)

        var maximumBodyByteCount: Int {
            switch self {
            case .queue(_, let route, _): route.maximumBodyByteCount
            case .loadBalancer: RunPodLoadBalancer.maximumBodyByteCount
            }
        }
    }

    private func door(for purpose: EmbeddingPurpose) throws -> Door {
        switch (purpose, queue, loadBalancer) {
        case (.query, _, let balancer?):
            return .loadBalancer(balancer, options.queryDeadline, isHurried: true)
        case (.passage, nil, let balancer?):
            return .loadBalancer(balancer, options.deadline, isHurried: false)
        case (.passage, let queue?, _):
            return .queue(queue, options.usesRunSync ? .runSync : .run, options.deadline)
        case (.query, let queue?, nil):
            guard options.waitsForQueue else {
                throw EngineError(
                    .embedder,
                    "a question does not wait in the queue of \(queue.name), which may be cold: give \(space.name) a "
                        + "load-balancing endpoint for questions, or let it wait (`waitsForQueue`, RUNPOD_QUESTIONS_WAIT=true)"
                )
            }
            return .queue(queue, .runSync, options.queryDeadline)
        case (_, nil, nil): preconditionFailure("`init` asks for one of them")
        }
    }

    private func vectors(
        of batches: [RunPodBatch], _ inputs: [RunPodBatch.Item], through door: Door
    ) async throws -> [[Float]] {
        try await withThrowingTaskGroup(of: (batch: Int, vectors: [[Float]]).self) { group in
            var vectors = [[Float]](repeating: [], count: inputs.count)
            var next = 0
            func addNext() {
                guard next < batches.count else { return }
                let number = next
                next += 1
                let batch = batches[number]
                group.addTask {
                    let own = batch.places.map { inputs[$0] }
                    let vectors = try await turns.run {
                        try await self.vectors(of: batch.kind, own, through: door)
                    }
                    return (number, vectors)
                }
            }
            for _ in 0..<max(1, options.maximumInFlight) { addNext() }
            while let done = try await group.next() {
                for (place, vector) in zip(batches[done.batch].places, done.vectors) {
                    vectors[place] = vector
                }
                addNext()
            }
            return vectors
        }
    }

    private func vectors(
        of kind: RunPodBatch.Kind, _ inputs: [RunPodBatch.Item], through door: Door
    ) async throws -> [[Float]] {
        let input = try RunPodBatch.input(kind, inputs)
        switch door {
        case .queue(let endpoint, let route, let deadline):
            let reservation = try await options.ledger?.reserve(charge(inputs.count, 0), for: Self.service)
            let (body, isCounted): ([UInt8], Bool)
            do {
                (body, isCounted) = try await endpoint.outcome(of: input, by: route, within: deadline)
            } catch let error as RunPodError {
                await settle(reservation, error.isCounted ? nil : charge(inputs.count, error.seconds))
                throw error
            }
            guard let (output, seconds) = RunPodOutput.ofJob(body) else {
                let seconds = RunPodOutput.seconds(ofJob: body)
                await settle(reservation, isCounted ? nil : charge(inputs.count, seconds))
                throw noVectors(from: endpoint.name, Self.shapes)
            }
            await settle(reservation, isCounted ? nil : charge(inputs.count, seconds))
            return try checked(output, inputs.count, from: endpoint.name, endpoint.credential)
        case .loadBalancer(let balancer, let deadline, let isHurried):
            let body = try await balancer.post(
                input, to: options.loadBalancerPath, within: deadline, isHurried: isHurried,
                meter: meter(inputs.count))
            guard let output = RunPodOutput(body) else {
                let complaint = RunPodComplaint.inOutput(body)?.failure(of: balancer.name)
                throw (complaint ?? noVectors(from: balancer.name, Self.shapes))
                    .scrubbed(of: balancer.credential)
            }
            return try checked(output, inputs.count, from: balancer.name, balancer.credential)
        }
    }

    /// Counts what a job took; `nil` = another caller does. An answer that is there is not thrown away for a count.
    private func settle(_ reservation: CostLedger.Reservation?, _ charge: CostLedger.Charge?) async {
        guard let reservation else { return }
        try? await options.ledger?.settle(reservation, charge)
    }

    /// Counts the time of each attempt: a load balancer says nothing of its workers' time, which is at most this, also where it
    /// fails.
    private func meter(_ inputs: Int) -> HTTPMeter? {
        guard let ledger = options.ledger else { return nil }
        return {
            let reservation = try await ledger.reserve(charge(inputs, 0), for: Self.service)
            let start = ContinuousClock.now
            return { result in
                var isSent = true
                if case .failure(let error as HTTPError) = result { isSent = !error.isUnsent }
                let seconds = (ContinuousClock.now - start) / .seconds(1)
                await settle(reservation, isSent ? charge(inputs, seconds) : nil)
            }
        }
    }

    private func charge(_ inputs: Int, _ seconds: Double) -> CostLedger.Charge {
        CostLedger.Charge(
            texts: inputs, tokens: 0, dollars: options.dollarsPerSecond.map { $0 * seconds },
            isEstimate: false,
            seconds: seconds)
    }

    // MARK: Checks

    /// What stands in for an output that is neither. It is not shown, for it might repeat an input.
    private static let shapes = "its output has neither `vectors` nor OpenAI's `data`, or no vectors in it"

    private func noVectors(from name: String, _ reason: String) -> RunPodError {
        RunPodError(.badReply, "\(name) gave no vectors of \(space.name): \(reason)")
    }

    private func checked(
        _ output: RunPodOutput, _ count: Int, from name: String, _ credential: HTTPCredential?
    ) throws -> [[Float]] {
        func refusal(_ reason: String) -> RunPodError { noVectors(from: name, reason) }
        if let model = output.model, model != space.model, !options.otherNames.contains(model) {
            let shown = HTTPCredential.excerpt(of: Array(model.utf8), without: credential, limit: 100)
            throw refusal("its output is of the model `\(shown)`")
        }
        if let dimension = output.dimension, dimension != space.dimension {
            throw refusal("its output has the dimension \(dimension)")
        }
        do {
            return try space.vectors(output.vectors, count: count)
        } catch {
            throw refusal(error.reason)
        }
    }

    // MARK: Health

    /// What the endpoint with the queue says of its workers and jobs; `nil` where there is none.
    ///
    /// - Throws: `EngineError`: `embedder` (a wrong key, no such endpoint, no answer), `deadline`; `CancellationError`.
    public func queueHealth() async throws -> RunPodHealth? {
        do {
            return try await queue?.health()
        } catch let error as RunPodError {
            throw error.engineError
        }
    }

    /// Whether the load balancer has a worker that takes questions now, and does not only start; `nil` where there is none.
    ///
    /// - Throws: as `queueHealth` does.
    public func loadBalancerIsReady() async throws -> Bool? {
        do {
            return try await loadBalancer?.isReady()
        } catch let error as RunPodError {
            throw error.engineError
        }
    }
}
