import MemoryEngine

/// A document in Markdown (CommonMark 0.31, 2024, as far as headings go) or plain text: a memory for each
/// section.
///
/// A heading, `# …` or underlined with `=` or `-`, begins a section; what stands in a fenced block is none. A
/// section without any text is passed over: the sections below it name it. The words of all headings above
/// are keywords, so that a section is found by what it belongs to.
final class Documents: ImportParser {
    private var lines: LineReader
    private let name: String
    private let modified: Timestamp?
    private let isMarkdown: Bool

    private var section = Section()
    private var heading: (level: Int, title: String)?
    /// The headings that the section lies under, the outermost first, itself the last.
    private var trail: [(level: Int, title: String)] = []
    private var fence = CodeFence()
    private var isInFrontMatter = false
    private var sectionCountOfSlug: [String: Int] = [:]
    private var ready: [ImportItem] = []
    private var isAtEnd = false

    private struct Section {
        var lines: [String] = []
        var byteCount = 0
        var lastLine = 0
    }

    /// Longer sections are cut, at the end of a line.
    private static let maximumSectionByteCount = 8 << 20

    /// - Parameters:
    ///   - name: what keys and the thread call the document.
    ///   - modified: when it was written.
    init(_ stream: ByteStream, name: String, modified: Timestamp?) {
        lines = LineReader(stream, maximumByteCount: Self.maximumSectionByteCount)
        self.name = name
        self.modified = modified
        let lowered = name.lowercased()
        isMarkdown = !lowered.hasSuffix(".txt") && !lowered.hasSuffix(".rst") && !lowered.hasSuffix(".adoc")
    }

    var progress: ImportProgress { lines.stream.progress }

