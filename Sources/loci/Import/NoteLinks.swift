/// What a note links to: `[[Target]]`, `[[folder/Target#Heading|shown]]`, and `[shown](folder/target.md)`.
///
/// A target is the name of a note as it is written between the brackets, without its extension: the name alone, or
/// its path from the folder of all notes. Code is not looked into.
struct NoteLinks {
    struct Link: Equatable {
        let target: String
        /// The heading that it leads to; empty = the note.
        let heading: String
    }

    /// Each target once, in the order of its first link.
    private(set) var links: [Link] = []
    private var targets: Set<String> = []
    private var fence = CodeFence()
    /// The folder of the note, in parts.
    private let folder: [Substring]

    /// More are counted by nobody.
    private static let maximumCount = 10_000

    /// - Parameter path: of the note, from the folder of all notes.
    init(noteAt path: String) { folder = path.split(separator: "/").dropLast() }

    /// Takes in the next line of the note.
    mutating func read(_ line: String) {
        guard !fence.holds(line), line.contains("[") || line.contains("](") else { return }
        let text = Self.withoutCode(line[...])
        var rest = text[...]
        while let open = rest.firstRange(of: "[[") {
            rest = rest[open.upperBound...]
            guard let close = rest.firstRange(of: "]]") else { break }
            add(wiki: rest[..<close.lowerBound])
            rest = rest[close.upperBound...]
        }
        rest = text[...]
        while let open = rest.firstRange(of: "](") {
            rest = rest[open.upperBound...]
            guard let close = rest.firstIndex(of: rest.first == "<" ? ">" : ")") else { break }
            add(address: rest.first == "<" ? rest[..<close].dropFirst() : rest[..<close])
            rest = rest[close...]
        }
    }

    private mutating func add(wiki text: Substring) {
        // In a table the bar has a backslash before it.
        let address = text.prefix { $0 != "|" && $0 != "[" }
        guard address.endIndex == text.endIndex || text[address.endIndex] == "|" else { return }
        var plain = address.trimmingSpace[...]
        if plain.hasSuffix("\\") { plain = plain.dropLast() }
        let parts = plain.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        add(
            parts.first.map { $0.trimmingSpace } ?? "", heading: parts.count > 1 ? parts[1].trimmingSpace : ""
        )
    }

    /// An address in Markdown counts where it is the path of another note, from the folder of this one.
    private mutating func add(address: Substring) {
        // Behind a space stands a title.
        let address = address.prefix { $0 != " " || !address.contains("\"") }
        let parts = address.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, !first.hasPrefix("/"), !first.contains(":"),
            let path = String(first).removingPercentEncoding,
            path.lowercased().hasSuffix(".md") || path.lowercased().hasSuffix(".markdown")
        else { return }
        var steps = folder
        for step in path.split(separator: "/") where step != "." {
            if step != ".." {
                steps.append(step)
            } else if steps.popLast() == nil {
                return
            }
        }
        add(steps.joined(separator: "/"), heading: parts.count > 1 ? String(parts[1]) : "")
    }

    private mutating func add(_ name: String, heading: String) {
        let target = Self.withoutExtension(name)
        guard !target.isEmpty, links.count < Self.maximumCount, targets.insert(target).inserted else {
            return
        }
        links.append(Link(target: target, heading: heading))
    }

    /// `folder/Note.md` is the note `folder/Note`.
    static func withoutExtension(_ name: String) -> String {
        let lowered = name.lowercased()
        for ending in [".md", ".markdown"] where lowered.hasSuffix(ending) {
            return String(name.dropLast(ending.count))
        }
        return name
    }

    /// The line without what stands between backquotes.
    private static func withoutCode(_ line: Substring) -> String {
        guard line.contains("`") else { return String(line) }
        var text = ""
        var rest = line
        while let open = rest.firstIndex(of: "`") {
            text += rest[..<open]
            let run = rest[open...].prefix { $0 == "`" }
            let after = rest[run.endIndex...]
            // A run without a second one of its length is text.
            guard let close = Self.run(of: run.count, in: after) else {
                text += run
                rest = after
                continue
            }
            rest = after[close.upperBound...]
        }
        return text + rest
    }

    private static func run(of count: Int, in text: Substring) -> Range<Substring.Index>? {
        var rest = text
        while let open = rest.firstIndex(of: "`") {
            let run = rest[open...].prefix { $0 == "`" }
            if run.count == count { return run.startIndex..<run.endIndex }
            rest = rest[run.endIndex...]
        }
        return nil
    }
}
