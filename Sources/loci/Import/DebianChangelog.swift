import MemoryEngine

/// A changelog as deb-changelog(5) describes it: entries of a version each, newest first.
///
///     dpkg (1.21.22) unstable; urgency=medium
///
///       [ Guillem Jover ]
///       * dpkg-buildpackage: Fix a typo.
///         Closes: #1034178
///
///      -- Guillem Jover <guillem@debian.org>  Thu, 11 May 2023 03:15:00 +0200
///
/// Each item is a memory: what stands behind a bullet with its continuation lines, or without a bullet.
/// Its actor is who stands in brackets above, else who signed the entry; its key is the package, the version
/// and its number in the entry, so that a later version of the same changelog brings its new entries only.
final class DebianChangelog: ImportParser {
    private var lines: LineReader
    private var ready: [ImportItem] = []
    private var readyPosition = 0
    private var entry: Entry?
    /// Whether lines before this one were complained of as no entry's.
    private var isInNoise = false
    /// A version that stands in the file twice needs a key of its own the second time.
    private var occurrences: [String: Int] = [:]

    /// Entries with more are no entries.
    private static let maximumEntryByteCount = 16 << 20

    init(_ stream: ByteStream) { lines = LineReader(stream, maximumByteCount: 1 << 20) }

    var progress: ImportProgress { lines.stream.progress }

    func next() throws(ImportError) -> ImportItem? {
        while true {
            if readyPosition < ready.count {
                readyPosition += 1
                return ready[readyPosition - 1]
            }
            guard let line = try lines.next() else { break }
            try read(Self.text(line.bytes), at: line.number)
        }
        guard let unfinished = entry else { return nil }
        entry = nil
        throw unfinished.unsigned
    }

    /// Takes in one line.
    ///
    /// - Throws: an `ImportError` that is not fatal; what follows can be read.
    private func read(_ line: Substring, at number: Int) throws(ImportError) {
        if line.allSatisfy(\.isWhitespace) { return }
        if let header = Header(line) {
            let unfinished = entry
            isInNoise = false
            entry = Entry(header: header, line: number)
            if let unfinished { throw unfinished.unsigned }
            return
        }
        if entry != nil, line.hasPrefix(" --") {
            try finishEntry(with: line, at: number)
            return
        }
        if entry != nil, line.first == " " || line.first == "\t" {
            entry?.add(line, at: number)
            if let size = entry?.byteCount, size > Self.maximumEntryByteCount {
                entry = nil
                isInNoise = true
                throw ImportError(
                    line: number, "an entry of more than \(Self.maximumEntryByteCount >> 20) MiB")
            }
            return
        }
        if isInNoise || Self.isRemark(line) { return }
        isInNoise = true
        let shown = String(line).clipped(to: 60)
        throw ImportError(
            line: number, "`\(shown)` belongs to no entry; what follows is passed over until the next one")
    }

    private func finishEntry(with line: Substring, at number: Int) throws(ImportError) {
        guard let entry else { return }
        self.entry = nil
        guard let signature = Signature(line) else {
            throw ImportError(
                line: number,
                "\(entry.header.name): `\(String(line).clipped(to: 100))` is not ` -- name <mail>  date`; the entry is skipped"
            )
        }
        let count = occurrences[entry.header.name, default: 0] + 1
        occurrences[entry.header.name] = count
        ready = entry.memories(signedBy: signature, occurrence: count, lastLine: number)
        readyPosition = 0
    }

    /// Marks of editors, and the comments that Debian's tools put at the end of a shortened changelog.
    private static func isRemark(_ line: Substring) -> Bool {
        let lowered = line.lowercased()
        return ["#", "/*", "*/", "vim:", "local variables:", "mode:", "end:", "$id", "-*-"]
            .contains { lowered.hasPrefix($0) }
    }

    /// Old entries are in Latin-1: there each byte is a character.
    private static func text(_ bytes: [UInt8]) -> Substring {
        let bytes = bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes[...]
        if let text = String(validating: bytes, as: UTF8.self) { return text[...] }
        var scalars = String.UnicodeScalarView()
        scalars.append(contentsOf: bytes.map { Unicode.Scalar($0) })
        return String(scalars)[...]
    }
}

extension DebianChangelog {
    /// One version's changes, while they are read.
    private struct Entry {
        struct Item {
            var text: Substring
            var actor: Substring?
            var line: Int
        }

        let header: Header
        let line: Int
        private(set) var items: [Item] = []
        private(set) var byteCount = 0
        private var person: Substring?
        /// The column of the entry's first bullet; those further in belong to an item.
        private var bulletColumn: Int?

        /// For a memory's key and its list of keywords.
        private static let maximumBugCount = 64

        init(header: Header, line: Int) {
            self.header = header
            self.line = line
        }

        var unsigned: ImportError {
            ImportError(
                line: line, "\(header.name): the entry has no line ` -- name <mail>  date`; it is skipped")
        }

        mutating func add(_ line: Substring, at number: Int) {
            byteCount += line.utf8.count
            let text = line.trimmed
            let column = line.prefix { $0 == " " || $0 == "\t" }.reduce(0) {
                $1 == "\t" ? ($0 / 8 + 1) * 8 : $0 + 1
            }
            if text.hasPrefix("["), text.hasSuffix("]"), column <= bulletColumn ?? column {
                // A person; or a heading as `[ Changes in 2.1 ]`, which ends what that person did.
                let name = text.dropFirst().dropLast().trimmed
                let isPerson = !name.isEmpty && name.utf8.count <= 80 && !name.contains(where: \.isNumber)
                person = isPerson ? name : nil
                items.append(Item(text: "", actor: person, line: number))
                return
            }
            if text.hasPrefix("*"), !text.hasPrefix("**"), column <= (bulletColumn ?? column) + 1 {
                bulletColumn = bulletColumn ?? column
                items.append(Item(text: text.dropFirst().trimmed, actor: person, line: number))
                return
            }
            if items.isEmpty { items.append(Item(text: "", actor: person, line: number)) }
            let last = items.count - 1
            let isInnerBullet =
                text.first == "*" || text.first == "-" || text.first == "+" || text.first == "•"
            if items[last].text.isEmpty {
                items[last].text = text
            } else {
                items[last].text += (isInnerBullet ? "\n  " : " ") + text
            }
            items[last].line = number
        }

