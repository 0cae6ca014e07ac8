import Embedders
import Foundation
import Glibc
import MemoryEngine
import Server

extension EnvironmentFile {
    /// Reads a file; `nil` = there is none.
    ///
    /// - Throws: `EngineError`: `tooLarge`, `io`.
    static func read(_ path: String) throws -> EnvironmentFile? {
        // A pipe of that name must not be waited for.
        // Safe because, here and below, the call reads the path while it lasts, and keeps nothing.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw EngineError(.io, "\(path) cannot be read: \(SystemReason.text(errno))")
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        let data: Data
        do {
            data = try file.read(upToCount: maximumByteCount + 1) ?? Data()
        } catch {
            throw EngineError(.io, "\(path) cannot be read: \(SystemReason.text(error))")
        }
        do {
            return try EnvironmentFile(Array(data))
        } catch let error as EngineError {
            throw EngineError(error.code, "\(path): \(error.message)")
        }
    }

    /// Changes what a file holds, where nobody else who calls this does meanwhile: the lock is on the folder, which stays what
    /// it is when the file in it is replaced.
    ///
    /// - Parameter patience: how long to wait for the changes of others, which take milliseconds.
    /// - Throws: `EngineError`: `locked`, `tooLarge`, `io`; what `body` throws. The file is as it was then.
    static func change(
        _ path: String, patience: Duration = .seconds(10), _ body: (inout EnvironmentFile) throws -> Void
    ) throws {
        let folder = URL(fileURLWithPath: path).resolvingSymlinksInPath().deletingLastPathComponent().path
        try AdvisoryLock.hold(folder, O_RDONLY | O_DIRECTORY, within: patience) {
            var file = try read(path) ?? EnvironmentFile()
            try body(&file)
            try file.write(to: path)
        }
    }

    /// Puts it in the place of a file at once: a crash leaves the old one or the new one. The file keeps its mode, and a link to it
    /// stays a link; a new one is for its owner alone.
    ///
    /// - Throws: `EngineError`: `io`.
    private func write(to path: String) throws {
        let url = URL(fileURLWithPath: path).resolvingSymlinksInPath()
        let mode = try? FileManager.default.attributesOfItem(atPath: url.path)[.posixPermissions] as? NSNumber
        let new = url.deletingLastPathComponent().path + "/.env.\(getpid()).new"
        // What a process of this number left behind when it was killed.
        _ = unsafe unlink(new)
        let descriptor = unsafe open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw EngineError(.io, "\(path) cannot be written: \(SystemReason.text(errno))")
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try file.write(contentsOf: Data(bytes))
            if let mode, fchmod(descriptor, mode.uint32Value) != 0 { throw failure(path) }
            try file.synchronize()
            guard unsafe rename(new, url.path) == 0 else { throw failure(path) }
        } catch {
            _ = unsafe unlink(new)
            throw error as? EngineError
                ?? EngineError(.io, "\(path) cannot be written: \(SystemReason.text(error))")
        }
    }

    private func failure(_ path: String) -> EngineError {
        EngineError(.io, "\(path) cannot be written: \(SystemReason.text(errno))")
    }
}
