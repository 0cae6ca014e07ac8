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
    /// A document in Markdown or plain text, a memory for each section.
    case text
    /// A note in Markdown with settings at its head, one memory.
    case notes
    /// The `conversations.json` of an export of ChatGPT.
    case chatgpt
    /// The `conversations.json` of an export of Claude.
    case claude

    /// Whether its memories tell who did something by a name and an address.
    var namesPeople: Bool { self == .git || self == .debianChangelog }
}

/// Something to be imported: where it is, and what form it has.
struct ImportSource: Sendable, Equatable {
    /// As it was given; `-` is standard input.
    let path: String
    /// What keys of its memories call it, in normal form C: the name of the folder that was given and the path from
    /// there, however that folder was spelled; of a single file its path from here, or its name.
    let name: String
    /// `nil` = to be told when it is read, as of a pipe, which cannot be looked at twice.
    let format: ImportFormat?

    /// Looks at what `path` is: a repository, a file, or a folder whose files are each a source.
    ///
    /// Of a folder, files in Markdown and plain text (`.md`, `.markdown`, `.txt`, `.rst`, `.adoc`), JSON Lines
    /// (`.jsonl`, `.ndjson`), conversations (`conversations.json`) and changelogs (`changelog…`) are taken, in the
    /// order of their paths; hidden files and folders are not, nor what symbolic links lead to or what holds a
    /// byte 0. In a folder with an `.obsidian` in it, and below it, every Markdown file is a note.
    ///
    /// - Parameter format: what a caller who knows says; nothing is guessed then.
    /// - Throws: a fatal `ImportError` where there is nothing to be read.
    static func find(at path: String, format: ImportFormat? = nil) throws(ImportError) -> [ImportSource] {
        let type = path == "-" ? .typeUnknown : fileType(path)
        guard let type else {
            throw ImportError(isFatal: true, isMissing: true, "there is no `\(path)`")
        }
        let name =
            path == "-"
            ? "-"
            : (type == .typeDirectory ? folderName(of: path) : fileName(of: path))
                .precomposedStringWithCanonicalMapping
        guard type == .typeDirectory else {
            guard format != .git else {
                throw ImportError(isFatal: true, "`\(path)` is no folder of a git repository")
            }
            var known = format
            if known == nil, type == .typeRegular {
                known = vaultParts(ofNoteAt: path) == nil ? try detectFile(path) : .notes
            }
            return [ImportSource(path: path, name: name, format: known)]
        }
        if format == .git || format == nil && isRepository(path) {
            return [ImportSource(path: path, name: name, format: .git)]
        }
        let isVault = vaultParts(ofFolder: resolved(path)) != nil
        var sources: [ImportSource] = []
        for relative in files(in: path) {
            let file = path + (path.hasSuffix("/") ? "" : "/") + relative
            var known = format ?? (isVault && isMarkdown(relative) ? .notes : nil)
            if known == nil {
                do {
                    known = try detectFile(file)
                } catch  where !error.isMissing {
                    // Not text, though its name says so.
                    continue
                }
            }
            let relativeName = relative.precomposedStringWithCanonicalMapping
            sources.append(
                ImportSource(
                    path: file, name: name == "/" ? relativeName : "\(name)/\(relativeName)", format: known))
        }
        guard !sources.isEmpty else {
            throw ImportError(
                isFatal: true,
                "the folder `\(path)` is no git repository, and holds no text, JSON Lines, conversations or changelog"
            )
        }
        return sources
    }

    /// Begins to read. The reader gives each memory or the error of its record, and ends after a fatal one.
    ///
    /// - Parameter isLenient: whether fields of JSON Lines that nobody knows are left out without a word.
    func reader(isLenient: Bool = false) throws(ImportError) -> ImportReader {
        if format == .git { return ImportReader(try GitHistory(path: path, name: name)) }
        let stream = try ByteStream(path: path)
        var known = format
        if known == nil { known = try Self.detect(stream, path: path) }
        switch known {
        case .debianChangelog: return ImportReader(DebianChangelog(stream))
        case .text: return ImportReader(Documents(stream, name: name, modified: modified))
        case .notes: return ImportReader(Notes(stream, name: name, modified: modified))
        case .chatgpt: return ImportReader(Conversations(stream, of: .chatGPT))
        case .claude: return ImportReader(Conversations(stream, of: .claude))
        case .jsonl, .git, nil:
            return ImportReader(JSONLines(stream, folder: folder, isLenient: isLenient))
        }
    }

    /// Whether it is a file that can be read through before it is imported.
    var canBeReadTwice: Bool { path != "-" && format != .git && Self.fileType(path) == .typeRegular }

