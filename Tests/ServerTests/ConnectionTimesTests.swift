import Foundation
import Logging
import MemoryEngine
import NIOCore
import NIOEmbedded
import Testing

@testable import Server

/// A connection whose clock the test turns.
private final class TimedConnection {
    let channel: NIOAsyncTestingChannel
    let metrics = ServerMetrics()
    private let engine: Engine
    private let folder = NSTemporaryDirectory() + "times-\(UUID().uuidString)"

    init(isOverTLS: Bool = false, idle: TimeAmount? = nil) async throws {
        let engine = try Engine.open(at: folder)
        let metrics = metrics
        self.engine = engine
        channel = try await NIOAsyncTestingChannel { channel in
            var times = ConnectionHandler.Times()
            times.idle = idle
            try channel.pipeline.syncOperations.addHandler(
                ConnectionHandler(
                    state: ConnectionState(id: 1, facts: ConnectionState.Facts()),
                    commands: MemoryCommands(engine: engine), users: nil, times: times, isOverTLS: isOverTLS,
                    longReplies: LongReplies(limit: 1 << 20), metrics: metrics,
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        }
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
    }

    func send(_ text: String) async throws { try await channel.writeInbound(ByteBuffer(string: text)) }

    func wait(_ seconds: Int64) async { await channel.testingEventLoop.advanceTime(by: .seconds(seconds)) }

    var isOpen: Bool { channel.isActive }

    func close() async throws {
        if isOpen { try await channel.close().get() }
        await engine.close()
        try FileManager.default.removeItem(atPath: folder)
    }
}

@Suite struct `The time of a connection` {
    @Test func `is as long as it likes by default`() async throws {
        let connection = try await TimedConnection()
        await connection.wait(1_000_000)
        #expect(connection.isOpen)
        try await connection.close()
    }

    @Test func `ends when it has been silent for so long as is said`() async throws {
        let connection = try await TimedConnection(idle: .seconds(300))
        await connection.wait(299)
        try await connection.send("PING\r\n")
        await connection.wait(299)
        #expect(connection.isOpen)
        await connection.wait(2)
        #expect(!connection.isOpen)
        #expect(connection.metrics.text.contains(#"ended_total{reason="idle"} 1"#))
        try await connection.close()
    }

    @Test func `does not end while it waits for changes`() async throws {
        let connection = try await TimedConnection(idle: .seconds(300))
        try await connection.send("MEM.REMEMBER user/ada Tea.\r\n")
        // The answer comes from another thread.
        _ = try await connection.channel.waitForOutboundWrite(as: ByteBuffer.self)
        try await connection.send("MEM.CHANGES user/ada AFTER 1 BLOCK 3600000\r\n")
        await connection.wait(3_000)
        #expect(connection.isOpen)
        try await connection.close()
    }

    @Test func `ends when a command does not come whole`() async throws {
        let connection = try await TimedConnection()
        for part in ["*2\r\n", "$4\r\nEC", "HO\r\n"] {
            try await connection.send(part)
            await connection.wait(25)
        }
        #expect(!connection.isOpen)
        #expect(connection.metrics.text.contains(#"ended_total{reason="slow"} 1"#))
        try await connection.close()
    }

    @Test func `begins anew with each command`() async throws {
        let connection = try await TimedConnection()
        try await connection.send("PI")
        for _ in 0..<10 {
            await connection.wait(50)
            try await connection.send("NG\r\nPI")
        }
        #expect(connection.isOpen)
        try await connection.send("NG\r\n")
        await connection.wait(1_000)
        #expect(connection.isOpen)
        try await connection.close()
    }

    @Test func `ends when TLS does not begin`() async throws {
        let connection = try await TimedConnection(isOverTLS: true)
        await connection.wait(59)
        #expect(connection.isOpen)
        await connection.wait(2)
        #expect(!connection.isOpen)
        try await connection.close()
    }
}
