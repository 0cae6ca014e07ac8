import Foundation

/// A link in a Markdown file: where it leads, and the line, from 1, on which it stands.
struct MarkdownLink: Equatable {
    let target: String
    let line: Int
}

/// The prose of a Markdown file by lines: what stands between fences or in backticks is blank.
private func proseLines(of text: String) -> [String] {
    var fence: Character?
    return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
        let trimmed = line.drop { $0 == " " }
        if let open = fence {
            if trimmed.hasPrefix(String(repeating: open, count: 3)) { fence = nil }
            return ""
        }
        if trimmed.hasPrefix("```") || trimmed.hasPrefix("~~~") {
            fence = trimmed.first
            return ""
        }
        return String(line.replacing(#/`[^`]*`/#, with: ""))
    }
}

/// The links, images and link definitions of a Markdown file.
func markdownLinks(in text: String) -> [MarkdownLink] {
    proseLines(of: text).enumerated().flatMap { index, line in
        let inline = line.matches(of: #/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/#).map(\.1)
        let definitions = line.matches(of: #/^ {0,3}\[[^\]^]+\]:\s+<?([^\s>]+)/#).map(\.1)
        return (inline + definitions).map { MarkdownLink(target: String($0), line: index + 1) }
    }
}

/// The anchors that the headings of a Markdown file give: letters in lower case, spaces as hyphens,
/// other signs left out; the second of a kind has `-1` at its end.
func markdownAnchors(in text: String) -> Set<String> {
    var seen: [String: Int] = [:]
    var anchors: Set<String> = []
    // Code in backticks is part of a heading's anchor: the raw line is read where the prose has a heading.
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (prose, line) in zip(proseLines(of: text), lines) where prose.contains(#/^#{1,6} /#) {
        let heading = line.drop { $0 == "#" }.drop { $0 == " " }
        let slug = String(
            heading.lowercased().compactMap { sign -> Character? in
                if sign == " " { return "-" }
                return sign.isLetter || sign.isNumber || sign == "-" || sign == "_" ? sign : nil
            })
        let count = seen[slug, default: 0]
        seen[slug] = count + 1
        anchors.insert(count == 0 ? slug : "\(slug)-\(count)")
    }
    return anchors
}

/// Links to files or headings of this repository that lead nowhere. Links to the network are not followed.
func complaintsAboutLinks(in files: [SourceFile], among paths: Set<String>) -> [String] {
    let pages = files.filter { $0.pathExtension == "md" }
    let anchors = Dictionary(uniqueKeysWithValues: pages.map { ($0.path, markdownAnchors(in: $0.text)) })
    var complaints: [String] = []
    for page in pages {
        for link in markdownLinks(in: page.text) {
            // A scheme (https, mailto, doc) begins what is not a path.
            if link.target.contains(#/^[A-Za-z][A-Za-z0-9+.-]*:/#) { continue }
            let place = "\(page.path):\(link.line)"
            let parts = link.target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
            guard let path = resolve(String(parts[0]), from: page.path) else {
                complaints.append("\(place): the link \(link.target) leads out of the repository")
                continue
            }
            if !path.isEmpty, !paths.contains(path) {
                complaints.append("\(place): there is no \(path)")
            } else if parts.count == 2, let known = anchors[path], !known.contains(parts[1].lowercased()) {
                complaints.append("\(place): \(path) has no heading #\(parts[1])")
            }
        }
    }
    return complaints
}

/// The path from the root that a relative link means; nil if it leads out of the repository.
private func resolve(_ link: String, from page: String) -> String? {
    if link.isEmpty { return page }
    var parts = link.hasPrefix("/") ? [] : page.split(separator: "/").dropLast().map(String.init)
    for part in link.split(separator: "/") where part != "." {
        if part == ".." {
            guard parts.popLast() != nil else { return nil }
        } else {
            parts.append(String(part).removingPercentEncoding ?? String(part))
        }
    }
    return parts.joined(separator: "/")
}

/// Swift code on the pages of a documentation catalog, or for programs that use the library, that stands in no example:
/// nobody would compile it.
func complaintsAboutCode(in files: [SourceFile]) -> [String] {
    let examples = files.filter { $0.path.hasPrefix("Examples/Sources/") }.map { trimmedLines(of: $0.text) }
    let pages = files.filter {
        $0.path.contains(".docc/") && $0.pathExtension == "md" || $0.path == "docs/from-swift.md"
    }
    return pages.flatMap { page in
        page.text.matches(of: #/(?ms)^```swift\n(.*?)^```/#).compactMap { match -> String? in
            let code = trimmedLines(of: String(match.1))
            guard !code.isEmpty, examples.contains(where: { $0.contains(code) }) else {
                let first = code.first ?? "an empty block"
                return "\(page.path): the code that begins with `\(first)` is in no example"
            }
            return nil
        }
    }
}

/// The lines of a text without the spaces behind them, and without empty ones at its end.
private func trimmedLines(of text: String) -> [Substring] {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for index in lines.indices {
        while lines[index].last == " " { lines[index].removeLast() }
    }
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines
}
