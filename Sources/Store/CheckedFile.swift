import Glibc

/// Bytes of a file, read into memory that is used again.
struct PageBuffer {
    fileprivate(set) var storage: [UInt8]

    init(byteCount: Int = 0) { storage = [UInt8](repeating: 0, count: byteCount) }

    var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            // Safe because bytes have no padding.
            unsafe storage.span.bytes
        }
    }
}

/// A file that is read at any place, open for reading only and for as long as this lives.
final class CheckedFile: Sendable {
    private let descriptor: Int32
    private let path: String

    init(path: String) throws {
        // Without waiting, or else a pipe would be waited for.
        let opened = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard opened >= 0 else {
            if errno == ENOENT { throw StoreError(.missing, "there is no file \(path)") }
            throw Self.error("opening", path)
        }
        var status = stat()
        // Safe because the record outlives the call.
        let isMeasured = unsafe fstat(opened, &status) == 0
        guard isMeasured, status.st_mode & S_IFMT == S_IFREG else {
            let error =
                isMeasured ? StoreError(.foreign, "\(path) is not a file") : Self.error("measuring", path)
            _ = close(opened)
            throw error
        }
        descriptor = opened
        self.path = path
    }

    deinit { _ = close(descriptor) }

    func byteCount() throws -> Int {
        var status = stat()
        // Safe because the record outlives the call.
        guard unsafe fstat(descriptor, &status) == 0 else { throw Self.error("measuring", path) }
        return Int(status.st_size)
    }

    /// Fills `buffer` with `count` bytes from `offset` on. Returns `false` if the file ends before.
    func read(_ buffer: inout PageBuffer, count: Int, at offset: Int) throws -> Bool {
        if buffer.storage.count != count { buffer = PageBuffer(byteCount: count) }
        var done = 0
        while done < count {
            // Safe because exactly the rest of the buffer is lent, and `pread` writes no more.
            let got = unsafe buffer.storage.withUnsafeMutableBytes { bytes in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[done...])
                return unsafe pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
            }
            if got == 0 { return false }
            if got > 0 { done += got }
            if got < 0, errno != EINTR { throw Self.error("reading", path) }
        }
        return true
    }

    private static func error(_ action: String, _ path: String) -> StoreError {
        let reason = errno
        // Safe because the text is copied before anything else is called.
        return StoreError(.io, "\(action) \(path): \(unsafe String(cString: strerror(reason)))")
    }
}
