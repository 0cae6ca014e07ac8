/// Names of folders that say nothing of what is in them.
private let emptyFolderNames: Set<String> = [
    "utils", "util", "utilities", "common", "helpers", "helper", "misc", "shared", "extensions", "support",
]

/// Folders under `Sources` that are named for nothing.
func complaintsAboutFolders(in paths: some Sequence<String>) -> [String] {
    var named: Set<String> = []
    for path in paths where path.hasPrefix("Sources/") {
        let parts = path.split(separator: "/")
        for (index, part) in parts.enumerated().dropLast() where emptyFolderNames.contains(part.lowercased())
        {
            named.insert(parts[...index].joined(separator: "/"))
        }
    }
    return named.sorted().map { "\($0): name the folder for what it is about" }
}

/// Code files that are longer than an idea usually is, and exceptions to that which are none any more.
func complaintsAboutLength(
    in files: [SourceFile], atMost limit: Int = Floors.maximumLineCount,
    except exceptions: [String: String] = Floors.longFiles
) -> [String] {
    var complaints: [String] = []
    var long: Set<String> = []
    for file in files where ["swift", "c", "h"].contains(file.pathExtension) {
        let count = file.lines.count
        guard count > limit else { continue }
        long.insert(file.path)
        if exceptions[file.path] == nil {
            complaints.append(
                "\(file.path): \(count) lines; split it, or give its reason in Floors.longFiles")
        }
    }
    complaints += exceptions.keys.filter { !long.contains($0) }.sorted().map {
        "\($0): is no file of over \(limit) lines; take it out of Floors.longFiles"
    }
    return complaints
}

/// Words that tell of unfinished work, and names of other people's machines.
///
/// The words are joined from pieces, so that this file does not hold what it looks for.
enum ForbiddenWords {
    static let unfinished = ["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]

    /// Where a build fetches from is the matter of the machine that builds.
    static let hosts = [
        "pypi" + ".org", "python" + "hosted.org", "npm" + "js.org", "crates" + ".io", "deb." + "debian.org",
        "docker" + ".io", "ghcr" + ".io", "rubygems" + ".org", "proxy." + "golang.org",
    ]

    /// Folders of the machine where this was written.
    static let folders = ["/work" + "/main", "/work" + "/shared", "/work" + "/."]

    /// The first word of a host that serves packages to others; `example` hosts are for documents.
    static var hostPattern: Regex<Substring> {
        #/
        \b (?:registry|artifactory|nexus|pypi|npm|mirror) \. (?!example\b) [a-z0-9-]+ (?:\.[a-z0-9-]+)* \.[a-z]{2,} \b
        /#.wordBoundaryKind(.simple)
    }
}

/// Lines that hold a forbidden word.
func complaintsAboutWords(in files: [SourceFile]) -> [String] {
    let names = ForbiddenWords.hosts + ForbiddenWords.folders
    let hostPattern = ForbiddenWords.hostPattern
    var complaints: [String] = []
    for file in files {
        // Nearly every file holds none, so each is first searched as a whole.
        let unfinished = ForbiddenWords.unfinished.filter { file.text.contains($0) }
        let named = names.filter { file.text.contains($0) }
        let hosts = Set(file.text.matches(of: hostPattern).map { String($0.0) }).sorted()
        if unfinished.isEmpty && named.isEmpty && hosts.isEmpty { continue }
        for (index, line) in file.lines.enumerated() {
            let words = Set(line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init))
            let found = unfinished.filter(words.contains) + (named + hosts).filter { line.contains($0) }
            complaints += found.map {
                "\(file.path):\(index + 1): \($0) does not belong into this repository"
            }
        }
    }
    return complaints
}

/// Public types and functions without a doc comment.
///
/// A property, a case or an initializer may say enough by its name and its type's comment, an operator by its sign,
/// and so may what Swift's own protocols ask for.
func complaintsAboutDocumentation(in files: [SourceFile]) -> [String] {
    // Attributes, `public`, other modifiers, the kind of declaration, its name.
    let declaration =
        #/
        ^\s* (?: @\w+ (?:\([^)]*\))? \s+ )* public\s+ (?: [a-z]+ \s+ )*?
        (?:func|struct|class|enum|actor|protocol|typealias|macro) \s+ `?(\w+)
        /#.wordBoundaryKind(.simple)
    let selfExplaining: Set<String> = ["hash", "encode", "index", "makeIterator", "next"]
    var complaints: [String] = []
    for file in files where file.pathExtension == "swift" && file.target != nil {
        let lines = file.lines
        for (index, line) in codeLines(of: file).enumerated() {
            guard let match = line.firstMatch(of: declaration) else { continue }
            if selfExplaining.contains(String(match.1)) { continue }
            // Attributes may stand between a declaration and its comment.
            let above = lines[..<index].last { !$0.drop { $0 == " " }.hasPrefix("@") }
            if above?.drop(while: { $0 == " " }).hasPrefix("///") != true {
                complaints.append("\(file.path):\(index + 1): public \(match.1) has no doc comment")
            }
        }
    }
    return complaints
}
