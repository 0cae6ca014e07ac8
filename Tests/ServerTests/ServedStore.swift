import Embedders
import Foundation
import Logging
import MemoryEngine
import Testing

@testable import Server

/// A server over a new store, for as long as a test needs it.
enum ServedStore {
    static func options(_ change: (inout Server.Options) -> Void) -> Server.Options {
        var options = Server.Options()
        change(&options)
        return options
    }

    /// Serves a new store, and lends `body` the port.
    static func serve(
        _ options: Server.Options = Server.Options(), _ store: Engine.Options = Engine.Options(),
        _ body: @escaping @Sendable (Int) throws -> Void
    ) async throws {
        try await serveAddresses(options, store) { try body($0.port ?? 0) }
    }

    /// Serves a new store, and lends `body` where it can be reached.
    static func serveAddresses(
        _ options: Server.Options, _ store: Engine.Options = Engine.Options(),
        _ body: @escaping @Sendable (Server.Addresses) throws -> Void
    ) async throws {
        let folder = NSTemporaryDirectory() + "server-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let engine = try Engine.open(at: folder, embedder: HashEmbedder(), options: store)
        var options = options
        options.port = 0
        let (all, continuation) = AsyncStream.makeStream(of: Server.Addresses.self)
        let server = Server(
            engine: engine, options: options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { addresses in
            continuation.yield(addresses)
            continuation.finish()
        }
        let running = Task {
            defer { continuation.finish() }
            try await server.run()
        }
        for await addresses in all {
            do {
                try await onThread { try body(addresses) }
            } catch {
                running.cancel()
                throw error
            }
        }
        running.cancel()
        try await running.value
        await engine.close()
    }

    /// Runs what waits for a socket where it keeps nobody else from working.
    static func onThread(_ body: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
        }
    }
}
