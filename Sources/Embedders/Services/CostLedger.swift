import Dispatch
import MemoryEngine

/// What services cost, by service and day (UTC), with caps that stop a call before it is sent.
///
/// A call is counted by an estimate before it is sent, and by what the service says when it has answered. So the estimate is what
/// stays of a call whose answer never came, because the service may want to be paid for it all the same; and
/// a cap holds for all calls that are under way. Those that were refused, or never sent, are taken back.
///
/// The days are kept in a file, which processes share: each change is made to what is there, under a lock.
public final class CostLedger: Sendable {
    /// What was sent to a service on a day.
    public struct Day: Sendable, Equatable {
        public internal(set) var requests = 0
        public internal(set) var texts = 0
        public internal(set) var tokens = 0
        /// Of these, what the service did not count itself.
        public internal(set) var estimatedTokens = 0
        /// Of the requests, and of the tokens, those with a price that nobody knows: `dollars` are without them.
        public internal(set) var unpricedRequests = 0
        public internal(set) var unpricedTokens = 0
        public internal(set) var dollars = 0.0
        /// That workers worked, where that is what is paid for.
        public internal(set) var seconds = 0.0

        package init() {}

        /// The dollars, where some price is known; `nil` = nobody knows what it cost.
        public var knownDollars: Double? { dollars == 0 && unpricedRequests > 0 ? nil : dollars }
    }

    /// The most of a day; `nil` = no bound.
    public struct Cap: Sendable, Equatable {
        public var tokens: Int?
        public var dollars: Double?
        /// What a call takes is known when it has ended, so those that are under way may go over it.
        public var seconds: Double?

        public init(tokens: Int? = nil, dollars: Double? = nil, seconds: Double? = nil) {
            (self.tokens, self.dollars, self.seconds) = (tokens, dollars, seconds)
        }
    }

    /// What one call costs.
    struct Charge: Equatable {
        var texts: Int
        var tokens: Int
        /// `nil` = the price is not known.
        var dollars: Double?
        var isEstimate = true
        var seconds = 0.0
    }

    /// A call that was counted, and may still turn out to be another.
    struct Reservation {
        fileprivate let service: String
        fileprivate let day: String
        fileprivate let charge: Charge
        /// Whether the file did not take it.
        fileprivate var isUncounted = false
    }

    /// By day, as `2026-11-28`, and service.
    public typealias Days = [String: [String: Day]]

    private let file: CostFile?
    private let caps: [String: Cap]
    private let clock: @Sendable () -> Timestamp
    private let warn: (@Sendable (String) -> Void)?
    private let hasWarned = Mutex(false)
    /// Where there is no file.
    private let kept = Mutex(Days())
    /// Files and their locks take time, which the threads of tasks have not.
    private let queue = DispatchQueue(label: "loci.costs")

    /// Older days are left out of the file.
    static let keptDays = 400

    /// - Parameters:
    ///   - path: the file, which is made with its folder at the first call; `nil` = the counts live as long as this.
    ///   - caps: by the name of the service.
    ///   - warn: called with words for a person, once, where the file is damaged and nothing is counted because of that.
    public convenience init(
        path: String? = nil, caps: [String: Cap] = [:],
        clock: @escaping @Sendable () -> Timestamp = { Timestamp.now },
        warn: (@Sendable (String) -> Void)? = nil
    ) {
        self.init(file: path.map { CostFile(path: $0) }, caps: caps, clock: clock, warn: warn)
    }

    init(
        file: CostFile?, caps: [String: Cap], clock: @escaping @Sendable () -> Timestamp,
        warn: (@Sendable (String) -> Void)? = nil
    ) {
        (self.file, self.caps, self.clock, self.warn) = (file, caps, clock, warn)
    }

    /// What was counted, by day and service.
    ///
    /// - Throws: `EngineError`: `corrupted` (the file is none of this), `io`.
    /// - Complexity: reads the file, of some hundred bytes for each day and service.
    public func days() throws -> Days {
        guard let file else { return kept.withLock { $0 } }
        return try file.read()
    }

    /// What was counted of a service today.
    public func today(_ service: String) throws -> Day { try today()[service] ?? Day() }

