import Foundation

/// One text file of the repository: its path from the root, and what is in it.
struct SourceFile: Sendable {
    let path: String
    let text: String

    var pathExtension: String {
        let name = path.split(separator: "/").last ?? ""
        return name.contains(".") ? String(name.split(separator: ".").last ?? "") : ""
    }

    /// The lines, without what ends them; a newline at the end of the file begins no further line.
    var lines: [Substring] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    /// The target whose folder under `Sources` holds this file.
    var target: String? {
        let parts = path.split(separator: "/")
        return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
    }
}

/// The repository as it lies on the disk. What begins with a dot is left out, but for `.ci`.
struct SourceTree: Sendable {
    let root: URL
    let files: [SourceFile]

    /// Every path from the root: files, those too that are no text, and folders.
    let paths: Set<String>

    /// The folders that are ours; a build or an editor may leave others beside them.
    static let folders = ["Sources", "Tests", "Benchmarks", "Examples", "docs", "scripts", "workers", ".ci"]

    /// Files at the root that are not: `.git` may be one, and the package manager writes the other.
    static let foreignFiles = [".git", "Package.resolved"]

    /// The repository that this test was compiled from.
    static let here = Result { try SourceTree(root: repositoryRoot()) }

    static func repositoryRoot(of file: String = #filePath) -> URL {
        URL(fileURLWithPath: file).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
    }

    init(root: URL) throws {
        var files: [SourceFile] = []
        var paths: Set<String> = []
        func visit(_ path: String) throws {
            let url = root.appendingPathComponent(path)
            paths.insert(path)
            let kind = try url.resourceValues(forKeys: [.isDirectoryKey, .isSymbolicLinkKey])
            if kind.isSymbolicLink == true { return }
            if kind.isDirectory == true {
                for name in try FileManager.default.contentsOfDirectory(atPath: url.path).sorted()
                where !name.hasPrefix(".") {
                    try visit(path + "/" + name)
                }
            } else if let text = String(bytes: try Data(contentsOf: url), encoding: .utf8) {
                files.append(SourceFile(path: path, text: text))
            }
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: root.path).sorted() {
            let url = root.appendingPathComponent(name)
            let isFolder = try url.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true
            let isOurs = isFolder ? Self.folders.contains(name) : !Self.foreignFiles.contains(name)
            if isOurs { try visit(name) }
        }
        self.root = root
        self.files = files
        self.paths = paths
    }
}
