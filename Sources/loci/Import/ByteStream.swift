import Foundation
import Glibc
import MemoryEngine

/// The bytes of a file, of standard input, or of what another program prints, piece after piece. Never
/// more of it is in memory than what was asked for at once.
final class ByteStream {
    /// Bytes given so far.
    private(set) var byteCount = 0
    /// The bytes of the file, where that is known and they come as they are.
    let totalByteCount: Int?

    private let handle: FileHandle
    private let child: Child?
    private var peeked: [UInt8] = []
    private var peekedPosition = 0
    private var isAtEnd = false

    /// How far it is read.
    var progress: ImportProgress { ImportProgress(done: byteCount, total: totalByteCount, unit: .bytes) }

    /// What one read asks for.
    private static let pieceByteCount = 1 << 18

    /// Opens a file or a pipe; `-` is standard input. A file compressed by gzip, by its first two bytes, is
    /// decompressed on the way by the program of that name.
    init(path: String) throws(ImportError) {
        let url = URL(fileURLWithPath: path)
        let file: FileHandle
        let magic: Data
        do {
            file = path == "-" ? .standardInput : try FileHandle(forReadingFrom: url)
            magic = try file.read(upToCount: 2) ?? Data()
        } catch {
            let (reason, isMissing) = Self.reason(error)
            throw ImportError(
                isFatal: true, isMissing: isMissing, "`\(path)` cannot be read: \(reason)")
        }
        let isCompressed = magic.elementsEqual([0x1F, 0x8B])
        // What comes through a pipe comes once.
        guard path != "-", (try? file.seek(toOffset: 0)) != nil else {
            guard !isCompressed else {
                throw ImportError(
                    isFatal: true, "`\(path)` is compressed; decompress it before: gzip -dc | loci import -")
            }
            handle = file
            child = nil
            totalByteCount = nil
            peeked = [UInt8](magic)
            return
        }
        if isCompressed {
            try? file.close()
            let child = try Child(["gzip", "-dc", "--", url.path])
            handle = child.output
            self.child = child
            totalByteCount = nil
        } else {
            handle = file
            child = nil
            let attributes = try? FileManager.default.attributesOfItem(atPath: url.path)
            totalByteCount = (attributes?[.size] as? NSNumber)?.intValue
        }
    }

    /// Runs a program, found by `PATH`, and reads what it prints.
    init(running command: [String], environment: [String: String]? = nil) throws(ImportError) {
        let child = try Child(command, environment: environment)
        handle = child.output
        self.child = child
        totalByteCount = nil
    }

    /// The next bytes; none at the end.
    ///
    /// - Throws: a fatal `ImportError` when reading fails, or the program did, with what it complained of.
    func read() throws(ImportError) -> [UInt8] {
        if peekedPosition < peeked.count {
            let rest = peekedPosition == 0 ? peeked : Array(peeked[peekedPosition...])
            peeked = []
            peekedPosition = 0
            byteCount += rest.count
            return rest
        }
        let piece = try piece()
        byteCount += piece.count
        return piece
    }

    /// The first bytes that are not read yet, up to `count`; they stay to be read.
    func peek(_ count: Int) throws(ImportError) -> ArraySlice<UInt8> {
        while peeked.count < count {
            let piece = try piece()
            if piece.isEmpty { break }
            peeked += piece
        }
        return peeked.prefix(count)
    }

    private func piece() throws(ImportError) -> [UInt8] {
        guard !isAtEnd else { return [] }
        let data: Data
        do {
            data = try handle.read(upToCount: Self.pieceByteCount) ?? Data()
        } catch {
            throw ImportError(isFatal: true, "reading failed: \(Self.reason(error).text)")
        }
        if data.isEmpty {
            isAtEnd = true
            try child?.finish()
        }
        return [UInt8](data)
    }

    /// What the system said, in a few words.
    private static func reason(_ error: any Error) -> (text: String, isMissing: Bool) {
        let error = error as NSError
        if let underlying = error.userInfo[NSUnderlyingErrorKey] as? NSError { return reason(underlying) }
        switch (error.domain, error.code) {
        case (NSCocoaErrorDomain, 260), (NSCocoaErrorDomain, 4), (NSPOSIXErrorDomain, 2):
            return ("there is no such file", true)
        case (NSCocoaErrorDomain, 257), (NSPOSIXErrorDomain, 13): return ("permission denied", false)
        case (NSPOSIXErrorDomain, 21): return ("it is a folder", false)
        default: return (error.localizedDescription, false)
        }
    }
}

/// A program that runs beside this one, and whose output is read. It is ended when nobody reads on.
private final class Child {
    let output: FileHandle
    private let name: String
    private let process = Process()
    private let complaint = Complaint()
    /// Entered until the process has ended. `Process.waitUntilExit` would wait for good on another thread than
    /// the one that started it, and a task changes its thread whenever it waits.
    private let running = DispatchGroup()

    init(_ command: [String], environment: [String: String]? = nil) throws(ImportError) {
        name = command.first ?? ""
        let output = Pipe()
        let errors = Pipe()
        self.output = output.fileHandleForReading
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        let running = running
        running.enter()
        process.terminationHandler = { _ in running.leave() }
        do {
            try process.run()
        } catch {
            running.leave()
            throw ImportError(isFatal: true, "`\(name)` cannot be run: \(error.localizedDescription)")
        }
        complaint.drain(errors.fileHandleForReading)
    }

    deinit {
        if process.isRunning {
            // It has the signal mask of the thread that started it, and a task's thread blocks all signals that
            // can be blocked: SIGTERM would never reach it.
            kill(process.processIdentifier, SIGKILL)
            running.wait()
        }
    }

    /// Waits for its end.
    func finish() throws(ImportError) {
        running.wait()
        let text = complaint.text()
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            let status =
                process.terminationStatus == 127 && process.terminationReason == .exit
                ? "there is no such program" : "status \(process.terminationStatus)"
            throw ImportError(isFatal: true, "`\(name)` failed: \(text.isEmpty ? status : text)")
        }
    }
}

/// The first lines of what a program writes to its standard error; the rest is read and dropped, so that
/// the program does not wait for a reader.
private final class Complaint: Sendable {
    private let bytes = Mutex<[UInt8]>([])
    private let reading = DispatchGroup()
    private static let maximumByteCount = 2_000

    func drain(_ handle: FileHandle) {
        reading.enter()
        DispatchQueue.global().async { [self] in
            while let data = try? handle.read(upToCount: 4_096), !data.isEmpty {
                bytes.withLock { $0 += data.prefix(max(0, Self.maximumByteCount - $0.count)) }
            }
            reading.leave()
        }
    }

    /// On one line, after the program has ended.
    func text() -> String {
        reading.wait()
        return String(decoding: bytes.withLock { $0 }, as: UTF8.self)
            .split(whereSeparator: \.isNewline).joined(separator: "; ")
    }
}
