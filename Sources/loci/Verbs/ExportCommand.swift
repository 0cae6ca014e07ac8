import ArgumentParser
import Foundation
import MemoryEngine
import Server

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write memories in the portable form, a JSON object a line.",
        usage: "loci export [--output <path>] [options]",
        discussion: """
              loci export > all.jsonl    # all homes, unless LOCI_NAMESPACE is set
              loci export -n project/atlas --output atlas.jsonl
              loci import atlas.jsonl --store elsewhere

            A line has a memory's id, key, all versions with both clocks, passages, vectors (floats of 32 \
            bits, little-endian, in base64), origin and attachments. A memory that is there already stays as \
            it is, so that an import can be repeated, also into a store that is not empty.

            A server (--connect) tells the newest version of each memory, without its vectors, edges and attachments: \
            the lines are then those that loci import takes of others. Into the server that they came from they bring nothing \
            twice; elsewhere a memory gets an id of that store.
            """)

    @Option(
        name: [.long, .customShort("o")],
        help: ArgumentHelp("A new file, instead of standard output.", valueName: "path"),
        completion: .file())
    var output: String?
    @OptionGroup var place: PlaceOptions

    func run() async throws {
        try await place.store.withStore(for: .reading) { store in
            let namespaces = try await place.namespace.namespaces(of: store)
            let progress = Progress("exporting", unit: "memories", isSilent: place.json)
            let count = try await progress.during { progress in
                guard let engine = store as? Engine else {
                    return try await list(namespaces, of: store, progress)
                }
                return try await export(namespaces, of: engine, progress)
            }
            if !(store is Engine) {
                Terminal.note(
                    "a server tells the newest version of each memory: ids, older versions, vectors, edges and attachments are in "
                        + "an export of the store itself")
            }
            if output != nil {
                place.store.printCounts(
                    [("memories", count)], text: "exported \(Terminal.grouped(count)) memories")
            }
        }
    }

    /// Writes what a server tells of its memories, as lines that `loci import` remembers.
    private func list(
        _ namespaces: [Namespace], of store: any MemoryStore, _ progress: Progress
    ) async throws -> Int {
        let writer = try LineWriter(path: output)
        var count = 0
        for namespace in namespaces {
            var cursor: String?
            repeat {
                let page = try await store.list(
                    in: namespace, filter: nil, order: .recorded, after: cursor, limit: Self.pageCount,
                    includesClosed: true)
                if page.memories.isEmpty, cursor == nil {
                    _ = try await store.existingHomes(under: namespace)
                }
                for memory in page.memories {
                    try writer.write(ExportLine.draft(of: memory))
                    count += 1
                }
                progress.update(count, of: nil)
                cursor = page.next
            } while cursor != nil
        }
        try writer.finish()
        return count
    }

    private static let pageCount = 500

    private func export(
        _ namespaces: [Namespace], of engine: Engine, _ progress: Progress
    ) async throws -> Int {
        var total = 0
        var found: [Namespace] = []
        try await namespaces.forEachWritten { namespace in
            total += Int(try await engine.stats(in: namespace).memories)
            found.append(namespace)
        }
        // How many of a home's memories are in a session nobody knows before.
        let isWhole = namespaces.allSatisfy { $0.session == nil }
        let writer = try LineWriter(path: output)
        var count = 0
        for namespace in found {
            try await engine.export(in: namespace) { memory in
                for line in ExportLine.lines(of: memory) { try writer.write(line) }
                count += 1
                progress.update(count, of: isWhole ? total : nil)
            }
            try await engine.exportEdges(in: namespace) { edge in
                try writer.write(ExportLine.line(of: edge, in: namespace.home))
            }
        }
        try writer.finish()
        return count
    }
}

/// Writes lines to a file or to standard output, a megabyte at a time. A file gets its name when it is whole.
private final class LineWriter {
    private let handle: FileHandle
    private let path: String?
    private var buffer = Data()
    private var isFinished = false

    init(path: String?) throws {
        self.path = path
        guard let path else {
            handle = .standardOutput
            return
        }
        let part = path + ".part"
        guard !FileManager.default.fileExists(atPath: path) else {
            throw EngineError(.invalid, "\(path) is there already; name a new file")
        }
        guard FileManager.default.createFile(atPath: part, contents: nil),
            let handle = FileHandle(forWritingAtPath: part)
        else { throw EngineError(.io, "\(part) cannot be written") }
        self.handle = handle
    }

    func write(_ line: String) throws {
        buffer.append(contentsOf: line.utf8)
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count >= 1 << 20 { try flush() }
    }

    private func flush() throws {
        do {
            try handle.write(contentsOf: buffer)
        } catch {
            throw EngineError(
                .io, "writing \(path ?? "standard output") failed: \(SystemReason.text(error))")
        }
        buffer.removeAll(keepingCapacity: true)
    }

    /// What is not whole is left to nobody.
    deinit {
        if let path, !isFinished { try? FileManager.default.removeItem(atPath: path + ".part") }
    }

    func finish() throws {
        try flush()
        guard let path else { return }
        do {
            try handle.synchronize()
            try handle.close()
            try FileManager.default.moveItem(atPath: path + ".part", toPath: path)
            isFinished = true
        } catch {
            throw EngineError(.io, "writing \(path) failed: \(SystemReason.text(error))")
        }
    }
}
