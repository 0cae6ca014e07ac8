import Foundation
import MemoryEngine

/// The bytes of a file, read by the system when they are touched.
///
/// Whoever replaces such a file makes a new one and renames it, as `make model` does: one that is cut off while it
/// is mapped ends the process.
@safe
final class MappedFile: @unchecked Sendable {
    let byteCount: Int
    private let base: UnsafeMutableRawPointer

    /// - Throws: `EngineError`: `notFound`, `io`, or `corrupted` for an empty file.
    init(path: String) throws {
        // Safe because the descriptor is ours, and the mapping lives until `deinit`.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let code = errno
            throw EngineError(
                code == ENOENT ? .notFound : .io, "cannot open \(path): \(Self.reason(code))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw EngineError(.io, "\(path) is no file")
        }
        guard status.st_size > 0 else { throw EngineError(.corrupted, "\(path) is empty") }
        byteCount = Int(status.st_size)
        guard let address = unsafe mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0),
            unsafe address != MAP_FAILED
        else { throw EngineError(.io, "cannot map \(path): \(Self.reason(errno))") }
        unsafe base = address
        // All of it is read when a model is loaded.
        _ = unsafe madvise(base, byteCount, MADV_WILLNEED)
    }

    deinit { _ = unsafe munmap(base, byteCount) }

    /// Where byte `offset` is; what is read from there must end within the file.
    func address(of offset: Int) -> UnsafeRawPointer {
        precondition((0...byteCount).contains(offset))
        return unsafe UnsafeRawPointer(base + offset)
    }

    /// A copy of the first bytes.
    func prefix(_ count: Int) -> [UInt8] {
        // Safe because no more is read than the file has.
        unsafe [UInt8](UnsafeRawBufferPointer(start: base, count: min(count, byteCount)))
    }

    private static func reason(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}
