import Foundation
import Glibc
import MemoryEngine

/// The file of a `CostLedger`: JSON, by day and service. It is replaced as a whole, so that whoever reads it reads all of it.
///
/// Changes are made under the lock of a file beside it (`.lock`), which stays where it is, since the file itself is
/// another one after each change.
struct CostFile: Sendable {
    let path: String
    /// How long a change waits for those of others, which take milliseconds.
    var patience = Duration.seconds(10)

    /// A file of 400 days of a hundred services, with room.
    private static let maximumByteCount = 16 << 20
    private static let maximumNameByteCount = 200

    /// What is there; nothing where there is no file.
    ///
    /// - Throws: `EngineError`: `corrupted`, `io`.
    func read() throws -> CostLedger.Days {
        guard FileManager.default.fileExists(atPath: path) else { return [:] }
        guard let handle = FileHandle(forReadingAtPath: path),
            let data = try? handle.read(upToCount: Self.maximumByteCount + 1) ?? Data()
        else { throw EngineError(.io, "\(path) cannot be read: what services cost is counted there") }
        guard data.count <= Self.maximumByteCount,
            let days = try? JSONDecoder().decode(CostLedger.Days.self, from: data),
            days.allSatisfy({ day, services in
                // A moment has more than a day; another form of the same day would be counted beside it.
                Timestamp(day)?.day == day
                    && services.keys.allSatisfy { $0.utf8.count <= Self.maximumNameByteCount }
            })
        else {
            throw EngineError(
                .corrupted,
                "\(path) does not hold what services cost: look into it, and remove it to count from nothing")
        }
        return days
    }

    /// Replaces what is there by what `body` makes of it, on a thread that may wait.
    ///
    /// - Throws: `EngineError`: `locked`, `corrupted`, `io`; what `body` throws. The file is as it was then.
    func change(_ body: (inout CostLedger.Days) throws -> Void) throws {
        // What somebody pays for is nobody else's matter.
        try? FileManager.default.createDirectory(
            at: URL(fileURLWithPath: path).deletingLastPathComponent(), withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        try AdvisoryLock.hold(path + ".lock", O_RDWR | O_CREAT, within: patience) {
            var days = try read()
            let before = days
            try body(&days)
            if days != before { try write(days) }
        }
    }

    private func write(_ days: CostLedger.Days) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        let new = path + ".new"
        // Safe because the paths are strings of Swift's.
        let descriptor = unsafe open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw EngineError(.io, "\(new) cannot be written") }
        do {
            let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            try handle.write(contentsOf: encoder.encode(days))
            try handle.synchronize()
            try handle.close()
        } catch {
            throw EngineError(.io, "\(new) cannot be written: \(error.localizedDescription)")
        }
        guard unsafe rename(new, path) == 0 else { throw EngineError(.io, "\(path) cannot be replaced") }
    }
}
