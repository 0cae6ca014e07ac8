import Foundation
import MemoryEngine

/// A note in Markdown with settings at its head (see `FrontMatter`): one memory.
///
/// | of the settings | becomes |
/// | --- | --- |
/// | `title`, else the first heading, else the name of the file | attribute `title`, and the first line |
/// | `created`, `date` (else the time of the file) | when it happened |
/// | `tags`, `tag` | tags |
/// | `aliases`, `alias` | keywords |
/// | `author` | the actor |
/// | all others | attributes of their names |
///
/// Its key is `note:` and its path. Each note that it links to is an attribute `link:TARGET` with the heading that
/// the link leads to, or true: so `has:link:TARGET` finds what leads to a note, and who knows all keys and titles
/// can make edges of them.
final class Notes: ImportParser {
    private var lines: LineReader
    private let name: String
    private let modified: Timestamp?
    private var isAtEnd = false

    private var settings: [String] = []
    private var isInSettings = false
    private var body: [String] = []
    private var bodyByteCount = 0
    private var links: NoteLinks
    private var fence = CodeFence()
    /// The heading that the note begins with, as its line, and its words.
    private var heading: (line: String, title: String)?
    private var lastLine = 0

    /// The engine takes no more, and a memory of attributes has 256.
    private static let maximumByteCount = 16_000_000
    private static let maximumFieldCount = 48
    private static let maximumLinkCount = 200
    private static let maximumSettingsLineCount = 2_000

    /// - Parameters:
    ///   - name: its path from where the import began, which its key is made of.
    ///   - modified: when the file was written.
    init(_ stream: ByteStream, name: String, modified: Timestamp?) {
        lines = LineReader(stream, maximumByteCount: Self.maximumByteCount)
        self.name = name
        self.modified = modified
        // What links call a note does not begin with the folder that was given.
        let parts = name.split(separator: "/")
        links = NoteLinks(noteAt: (parts.count > 1 ? parts.dropFirst() : parts[...]).joined(separator: "/"))
    }

    var progress: ImportProgress { lines.stream.progress }

    func next() throws(ImportError) -> ImportItem? {
        guard !isAtEnd else { return nil }
        while let line = try lines.next() {
            var bytes = line.bytes[...]
            if line.number == 1, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
            if bytes.last == UInt8(ascii: "\r") { bytes = bytes.dropLast() }
            lastLine = line.number
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw ImportError(line: line.number, "the line is not UTF-8, and is left out")
            }
            bodyByteCount += text.utf8.count + 1
            guard !line.isTooLong, bodyByteCount <= Self.maximumByteCount else {
                isAtEnd = true
                throw ImportError(
                    line: line.number,
                    "the note has more than \(Self.maximumByteCount) bytes, and is left out")
            }
            read(text, at: line.number)
        }
        isAtEnd = true
        return item()
    }

    private func read(_ text: String, at number: Int) {
        if isInSettings {
            if FrontMatter.isEnd(text) { isInSettings = false } else { settings.append(text) }
            // A line at the head that no other follows is a rule, and what is below it the note.
            if settings.count > Self.maximumSettingsLineCount { giveUpSettings() }
            return
        }
        if number == 1, text == "---" {
            isInSettings = true
            return
        }
        if heading == nil, !fence.holds(text), let found = Documents.heading(text), body.allSatisfy(\.isBlank)
        {
            heading = (text, found.title)
            body.removeAll()
            return
        }
        links.read(text)
        body.append(text)
    }

    private func giveUpSettings() {
        isInSettings = false
        let lines = ["---"] + settings
        settings = []
        for line in lines { read(line, at: 2) }
    }

    private func item() -> ImportItem? {
        if isInSettings { giveUpSettings() }
        let settings = FrontMatter(settings)
        let content = body.joined(separator: "\n").trimmingBlankLines
        let fileName = NoteLinks.withoutExtension(String(name.split(separator: "/").last ?? "note"))
        let title = settings["title"]?.first ?? heading?.title ?? fileName
        guard !content.isEmpty || !settings.fields.isEmpty || heading != nil else { return nil }

        let lead = [title, heading?.title == title ? nil : heading?.line].compactMap { $0 }
            .joined(separator: "\n\n")
        var draft = MemoryDraft(content.isEmpty ? lead : "\(lead)\n\n\(content)")
        draft.kind = .note
        draft.key = boundedName("note:\(name)")
        draft.actor = settings["author"]?.first.map { $0.clipped(to: maximumNameByteCount) }
        let time = settings["created", "created_at", "date", "date created"]?.first.flatMap(
            TimeArgument.absolute)
        draft.happened = (time ?? modified).map { $0...$0 }
        draft.tags = Self.names((settings["tags", "tag"] ?? []).flatMap(Self.tags))
        draft.keywords = Self.names(settings["aliases", "alias"] ?? [])
        draft.attributes = attributes(of: settings)
        draft.attributes["title"] = .string(title.clipped(to: 4_000))
        draft.attributes["path"] = .string(name.clipped(to: 4_000))
        draft.origin = Origin(source: "file:\(name)".clipped(to: 4_000))
        var item = ImportItem(content: .draft(draft), line: max(1, lastLine))
        item.remarks = settings.unreadable.map { name, line in
            ImportError(
                // Behind the line `---`.
                line: line + 2,
                "the value of `\(name.clipped(to: 60))` cannot be read, and is left out: its list or quotation has no end"
            )
        }
        return item
    }

    /// What the settings say beside what has a place of its own, and the links.
    private func attributes(of settings: FrontMatter) -> [String: AttributeValue] {
        let placed: Set = ["title", "tags", "tag", "aliases", "alias", "author"]
        var attributes: [String: AttributeValue] = [:]
        for field in settings.fields.prefix(Self.maximumFieldCount)
        where !placed.contains(field.name.lowercased()) && field.name.utf8.count <= maximumNameByteCount {
            attributes[field.name] = Self.attribute(field.value)
        }
        let named = links.links.lazy.map { ("link:\($0.target)", $0) }
            .filter { $0.0.utf8.count <= maximumNameByteCount }
        for (name, link) in named.prefix(Self.maximumLinkCount) {
            attributes[name] = link.heading.isEmpty ? .bool(true) : .string(link.heading.clipped(to: 4_000))
        }
        return attributes
    }

    private static func attribute(_ value: FrontMatter.Value) -> AttributeValue {
        switch value {
        case .scalar(let text, isQuoted: false):
            if text == "true" || text == "false" { return .bool(text == "true") }
            if let number = try? JSONParser.parse(text).number { return .number(number) }
            return .string(text.clipped(to: 4_000))
        case .scalar(let text, isQuoted: true): return .string(text.clipped(to: 4_000))
        case .list(let texts): return .string(texts.joined(separator: ", ").clipped(to: 4_000))
        }
    }

    /// One tag, or several with commas or spaces between them, with or without `#`.
    private static func tags(_ text: String) -> [String] {
        let separator: (Character) -> Bool = text.contains(",") ? { $0 == "," } : { $0.isWhitespace }
        return text.split(whereSeparator: separator).map { String($0.trimmingSpace.drop { $0 == "#" }) }
    }

    private static func names(_ texts: [String]) -> [String] {
        var seen: Set<String> = []
        return Array(
            texts.map { $0.clipped(to: maximumNameByteCount) }
                .filter { !$0.isEmpty && !$0.utf8.contains(0) && seen.insert($0).inserted }.prefix(256))
    }
}

extension String {
    fileprivate var isBlank: Bool { allSatisfy(\.isWhitespace) }
}
