import Foundation
import MemoryEngine

/// A form in which memories come from outside.
enum ImportFormat: String, CaseIterable, Sendable {
    /// A JSON object a line.
    case jsonl
    /// The history of a git repository.
    case git
    /// A changelog as Debian packages have it (deb-changelog(5)).
    case debianChangelog = "debian-changelog"
    /// A document in Markdown or plain text.
    case text
}

/// Something to be imported: where it is, and what form it has.
struct ImportSource: Sendable, Equatable {
    /// As it was given; `-` is standard input.
    let path: String
    /// What keys of its memories call it: its path from the folder that was given, or its name.
    let name: String
    let format: ImportFormat

    /// Looks at what `path` is: a repository, a file, or a folder whose files are each a source.
    ///
    /// Of a folder, files in Markdown and plain text (`.md`, `.markdown`, `.txt`, `.rst`, `.adoc`), JSON Lines
    /// (`.jsonl`, `.ndjson`) and changelogs (`changelog…`) are taken, in the order of their paths; hidden
    /// files and folders are not, nor what symbolic links lead to or what holds a byte 0.
    ///
    /// - Parameter format: what a caller who knows says; nothing is guessed then.
    /// - Throws: a fatal `ImportError` where there is nothing to be read.
    static func find(at path: String, format: ImportFormat? = nil) throws(ImportError) -> [ImportSource] {
        let name = path == "-" ? "-" : displayName(of: path)
        let type = path == "-" ? .typeRegular : fileType(path)
        guard let type else { throw ImportError(isFatal: true, "there is no `\(path)`") }
        guard type == .typeDirectory else {
            guard format != .git else {
                throw ImportError(isFatal: true, "`\(path)` is no folder of a git repository")
            }
            guard let format = if let format { format } else { try detectFile(path) } else {
                throw ImportError(isFatal: true, "`\(path)` is no text: it holds a byte 0")
            }
            return [ImportSource(path: path, name: name, format: format)]
        }
        if format == .git || format == nil && fileType(path + "/.git") != nil {
            return [ImportSource(path: path, name: name, format: .git)]
        }
        var sources: [ImportSource] = []
        for relative in files(in: path) {
            let file = path + (path.hasSuffix("/") ? "" : "/") + relative
            guard let format = if let format { format } else { try detectFile(file) } else { continue }
            sources.append(
                ImportSource(
                    path: file, name: name == "." ? relative : "\(name)/\(relative)", format: format))
        }
        guard !sources.isEmpty else {
            throw ImportError(
                isFatal: true,
                "the folder `\(path)` is no git repository, and holds no text, JSON Lines or changelog")
        }
        return sources
    }

    /// Begins to read. The reader gives each memory or the error of its record, and ends after a fatal one.
    ///
    /// - Parameter isLenient: whether fields of JSON Lines that nobody knows are left out without a word.
    func reader(isLenient: Bool = false) throws(ImportError) -> ImportReader {
        switch format {
        case .git: return ImportReader(try GitHistory(path: path, name: name))
        case .jsonl:
            return ImportReader(JSONLines(try ByteStream(path: path), folder: folder, isLenient: isLenient))
        case .debianChangelog: return ImportReader(DebianChangelog(try ByteStream(path: path)))
        case .text:
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            let modified = (attributes?[.modificationDate] as? Date).map { Timestamp($0) }
            return ImportReader(Documents(try ByteStream(path: path), name: name, modified: modified))
        }
    }

    /// Whether it is a file that can be read through before it is imported.
    var canBeReadTwice: Bool { path != "-" && format != .git && Self.fileType(path) == .typeRegular }

    /// Where the paths of attachments begin.
    private var folder: String {
        path == "-"
            ? FileManager.default.currentDirectoryPath
            : URL(fileURLWithPath: path).deletingLastPathComponent().path
    }

    // MARK: Telling the form

    /// `nil` for what is no text.
    private static func detectFile(_ path: String) throws(ImportError) -> ImportFormat? {
        // What standard input gives cannot be looked at twice.
        if path == "-" { return .jsonl }
        let head = try ByteStream(path: path).peek(1 << 14)
        return detect(head, name: (path as NSString).lastPathComponent)
    }

    /// Of what a symbolic link leads to; `nil` where nothing is.
    private static func fileType(_ path: String) -> FileAttributeType? {
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        return (try? FileManager.default.attributesOfItem(atPath: target))?[.type] as? FileAttributeType
    }

    /// The form of a file of this name that begins with these bytes; `nil` for what is no text.
    static func detect(_ head: ArraySlice<UInt8>, name: String) -> ImportFormat? {
        guard !head.contains(0) else { return nil }
        let lines = head.split(separator: UInt8(ascii: "\n"), maxSplits: 20)
        let first = lines.first { line in line.contains { $0 > 0x20 } }
        guard let first else { return .text }
        let text = String(decoding: first, as: UTF8.self)
        if DebianChangelog.Header(text) != nil { return .debianChangelog }
        let isJSONByName = name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson")
        let begin = first.first { $0 > 0x20 && $0 < 0x80 }
        return isJSONByName || begin == UInt8(ascii: "{") ? .jsonl : .text
    }

    private static func files(in folder: String) -> [String] {
        let extensions: Set<String> = ["md", "markdown", "txt", "rst", "adoc", "jsonl", "ndjson"]
        guard let all = FileManager.default.enumerator(atPath: folder) else { return [] }
        var found: [String] = []
        for case let path as String in all {
            let parts = path.split(separator: "/")
            guard !parts.contains(where: { $0.hasPrefix(".") }), let last = parts.last?.lowercased() else {
                continue
            }
            let isWanted =
                extensions.contains((last as NSString).pathExtension) || last.hasPrefix("changelog")
                || last == "readme" || last == "news"
            guard isWanted, !last.hasSuffix(".html.gz") else { continue }
            let attributes = try? FileManager.default.attributesOfItem(atPath: folder + "/" + path)
            if attributes?[.type] as? FileAttributeType == .typeRegular { found.append(path) }
        }
        return found.sorted()
    }

    /// A relative path as it was given; of an absolute one, or one that leads upwards, the last part.
    private static func displayName(of path: String) -> String {
        let parts = path.split(separator: "/").filter { $0 != "." }
        if parts.isEmpty { return path.hasPrefix("/") ? "/" : "." }
        if path.hasPrefix("/") || parts.contains("..") {
            return URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent
        }
        return parts.joined(separator: "/")
    }
}

/// What reads one form: gives items until there are none. An error that is not fatal is that of one record.
protocol ImportParser: AnyObject {
    func next() throws(ImportError) -> ImportItem?
    var progress: ImportProgress { get }
}

/// How far an import has come.
struct ImportProgress: Equatable, Sendable {
    enum Unit: Sendable { case bytes, commits }
    var done: Int
    /// `nil` = unknown, as of what is decompressed on the way.
    var total: Int?
    var unit: Unit
}

/// The memories of a source, in its order, each or the error of its record.
final class ImportReader: Sequence, IteratorProtocol {
    private let parser: any ImportParser
    private var isAtEnd = false

    init(_ parser: any ImportParser) { self.parser = parser }

    var progress: ImportProgress { parser.progress }

    func next() -> Result<ImportItem, ImportError>? {
        guard !isAtEnd else { return nil }
        do throws(ImportError) {
            guard let item = try parser.next() else {
                isAtEnd = true
                return nil
            }
            return .success(item)
        } catch {
            isAtEnd = error.isFatal
            return .failure(error)
        }
    }
}
