import Foundation
import Glibc
import MemoryEngine

/// What services cost, by service and day (UTC), with caps that stop a call before it is sent.
///
/// The days are kept in a file, which processes share: each count is added to what is there, under a lock. What calls that are
/// under way will cost at most counts for the caps of this process; others may go over a cap by what they have under way.
public final class CostLedger: Sendable {
    /// What was sent to a service on a day.
    public struct Day: Sendable, Equatable, Codable {
        public internal(set) var requests = 0
        public internal(set) var texts = 0
        public internal(set) var tokens = 0
        /// Of these, what the service did not count itself.
        public internal(set) var estimatedTokens = 0
        public internal(set) var dollars = 0.0
    }

    /// The most of a day; `nil` = no bound.
    public struct Cap: Sendable, Equatable {
        public var tokens: Int?
        public var dollars: Double?

        public init(tokens: Int? = nil, dollars: Double? = nil) {
            (self.tokens, self.dollars) = (tokens, dollars)
        }
    }

    struct Charge: Equatable {
        var texts: Int
        var tokens: Int
        var dollars: Double
    }

    struct Reservation {
        fileprivate let service: String
        fileprivate let charge: Charge
    }

    /// By day, as `2026-11-28`, and service.
    public typealias Days = [String: [String: Day]]

    private struct State {
        /// Where there is no file.
        var days: Days = [:]
        var underWay: [String: (tokens: Int, dollars: Double)] = [:]
    }

    private let path: String?
    private let caps: [String: Cap]
    private let clock: @Sendable () -> Timestamp
    private let state = Mutex(State())

    /// Older days are left out of the file.
    static let keptDays = 400
    /// A file of as many days of a hundred services.
    private static let maximumByteCount = 16 << 20

    /// - Parameters:
    ///   - path: the file, which is made with its folder at the first count; `nil` = the counts live as long as this.
    ///   - caps: by the name of the service.
    public init(
        path: String? = nil, caps: [String: Cap] = [:],
        clock: @escaping @Sendable () -> Timestamp = { Timestamp.now }
    ) {
        (self.path, self.caps, self.clock) = (path, caps, clock)
    }

    /// What was counted, by day and service.
    ///
    /// - Throws: `EngineError`: `corrupted` (the file is none of this), `io`.
    public func days() throws -> Days {
        guard let path else { return state.withLock { $0.days } }
        return try Self.read(path)
    }

    /// What was counted of a service today.
    public func today(_ service: String) throws -> Day {
        try days()[day(clock()), default: [:]][service] ?? Day()
    }

    // MARK: Calls

    /// Sets what a call will cost at most aside.
    ///
    /// - Throws: `EngineError`: `embedder` where the cap of the day does not leave as much.
    func reserve(_ charge: Charge, for service: String) throws -> Reservation {
        let cap = caps[service] ?? Cap()
        let used = cap == Cap() ? Day() : try today(service)
        try state.withLock { state in
            let other = state.underWay[service] ?? (0, 0)
            let tokens = used.tokens + other.tokens + charge.tokens
            let dollars = used.dollars + other.dollars + charge.dollars
            if let most = cap.tokens, tokens > most {
                throw refusal(of: service, "\(most) tokens", "\(used.tokens)")
            }
            if let most = cap.dollars, dollars > most {
                throw refusal(
                    of: service, "\(Self.text(most)) dollars", Self.text(used.dollars))
            }
            state.underWay[service] = (other.tokens + charge.tokens, other.dollars + charge.dollars)
        }
        return Reservation(service: service, charge: charge)
    }

    private func refusal(of service: String, _ most: String, _ used: String) -> EngineError {
        EngineError(
            .embedder,
            "\(service) has a cap of \(most) a day, of which \(used) are used, and this call might go over it: it starts anew at "
                + "midnight UTC; or raise the cap")
    }

    private static func text(_ dollars: Double) -> String { String(format: "%.2f", dollars) }

    /// Ends what `reserve` began.
    func release(_ reservation: Reservation) {
        state.withLock { state in
            let other = state.underWay[reservation.service] ?? (0, 0)
            state.underWay[reservation.service] = (
                other.tokens - reservation.charge.tokens, other.dollars - reservation.charge.dollars
            )
        }
    }

    /// Counts a call that was answered.
    func count(_ charge: Charge, isEstimate: Bool, for service: String) throws {
        let today = day(clock())
        func add(to days: inout Days) {
            var day = days[today, default: [:]][service] ?? Day()
            day.requests += 1
            day.texts += charge.texts
            day.tokens += charge.tokens
            if isEstimate { day.estimatedTokens += charge.tokens }
            day.dollars += charge.dollars
            days[today, default: [:]][service] = day
        }
        guard let path else { return state.withLock { add(to: &$0.days) } }
        try Self.change(path) { add(to: &$0) }
    }

    private func day(_ moment: Timestamp) -> String { String("\(moment)".prefix(10)) }

    // MARK: The file

    private static func read(_ path: String) throws -> Days {
        guard FileManager.default.fileExists(atPath: path) else { return [:] }
        guard let handle = FileHandle(forReadingAtPath: path),
            let data = try? handle.read(upToCount: maximumByteCount + 1) ?? Data()
        else { throw EngineError(.io, "\(path) cannot be read: what services cost is counted there") }
        guard data.count <= maximumByteCount, let days = try? JSONDecoder().decode(Days.self, from: data)
        else {
            throw EngineError(
                .corrupted,
                "\(path) does not hold what services cost: look into it, and remove it to count from nothing")
        }
        return days
    }

    private static func change(_ path: String, _ body: (inout Days) -> Void) throws {
        let lockPath = path + ".lock"
        let files = FileManager.default
        // What somebody pays for is nobody else's matter.
        try? files.createDirectory(
            at: URL(fileURLWithPath: path).deletingLastPathComponent(), withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        if !files.fileExists(atPath: lockPath) { _ = files.createFile(atPath: lockPath, contents: nil) }
        guard let lock = FileHandle(forUpdatingAtPath: lockPath) else {
            throw EngineError(.io, "\(lockPath) cannot be written: what services cost is counted beside it")
        }
        defer { try? lock.close() }
        // Held for a few milliseconds; it goes with the descriptor.
        while flock(lock.fileDescriptor, LOCK_EX) != 0 {
            guard errno == EINTR else { throw EngineError(.io, "\(lockPath) cannot be locked") }
        }
        var days = try read(path)
        body(&days)
        for day in days.keys.sorted().dropLast(keptDays) { days[day] = nil }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        do {
            try encoder.encode(days).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw EngineError(.io, "\(path) cannot be written: \(error.localizedDescription)")
        }
    }
}
