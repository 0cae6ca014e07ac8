extension NamedThings {
    /// Paths that are the end of one other path of the home, at the border of a folder, and of no other but those that end with
    /// that one in turn. A name that many folders have a file of is one only where a history tells all paths.
    var pathEndings: [NamePair] {
        /// By each end of a path, of two parts at most, the paths that have it.
        var holders: [Substring: [Int]] = [:]
        var trimmed: [Int: Substring] = [:]
        for (index, thing) in all.enumerated() where thing.name.sort == .path {
            var path = Substring(thing.name.key)
            if path.hasPrefix("./") { path = path.dropFirst(2) }
            while path.hasSuffix("/") { path = path.dropLast() }
            trimmed[index] = path
            holders[Self.lastPart(path), default: []].append(index)
        }
        var pairs: [NamePair] = []
        for (index, thing) in all.enumerated() {
            guard let path = trimmed[index], !thing.isWhole, !path.hasPrefix(".."),
                let others = holders[Self.lastPart(path)], others.count > 1
            else { continue }
            let longer = others.filter { other in
                guard other != index, let longer = trimmed[other] else { return false }
                return longer == path || longer.hasSuffix("/" + path) && longer.utf8.count > path.utf8.count
            }.sorted { (trimmed[$0]?.utf8.count ?? 0, $0) < (trimmed[$1]?.utf8.count ?? 0, $1) }
            guard let nearest = longer.first, isChain(longer.compactMap { trimmed[$0] }) else { continue }
            let isBare = !path.contains("/")
            if isBare, Self.isCommon(path), !all[nearest].isWhole { continue }
            pairs.append(pair(index, nearest, .path, says: nil))
        }
        return pairs
    }

    private func isChain(_ paths: [Substring]) -> Bool {
        zip(paths, paths.dropFirst()).allSatisfy {
            $1 == $0 || $1.hasSuffix($0.hasPrefix("/") ? $0 : "/" + $0)
        }
    }

    private static func lastPart(_ path: Substring) -> Substring {
        path.lastIndex(of: "/").map { path[path.index(after: $0)...] } ?? path
    }

    /// Whether a file is called so in many folders.
    private static func isCommon(_ name: Substring) -> Bool {
        let name = name.lowercased()
        let stem = name.prefix { $0 != "." }
        return stems.contains(String(stem)) || stem.count < 3
    }

    private static let stems: Set<String> = [
        "readme", "index", "makefile", "gnumakefile", "__init__", "__main__", "mod", "main", "lib", "setup",
        "config", "configure", "test", "tests", "utils", "util", "types", "package", "cargo", "cmakelists",
        "license", "changelog", "changes", "build", "install", "news", "authors", "common", "helpers",
        "constants", "error", "errors", "init", "default", "example", "app", "style", "styles", "manifest",
        "foo", "bar", "baz", "hello", "file", "filename", "input", "output", "data", "temp", "tmp", "rules",
        "control", "version", "base", "core", "settings", "server", "client", "conftest", "options", "log",
        "local", "global", "script", "run", "doc", "docs", "copyright", "plugin", "module", "modules", "list",
        "model", "models", "view", "views", "a", "b", "x", "name", "page", "image", "program", "source",
    ]
}