    /// What was counted today, by service.
    public func today() throws -> [String: Day] { try days()[clock().day] ?? [:] }

    /// Which cap of a service is used up, and when it starts anew; `nil` = none, and a call that is small enough is sent.
    ///
    /// - Throws: as `days` does, where the service has a cap.
    public func reachedCap(of service: String) throws -> String? {
        guard let cap = caps[service] else { return nil }
        let day = try today(service)
        let used: String
        if let most = cap.tokens, day.tokens >= most {
            used = "\(most) tokens a day, of which \(day.tokens) are used"
        } else if let most = cap.seconds, day.seconds >= most {
            used = Self.usedSeconds(most, day)
        } else if let most = cap.dollars, Self.rounded(day.dollars) >= most {
            used = "\(most) dollars a day, of which \(Self.rounded(day.dollars)) are used"
        } else {
            return nil
        }
        return "\(service) has a cap of \(used): \(Self.wayOut)"
    }

    // MARK: Calls

    /// Counts a call that is about to be sent. Where the file is damaged and no cap of the service has to be kept, it is not counted,
    /// and `warn` is told: what the file holds is left to whoever looks into it.
    ///
    /// - Throws: `EngineError`: `embedder` where the cap of the day does not leave as much, or cannot be kept; `corrupted`, `locked`,
    ///   `io`: what is not counted is not sent.
    func reserve(_ charge: Charge, for service: String) async throws -> Reservation {
        var reservation = Reservation(service: service, day: clock().day, charge: charge)
        let (today, cap) = (reservation.day, caps[service])
        do {
            try await change { days in
                var day = days[today]?[service] ?? Day()
                try Self.check(charge, after: day, cap ?? Cap(), service)
                day.add(charge)
                days[today, default: [:]][service] = day
                for old in days.keys.sorted().dropLast(Self.keptDays) { days[old] = nil }
            }
        } catch let error as EngineError where error.code == .corrupted && cap == nil {
            reservation.isUncounted = true
            let isFirst = hasWarned.withLock { hasWarned in
                defer { hasWarned = true }
                return !hasWarned
            }
            if isFirst { warn?("costs are not counted: \(error.message)") }
        }
        return reservation
    }

    /// Counts a call by what it cost in the end; `nil` = nothing, and it is as if it had not been sent.
    func settle(_ reservation: Reservation, _ charge: Charge?) async throws {
        if reservation.isUncounted { return }
        try await change { days in
            // Where the day is gone, somebody has begun anew.
            guard var day = days[reservation.day]?[reservation.service] else { return }
            day.remove(reservation.charge)
            if let charge { day.add(charge) }
            days[reservation.day]?[reservation.service] = day == Day() ? nil : day
            if days[reservation.day]?.isEmpty == true { days[reservation.day] = nil }
        }
    }

    /// Counts each attempt by an estimate before it is sent, and by what the service counted when it has answered.
    ///
    /// - Parameter counted: what an answer says that it cost; `nil` = nothing, and the estimate stays.
    func meter(
        _ service: String, estimate: Charge, _ counted: @escaping @Sendable (HTTPResponse) -> Charge?
    ) -> HTTPMeter {
        {
            let reservation = try await self.reserve(estimate, for: service)
            return { result in
                switch result {
                case .success(let response) where response.isSuccess:
                    guard let charge = counted(response) else { return }
                    // An answer that is there is not thrown away for a count: the estimate stays then too.
                    try? await self.settle(reservation, charge)
                // Who refuses or fails does not bill.
                case .success: try? await self.settle(reservation, nil)
                case .failure(let error as HTTPError) where error.isUnsent:
                    try? await self.settle(reservation, nil)
                case .failure: break
                }
            }
        }
    }

