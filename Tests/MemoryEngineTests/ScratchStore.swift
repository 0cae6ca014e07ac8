// A test may stop where a value that it made is missing.
// swift-format-ignore-file: NeverForceUnwrap

import Foundation
import Testing

@testable import MemoryEngine
@testable import Store

/// A directory of its own for a test, removed with all that is in it when the last reference goes.
final class ScratchDirectory: Sendable {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "/loci-engine-" + UUID().uuidString
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A clock that a test turns. It stands still otherwise.
final class TurnedClock: Sendable {
    private let now: Mutex<Timestamp>

    init(_ text: String = "2026-03-01T12:00:00Z") { now = Mutex(Timestamp(text)!) }

    var time: Timestamp { now.withLock { $0 } }

    /// Moves the hands on, and tells the new time.
    @discardableResult
    func advance(by duration: Duration = .seconds(1)) -> Timestamp {
        now.withLock {
            $0 = $0.advanced(by: duration)
            return $0
        }
    }
}

/// A store of a test's own: an engine over a directory that goes away, with a clock that is turned.
struct ScratchStore: Sendable {
    let directory = ScratchDirectory()
    let clock = TurnedClock()
    var options = Engine.Options()
    let engine: Engine

    init(embedder: (any Embedder)? = nil, _ change: (inout Engine.Options) -> Void = { _ in }) throws {
        options.durability = .none
        options.quotaBytes = 1 << 30
        options.principal = "tester"
        // On a busy machine what is ready at once may be late.
        options.imageQuestionPatience = .seconds(3_600)
        options.mediaPatience = .seconds(3_600)
        let clock = clock
        options.clock = { clock.time }
        change(&options)
        engine = try Engine.open(at: directory.path, embedder: embedder, options: options)
    }

    /// Another engine over the same directory, once this one is closed.
    func reopened(_ change: (inout Engine.Options) -> Void = { _ in }) throws -> Engine {
        var options = options
        change(&options)
        return try Engine.open(at: directory.path, options: options)
    }
}

extension Engine {
    /// Folds the whole tail of a home into columns and postings, however short it is, and every whole segment of
    /// vectors, as the indexer does with longer ones.
    func fold(_ namespace: Namespace) async throws {
        try await withExistingHome(of: namespace) { home in
            try await home.environment.submit { transaction in
                var state = try HomeState.read(in: transaction.snapshot)
                try Indexer.foldAll(&state, in: transaction)
                try state.write(in: transaction)
                for var space in try SpaceRecord.all(in: transaction.snapshot) {
                    var extent = space.extent
                    _ = try space.segments.fold(&extent, atMost: .max, in: transaction)
                    space.extent = extent
                    try space.write(in: transaction)
                }
            }
        }
    }

    /// Fails the test with what `check` has to say against a home.
    func expectClean(_ namespace: Namespace, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let problems = try await check(in: namespace).problems
        #expect(problems == [], sourceLocation: sourceLocation)
    }

    /// All memories of a namespace in the portable form. The place in a thread is left out: it is given anew.
    func exported(_ namespace: Namespace) async throws -> [ExportedMemory] {
        var memories: [ExportedMemory] = []
        try await export(in: namespace) { memories.append($0) }
        return memories
    }

    /// Every entry of every table of a home: its name, key and payload.
    func entries(of namespace: Namespace) async throws -> [(table: String, key: [UInt8], value: [UInt8])] {
        try await read(in: namespace) { transaction in
            var entries: [(table: String, key: [UInt8], value: [UInt8])] = []
            for table in Schema.all {
                try table.scan(prefix: Key(), in: transaction) { key, value in
                    entries.append((table.name, key.array, value.array))
                    return true
                }
            }
            return entries
        } ?? []
    }
}

/// Runs a call that must be refused, and gives the error.
func refusal(
    _ body: () async throws -> some Any
) async -> EngineError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? EngineError
    }
}
