import ArgumentParser
import Dispatch
import Foundation
import NIOCore
import NIOPosix

/// A server that is measured.
struct ServerUnderLoad {
    let name: String
    private let host: String
    private let port: Int
    private let group: MultiThreadedEventLoopGroup

    init(_ address: String, _ group: MultiThreadedEventLoopGroup) throws {
        let parts = address.split(separator: ":")
        guard parts.count == 2, let port = Int(parts[1]) else {
            throw ValidationError("`\(address)` is no HOST:PORT")
        }
        name = address
        host = String(parts[0])
        self.port = port
        self.group = group
    }

    /// What one turn gave.
    struct Turn {
        /// Microseconds of each batch.
        var values: [Double] = []
        /// Seconds from the first command to the last reply.
        var span = 0.0
        var times: Samples {
            var samples = Samples()
            for value in values { samples.add(value) }
            return samples
        }
    }

    /// Sends commands in their order, again from the first at the end, over some connections for some time.
    func run(
        _ commands: [[[UInt8]]], clients: Int, pipeline: Int, for duration: Duration
    ) async throws -> Turn {
        let loop = group.next()
        let source = TimedSource(commands, pipeline, for: duration)
        let start = DispatchTime.now().uptimeNanoseconds
        try await connect(clients, loop, source)
        let span = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
        let (values, error) = try await loop.submit { (source.values, source.error) }.get()
        if let error { throw ValidationError("\(name) refused: \(error)") }
        return Turn(values: values, span: span)
    }

    /// Commands in their order, again from the first at the end, until a time is over.
    private final class TimedSource: LoadSource, @unchecked Sendable {
        let keepsItems = false
        private let batches: [ByteBuffer]
        private let pipeline: Int
        private let end: UInt64
        private var place = 0
        private(set) var values: [Double] = []
        private(set) var error: String?

        init(_ commands: [[[UInt8]]], _ pipeline: Int, for duration: Duration) {
            batches = stride(from: 0, to: commands.count, by: pipeline).map { first in
                var buffer = ByteBuffer()
                for offset in 0..<pipeline {
                    LoadCommand.encode(commands[(first + offset) % commands.count], into: &buffer)
                }
                return buffer
            }
            self.pipeline = pipeline
            end = DispatchTime.now().uptimeNanoseconds + UInt64(duration.milliseconds * 1_000_000)
        }

        func next() -> (bytes: ByteBuffer, count: Int)? {
            guard DispatchTime.now().uptimeNanoseconds < end else { return nil }
            defer { place = (place + 1) % batches.count }
            return (batches[place], pipeline)
        }

        func take(_ nanoseconds: UInt64, _ replies: [LoadReply]) {
            values.append(Double(nanoseconds) / 1_000)
            if let refusal = replies.lazy.compactMap(\.error).first { error = refusal }
        }
    }

    /// Each command once.
    private final class ListSource: LoadSource, @unchecked Sendable {
        let keepsItems = true
        private let commands: [[[UInt8]]]
        private let pipeline: Int
        private var place = 0
        private(set) var replies: [LoadReply] = []

        init(_ commands: [[[UInt8]]], _ pipeline: Int) {
            self.commands = commands
            self.pipeline = pipeline
        }

        func next() -> (bytes: ByteBuffer, count: Int)? {
            guard place < commands.count else { return nil }
            let batch = commands[place..<min(place + pipeline, commands.count)]
            var buffer = ByteBuffer()
            for command in batch { LoadCommand.encode(command, into: &buffer) }
            place += batch.count
            return (buffer, batch.count)
        }

        func take(_ nanoseconds: UInt64, _ replies: [LoadReply]) {
            self.replies += replies
        }
    }

    private func connect(_ clients: Int, _ loop: any EventLoop, _ source: any LoadSource) async throws {
        var done: [EventLoopFuture<Void>] = []
        for _ in 0..<clients {
            let promise = loop.makePromise(of: Void.self)
            done.append(promise.futureResult)
            _ = try await ClientBootstrap(group: loop)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(LoadConnection(source, done: promise))
                    }
                }
                .connect(host: host, port: port).get()
        }
        for future in done { try await future.get() }
    }

    /// The replies to some commands, one after another.
    private func ask(_ commands: [[[UInt8]]], pipeline: Int = 1) async throws -> [LoadReply] {
        let loop = group.next()
        let source = ListSource(commands, pipeline)
        try await connect(1, loop, source)
        let replies = try await loop.submit { source.replies }.get()
        if let error = replies.lazy.compactMap(\.error).first {
            throw ValidationError("\(name) refused: \(error)")
        }
        return replies
    }

    // MARK: Vectors

    static func addition(to set: String, _ element: String, _ vector: [Float]) -> [[UInt8]] {
        [Array("VADD".utf8), Array(set.utf8), Array("FP32".utf8), blob(vector), Array(element.utf8)]
    }

    static func question(_ vector: [Float], ef: Int) -> [[UInt8]] {
        [
            Array("VSIM".utf8), Array("load".utf8), Array("FP32".utf8), blob(vector), Array("COUNT".utf8),
            Array("10".utf8), Array("EF".utf8), Array("\(ef)".utf8),
        ]
    }

    private static func blob(_ vector: [Float]) -> [UInt8] {
        vector.flatMap { value in
            let bits = value.bitPattern
            return [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: bits >> $0) }
        }
    }

    /// Adds rows to the set. Returns how many seconds it took.
    func fill(_ vectors: NumberFile, _ count: Int) async throws -> Double {
        let start = ContinuousClock.now
        for first in stride(from: 0, to: count, by: 1_000) {
            let rows = first..<min(first + 1_000, count)
            _ = try await ask(
                rows.map { Self.addition(to: "load", "\($0)", vectors.floats($0)) }, pipeline: 100)
        }
        return (ContinuousClock.now - start).seconds
    }

    /// Returns when a search takes no less time than it took a while ago: what a server does in the background is done.
    func settle(_ question: [Float]) async throws {
        var before = Double.infinity
        while true {
            let turn = try await run(
                [Self.question(question, ef: 40)], clients: 1, pipeline: 1, for: .seconds(4))
            let median = turn.times.median
            if median > before * 0.9 { return }
            before = median
        }
    }

    func answers(_ questions: [[Float]], ef: Int) async throws -> [[[UInt8]]] {
        try await ask(questions.map { Self.question($0, ef: ef) }).map(\.items)
    }
}