    /// When the file was written.
    private var modified: Timestamp? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.modificationDate] as? Date).map { Timestamp($0) }
    }

    /// Where the paths of attachments begin.
    private var folder: String {
        path == "-"
            ? FileManager.default.currentDirectoryPath
            : URL(fileURLWithPath: path).deletingLastPathComponent().path
    }

    // MARK: Telling the form

    /// - Throws: what opening throws, and a fatal `ImportError` for what is no text.
    private static func detectFile(_ path: String) throws(ImportError) -> ImportFormat {
        try detect(try ByteStream(path: path), path: path)
    }

    private static func detect(_ stream: ByteStream, path: String) throws(ImportError) -> ImportFormat {
        let head = try stream.peek(1 << 14)
        if let format = detect(head, name: (path as NSString).lastPathComponent) { return format }
        let isArchive = head.starts(with: Array("PK\u{3}\u{4}".utf8))
        throw ImportError(
            isFatal: true,
            isArchive
                ? "`\(path)` is a zip archive; unpack it, and import what is in it"
                : "`\(path)` is no text: it holds a byte 0")
    }

    /// Of what a symbolic link leads to, `typeUnknown` for a pipe without a path; `nil` where nothing is.
    private static func fileType(_ path: String) -> FileAttributeType? {
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let type = (try? FileManager.default.attributesOfItem(atPath: target))?[.type] as? FileAttributeType
        // What a shell writes for `<(…)` leads to a pipe that has no name.
        return type ?? (FileManager.default.fileExists(atPath: path) ? .typeUnknown : nil)
    }

    /// A working tree, or a bare repository.
    private static func isRepository(_ path: String) -> Bool {
        fileType(path + "/.git") != nil
            || fileType(path + "/HEAD") == .typeRegular && fileType(path + "/objects") == .typeDirectory
                && fileType(path + "/refs") == .typeDirectory
    }

    /// The form of a file of this name that begins with these bytes; `nil` for what is no text.
    static func detect(_ head: ArraySlice<UInt8>, name: String) -> ImportFormat? {
        guard !head.contains(0) else { return nil }
        let lines = head.split(separator: UInt8(ascii: "\n"), maxSplits: 20)
        let first = lines.first { line in line.contains { $0 > 0x20 } }
        guard let first else { return .text }
        let text = String(decoding: first, as: UTF8.self)
        if DebianChangelog.Header(text) != nil { return .debianChangelog }
        var name = name.lowercased()
        if name.hasSuffix(".gz") { name.removeLast(3) }
        if name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") { return .jsonl }
        let begin = first.first { $0 > 0x20 && $0 < 0x80 }
        if begin == UInt8(ascii: "{") || begin == UInt8(ascii: "["), let chat = Conversations.detect(head) {
            return chat
        }
        if begin == UInt8(ascii: "{") || begin == UInt8(ascii: "[") && name.hasSuffix(".json") {
            return .jsonl
        }
        return isMarkdown(name) && FrontMatter.begins(head) ? .notes : .text
    }

    private static func isMarkdown(_ name: String) -> Bool {
        ["md", "markdown"].contains((name as NSString).pathExtension.lowercased())
    }

    private static func files(in folder: String) -> [String] {
        let extensions: Set<String> = ["md", "markdown", "txt", "rst", "adoc", "jsonl", "ndjson"]
        // It goes into no link, also where the folder itself is one.
        guard let all = FileManager.default.enumerator(atPath: resolved(folder).path) else { return [] }
        var found: [String] = []
        for case let path as String in all {
            let parts = path.split(separator: "/")
            guard !parts.contains(where: { $0.hasPrefix(".") }), let last = parts.last?.lowercased() else {
                continue
            }
            let isWanted =
                extensions.contains((last as NSString).pathExtension) || last.hasPrefix("changelog")
                || last == "readme" || last == "news" || last == "conversations.json"
            guard isWanted, !last.hasSuffix(".html.gz") else { continue }
            let attributes = try? FileManager.default.attributesOfItem(atPath: folder + "/" + path)
            if attributes?[.type] as? FileAttributeType == .typeRegular { found.append(path) }
        }
        return found.sorted()
    }

    /// The folder's own name, inside of a vault behind the names of the folders from there: it is the same for `.`, a
    /// path from here, an absolute one, and a link to it.
    private static func folderName(of path: String) -> String {
        let folder = resolved(path)
        return vaultParts(ofFolder: folder)?.joined(separator: "/") ?? folder.lastPathComponent
    }

    /// Of a note of a vault (a folder with `.obsidian`) the name of that and the path in it, as if the vault were
    /// imported; of another file its path from here, or its name where it lies elsewhere.
    private static func fileName(of path: String) -> String {
        if let parts = vaultParts(ofNoteAt: path) { return parts.joined(separator: "/") }
        let file = URL(fileURLWithPath: path).standardizedFileURL
        let parts = resolved(file.deletingLastPathComponent().path).pathComponents
        let here = resolved(FileManager.default.currentDirectoryPath).pathComponents
        guard parts.starts(with: here) else { return file.lastPathComponent }
        return (parts.dropFirst(here.count) + [file.lastPathComponent]).joined(separator: "/")
    }

    /// The way to a Markdown file from the vault that it lies in, which is the first part; `nil` where it lies in none.
    private static func vaultParts(ofNoteAt path: String) -> [String]? {
        let file = URL(fileURLWithPath: path).standardizedFileURL
        guard isMarkdown(file.path) else { return nil }
        return vaultParts(ofFolder: resolved(file.deletingLastPathComponent().path)).map {
            $0 + [file.lastPathComponent]
        }
    }

    private static func vaultParts(ofFolder folder: URL) -> [String]? {
        let parts = folder.pathComponents
        for count in stride(from: parts.count, to: 1, by: -1) {
            let vault = NSString.path(withComponents: Array(parts[..<count]))
            guard fileType(vault + "/.obsidian") == .typeDirectory else { continue }
            return Array(parts[(count - 1)...])
        }
        return nil
    }

    private static func resolved(_ path: String) -> URL {
        URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL
    }
}

/// What reads one form: gives items until there are none. An error that is not fatal is that of one record.
protocol ImportParser: AnyObject {
    func next() throws(ImportError) -> ImportItem?
    var progress: ImportProgress { get }
    /// How many memories its form holds so far that are passed over on purpose.
    var leftOutCount: Int { get }
}

extension ImportParser {
    var leftOutCount: Int { 0 }
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
    var leftOutCount: Int { parser.leftOutCount }

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