    func next() throws(ImportError) -> ImportItem? {
        while true {
            if !ready.isEmpty { return ready.removeFirst() }
            if isAtEnd { return nil }
            guard let line = try lines.next() else {
                isAtEnd = true
                endSection()
                continue
            }
            var bytes = line.bytes[...]
            if line.number == 1, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
            if bytes.last == UInt8(ascii: "\r") { bytes = bytes.dropLast() }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw ImportError(line: line.number, "the line is not UTF-8, and is left out")
            }
            guard !line.isTooLong else {
                throw ImportError(
                    line: line.number,
                    "the line has more than \(lines.maximumByteCount >> 20) MiB, and is left out")
            }
            read(text, at: line.number)
        }
    }

    private func read(_ text: String, at number: Int) {
        if isMarkdown, !isInBlock(text, at: number) {
            if let (level, title) = Self.heading(text) {
                begin(level: level, title: title, at: number)
                return
            }
            if let level = Self.underline(text), let title = section.lines.last?.trimmingSpace,
                !title.isEmpty,
                Self.canBeUnderlined(title)
            {
                let removed = section.lines.removeLast()
                section.byteCount -= removed.utf8.count + 1
                begin(level: level, title: title, at: number)
                return
            }
        }
        if section.byteCount + text.utf8.count > Self.maximumSectionByteCount { endSection() }
        section.lines.append(text)
        section.byteCount += text.utf8.count + 1
        section.lastLine = number
    }

    /// Whether the line lies in, opens or closes a fenced block, or the settings at the head of a file.
    private func isInBlock(_ text: String, at number: Int) -> Bool {
        if isInFrontMatter {
            if text == "---" || text == "..." { isInFrontMatter = false }
            return true
        }
        if number == 1, text == "---" {
            isInFrontMatter = true
            return true
        }
        return fence.holds(text)
    }

    private func begin(level: Int, title: String, at number: Int) {
        endSection()
        trail.removeAll { $0.level >= level }
        trail.append((level, title))
        heading = (level, title)
        section.lastLine = number
    }

    /// Makes a memory of the section, where it says something.
    private func endSection() {
        let body = section.lines.joined(separator: "\n").trimmingBlankLines
        let lastLine = section.lastLine
        section = Section()
        guard !body.isEmpty else { return }
        let title = heading?.title
        let slug = title.map(Self.slug) ?? ""
        let count = sectionCountOfSlug[slug, default: 0] + 1
        sectionCountOfSlug[slug] = count
        // As hosts of Markdown do it: the second of a name is `name-1`.
        let anchor = count == 1 ? slug : "\(slug)-\(count - 1)"
        let suffix = anchor.isEmpty ? "" : "#\(boundedName(anchor, to: 120))"
        let shortName = boundedName(name, to: maximumNameByteCount - 130)

        var draft = MemoryDraft(title.map { "\($0)\n\n\(body)" } ?? body)
        draft.kind = .document
        draft.key = "file:\(shortName)\(suffix)"
        draft.thread = shortName
        draft.happened = modified.map { $0...$0 }
        draft.attributes["path"] = .string(name.clipped(to: 4_000))
        if !trail.isEmpty {
            draft.attributes["heading"] = .string(
                trail.map(\.title).joined(separator: " > ").clipped(to: 4_000))
            draft.keywords = trail.dropLast().map { $0.title.clipped(to: maximumNameByteCount) }
        }
        draft.origin = Origin(source: "file:\(name)\(suffix)".clipped(to: 4_000))
        ready.append(ImportItem(content: .draft(draft), line: lastLine))
    }

    // MARK: Headings

    /// Of `## Title ##`: 2 and `Title`.
    static func heading(_ line: String) -> (level: Int, title: String)? {
        let indented = line.prefix { $0 == " " }.count
        let text = line.dropFirst(indented)
        let level = text.prefix { $0 == "#" }.count
        guard indented < 4, (1...6).contains(level) else { return nil }
        let rest = text.dropFirst(level)
        guard let next = rest.first, next == " " || next == "\t" else { return nil }
        var title = rest.trimmingSpace
        // A run of # at the end closes it, where a space stands before.
        let closing = title.reversed().prefix { $0 == "#" }.count
        if closing > 0, title.dropLast(closing).last.map({ $0 == " " }) ?? true {
            title = title.dropLast(closing).trimmingSpace
        }
        return title.isEmpty ? nil : (level, title)
    }

    /// The level of the heading that this line underlines.
    private static func underline(_ line: String) -> Int? {
        let indented = line.prefix { $0 == " " }.count
        let text = line.trimmingSpace
        guard indented < 4, text.utf8.count >= 2, let mark = text.first, text.allSatisfy({ $0 == mark })
        else { return nil }
        return mark == "=" ? 1 : mark == "-" ? 2 : nil
    }

    /// A line of a list, a quotation or a table is not a heading's.
    private static func canBeUnderlined(_ line: String) -> Bool {
        guard let first = line.first, line.utf8.count <= 200 else { return false }
        return !">|-*+".contains(first)
    }

    /// Letters, digits, `-` and `_`, in lower case, with `-` for each space.
    static func slug(_ title: String) -> String {
        String(
            title.lowercased().compactMap { character in
                character == " "
                    ? "-"
                    : character.isLetter || character.isNumber || "-_".contains(character) ? character : nil
            })
    }
}

/// Which lines of Markdown are code between two fences, the fences with them.
struct CodeFence {
    /// The run of marks that opened the block which the line lies in.
    private var open: String?

    /// Takes in the next line, and says whether it lies in a fenced block, opens or closes one.
    mutating func holds(_ line: some StringProtocol) -> Bool {
        let stripped = line.drop { $0 == " " }
        let mark = stripped.first
        let run = stripped.prefix { $0 == mark }
        if let open {
            let isClosed =
                run.count >= open.count && run.first == open.first
                && stripped.dropFirst(run.count).trimmingSpace.isEmpty
            if isClosed { self.open = nil }
            return true
        }
        guard mark == "`" || mark == "~", run.count >= 3 else { return false }
        open = String(run)
        return true
    }
}

extension StringProtocol {
    /// Without the space at both ends.
    var trimmingSpace: String {
        var rest = self[...]
        while let last = rest.last, last.isWhitespace { rest = rest.dropLast() }
        return String(rest.drop(while: \.isWhitespace))
    }

    /// Without the lines at both ends that hold nothing, and the space at the end.
    var trimmingBlankLines: String {
        var rest = self[...]
        while let last = rest.last, last.isWhitespace { rest = rest.dropLast() }
        while let end = rest.firstIndex(where: \.isNewline), rest[..<end].allSatisfy(\.isWhitespace) {
            rest = rest[rest.index(after: end)...]
        }
        return String(rest)
    }
}