    private static func check(_ charge: Charge, after day: Day, _ cap: Cap, _ service: String) throws {
        let end = "this call might go over it: \(wayOut)"
        if let most = cap.tokens, charge.tokens > most - day.tokens {
            throw EngineError(
                .embedder,
                "\(service) has a cap of \(most) tokens a day, of which \(day.tokens) are used, and \(end)")
        }
        if let most = cap.seconds, day.seconds >= most {
            throw EngineError(
                .embedder, "\(service) has a cap of \(usedSeconds(most, day)): \(wayOut)")
        }
        guard let most = cap.dollars else { return }
        guard let dollars = charge.dollars else {
            throw EngineError(
                .embedder,
                "\(service) has a cap of \(most) dollars a day, which cannot be kept, as the price of its model is not known: set "
                    + "the price, or a cap in tokens")
        }
        // Of what costs as long as it takes, nothing is known before.
        if day.dollars + dollars > most || dollars == 0 && charge.tokens == 0 && day.dollars >= most {
            throw EngineError(
                .embedder,
                "\(service) has a cap of \(most) dollars a day, of which \(rounded(day.dollars)) are used, and \(end)"
            )
        }
    }

    private static let wayOut = "it starts anew at midnight UTC; or raise the cap"

    private static func usedSeconds(_ most: Double, _ day: Day) -> String {
        "\(most) seconds a day, of which \(rounded(day.seconds)) are used"
    }

    private static func rounded(_ dollars: Double) -> Double { (dollars * 1e6).rounded() / 1e6 }

    private func change(_ body: @escaping @Sendable (inout Days) throws -> Void) async throws {
        guard let file else {
            return try kept.withLock { days in
                var changed = days
                try body(&changed)
                days = changed
            }
        }
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try file.change(body) }) }
        }
    }
}

extension CostLedger.Day {
    /// More than anybody uses, and little enough that sums of a few stay whole numbers.
    static let maximum = 1 << 53

    mutating func add(_ charge: CostLedger.Charge) { count(charge, 1) }

    /// Takes back what was added.
    mutating func remove(_ charge: CostLedger.Charge) { count(charge, -1) }

    private mutating func count(_ charge: CostLedger.Charge, _ sign: Int) {
        func add(_ number: Int, to sum: inout Int) { sum = min(Self.maximum, max(0, sum + sign * number)) }
        add(1, to: &requests)
        add(charge.texts, to: &texts)
        add(charge.tokens, to: &tokens)
        if charge.isEstimate { add(charge.tokens, to: &estimatedTokens) }
        if charge.dollars == nil {
            add(1, to: &unpricedRequests)
            add(charge.tokens, to: &unpricedTokens)
        }
        // Parts are not exact; what should be nothing is nothing.
        func add(_ part: Double, to sum: inout Double) {
            let new = sum + Double(sign) * part
            sum = abs(new) < 1e-12 ? 0 : max(0, new)
        }
        add(charge.dollars ?? 0, to: &dollars)
        add(charge.seconds, to: &seconds)
    }
}

extension CostLedger.Day: Codable {
    private enum CodingKeys: String, CodingKey {
        case requests, texts, tokens, estimatedTokens, unpricedRequests, unpricedTokens, dollars, seconds
    }

    /// Reads what `encode` writes. What is not there is 0.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func number(_ key: CodingKeys) throws -> Int {
            let number = try values.decodeIfPresent(Int.self, forKey: key) ?? 0
            guard (0...Self.maximum).contains(number) else {
                throw DecodingError.dataCorruptedError(forKey: key, in: values, debugDescription: "no count")
            }
            return number
        }
        requests = try number(.requests)
        texts = try number(.texts)
        tokens = try number(.tokens)
        estimatedTokens = try number(.estimatedTokens)
        unpricedTokens = try number(.unpricedTokens)
        func sum(_ key: CodingKeys) throws -> Double {
            let sum = try values.decodeIfPresent(Double.self, forKey: key) ?? 0
            guard sum.isFinite, sum >= 0 else {
                throw DecodingError.dataCorruptedError(forKey: key, in: values, debugDescription: "no count")
            }
            return sum
        }
        dollars = try sum(.dollars)
        seconds = try sum(.seconds)
        // Files of before do not tell.
        let isUnpriced = dollars == 0 && (seconds > 0 || unpricedTokens > 0)
        unpricedRequests =
            values.contains(.unpricedRequests) ? try number(.unpricedRequests) : isUnpriced ? requests : 0
    }
}
