import Foundation
import MemoryEngine
import Testing

@testable import crashchild

@Suite struct `A store without room` {
    /// Lets a child write until it is told that there is no room.
    private func fill(_ store: String, limit: Int, _ ledger: inout Ledger) async throws {
        let (lines, status, bySignal) = try await Child.run(["fill", store, "full", "\(limit)"])
        for line in lines { ledger.note(line) }
        #expect(status == 0 && !bySignal)
        let errors = lines.filter { $0.hasPrefix("error") }
        #expect(errors.count == 3)
        for error in errors { #expect(error.hasPrefix("error diskFull"), "\(error)") }
        #expect(lines.last?.hasPrefix("readable") == true)
        #expect(ledger.doneCount > 5)
    }

    @Test func `because of a limit on the size of files says so, loses nothing, and goes on`() async throws {
        let folder = try ScratchFolder()
        let store = folder.path + "/store"
        var ledger = Ledger()
        try await fill(store, limit: 3_000_000, &ledger)
        let engine = try Engine.open(at: store)
        try await ledger.expectAgreement(with: engine)
        try await ledger.expectService(of: engine, "limit")
        await engine.close()
    }

    @Test(.enabled(if: SmallDisk.isPossible, "needs the right to mount a file system"))
    func `on a small disk that is full says so, loses nothing, and goes on`() async throws {
        let folder = try ScratchFolder()
        let disk = try SmallDisk(at: folder.path + "/disk", byteCount: 3 << 20)
        let store = disk.path + "/store"
        var ledger = Ledger()
        try await fill(store, limit: 0, &ledger)
        try disk.resize(64 << 20)
        let engine = try Engine.open(at: store)
        try await ledger.expectAgreement(with: engine)
        try await ledger.expectService(of: engine, "disk")
        await engine.close()
    }

    @Test func `because of its quota says so, loses nothing, and goes on`() async throws {
        let folder = try ScratchFolder()
        var options = Engine.Options()
        options.quotaBytes = 2 << 20
        var engine = try Engine.open(at: folder.path + "/store", options: options)
        var ledger = Ledger()
        var error: EngineError?
        for count in 0..<1_000 where error == nil {
            let keys = Workload.keys("q\(count)", count: 20)
            do {
                _ = try await engine.remember(keys.map { Workload.draft($0, version: 1) }, in: Workload.home)
                for key in keys { ledger.noteRemembered(key) }
            } catch let thrown as EngineError {
                error = thrown
            }
        }
        #expect(error?.code == .full)
        #expect(error?.message.contains("quota") == true)
        try await ledger.expectAgreement(with: engine)
        await engine.close()
        options.quotaBytes = 1 << 30
        engine = try Engine.open(at: folder.path + "/store", options: options)
        try await ledger.expectAgreement(with: engine)
        try await ledger.expectService(of: engine, "quota")
        await engine.close()
    }
}

/// A file system in memory, of a size that can be changed; it goes with this.
private final class SmallDisk {
    let path: String

    /// Whether this process may mount: tried once.
    static let isPossible: Bool = {
        guard let folder = try? ScratchFolder() else { return false }
        return (try? SmallDisk(at: folder.path + "/try", byteCount: 1 << 20)) != nil
    }()

    init(at path: String, byteCount: Int) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Self.run(["mount", "-t", "tmpfs", "-o", "size=\(byteCount)", "loci-test", path])
    }

    deinit { try? Self.run(["umount", "-l", path]) }

    func resize(_ byteCount: Int) throws { try Self.run(["mount", "-o", "remount,size=\(byteCount)", path]) }

    private static func run(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw EngineError(.io, "\(arguments) failed") }
    }
}