        func memories(signedBy signature: Signature, occurrence: Int, lastLine: Int) -> [ImportItem] {
            let source = "deb:\(header.name)" + (occurrence == 1 ? "" : "~\(occurrence)")
            var memories: [ImportItem] = []
            for item in items where !item.text.isEmpty {
                var draft = MemoryDraft("\(header.package) \(header.version): \(item.text)")
                draft.kind = .event
                draft.key = "\(source)/\(memories.count + 1)".clipped(to: maximumNameByteCount)
                draft.actor = String(item.actor ?? signature.name).clipped(to: maximumNameByteCount)
                draft.thread = String(header.package)
                draft.happened = signature.time...signature.time
                draft.tags = ["changelog"]
                draft.keywords =
                    [String(header.package), String(header.version)]
                    + Self.bugs(in: item.text, atMost: Self.maximumBugCount)
                draft.attributes = [
                    "package": .string(String(header.package)), "version": .string(String(header.version)),
                ]
                if let mail = signature.mail,
                    draft.actor == String(signature.name).clipped(to: maximumNameByteCount)
                {
                    draft.attributes["email"] = .string(mail)
                }
                if !header.distributions.isEmpty {
                    draft.attributes["distribution"] = .string(String(header.distributions))
                }
                if let urgency = header.urgency { draft.attributes["urgency"] = .string(String(urgency)) }
                draft.origin = Origin(source: source)
                memories.append(ImportItem(content: .draft(draft), line: item.line))
            }
            // The entry's last line is used up with its last item.
            if !memories.isEmpty { memories[memories.count - 1].line = lastLine }
            return memories
        }

        /// Numbers of at least three digits behind `#`, each once.
        private static func bugs(in text: Substring, atMost count: Int) -> [String] {
            var bugs: [String] = []
            for part in text.split(separator: "#").dropFirst() {
                let digits = part.prefix { $0.isASCII && $0.isNumber }
                let bug = "#\(digits)"
                if (3...12).contains(digits.utf8.count), bugs.count < count, !bugs.contains(bug) {
                    bugs.append(bug)
                }
            }
            return bugs
        }
    }

    /// The first line of an entry: `package (version) distributions; urgency=…, …`.
    struct Header: Equatable {
        let package: Substring
        let version: Substring
        let distributions: Substring
        let urgency: Substring?

        /// Package and version, for keys and messages.
        var name: String { "\(package)/\(version)" }

        init?(_ line: some StringProtocol) {
            let line = Substring(line)
            guard let open = line.firstIndex(of: "("), let semicolon = line.firstIndex(of: ";"),
                let close = line[open...].firstIndex(of: ")"), close < semicolon
            else { return nil }
            package = line[..<open].trimmed
            version = line[line.index(after: open)..<close]
            distributions = line[line.index(after: close)..<semicolon].trimmed
            let settings = line[line.index(after: semicolon)...]
            // Code as `free (list);` has no settings; entries of 1996 have no distribution.
            guard let first = line.first, !first.isWhitespace, settings.contains("="),
                Self.isName(package, and: ".+-"), package.utf8.count <= 120,
                Self.isName(version, and: ".+-~:_"), version.utf8.count <= 120,
                distributions.utf8.count <= 256,
                distributions.split(separator: " ").allSatisfy({ Self.isName($0, and: ".+-_,/~") })
            else { return nil }
            var urgency: Substring?
            for setting in settings.split(separator: ",") {
                let parts = setting.split(separator: "=", maxSplits: 1)
                if parts.count == 2, parts[0].trimmed.lowercased() == "urgency" {
                    urgency = parts[1].trimmed.prefix { !$0.isWhitespace }
                }
            }
            self.urgency = urgency.flatMap { $0.isEmpty || $0.utf8.count > 64 ? nil : $0 }
        }

        private static func isName(_ text: Substring, and others: String) -> Bool {
            !text.isEmpty
                && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || others.contains($0)) }
        }
    }

    /// The last line of an entry: ` -- name <mail>  date`.
    struct Signature: Equatable {
        let name: Substring
        /// The address between the brackets; `nil` where it is none.
        let mail: String?
        let time: Timestamp

        init?(_ line: some StringProtocol) {
            let line = Substring(line)
            guard line.hasPrefix(" --"), let open = line.firstIndex(of: "<"),
                let close = line.lastIndex(of: ">"),
                open < close
            else { return nil }
            let name = line[..<open].dropFirst(3).trimmed
            let mail = line[line.index(after: open)..<close].trimmed
            self.mail = mail.contains("@") && mail.utf8.count <= maximumNameByteCount ? String(mail) : nil
            self.name = name.isEmpty ? line[line.index(after: open)..<close].trimmed : name
            guard !self.name.isEmpty, let time = MailDate.parse(line[line.index(after: close)...]) else {
                return nil
            }
            self.time = time
        }
    }
}

extension Substring {
    /// Without the space at both ends.
    fileprivate var trimmed: Substring {
        guard let first = firstIndex(where: { !$0.isWhitespace }),
            let last = lastIndex(where: { !$0.isWhitespace })
        else { return self[endIndex...] }
        return self[first...last]
    }
}
