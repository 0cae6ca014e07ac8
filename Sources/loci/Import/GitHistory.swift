import Foundation
import MemoryEngine

/// The commits of a git repository's current branch, oldest first, as git itself prints them, and each behind its
/// parents, whatever the dates say.
///
/// A commit's key is its hash, so that an import run again, or from another clone, finds what is there.
final class GitHistory: ImportParser {
    /// `nil` = there is no commit.
    private var tokens: LineReader?
    private let name: String
    private let commitCount: Int
    private var doneCount = 0
    private var hasBegun = false

    private static let unit = "commit"
    /// Of one commit, so many changed files become keywords; the number of all is an attribute.
    private static let maximumPathCount = 64

    /// - Parameter path: the folder of the repository, its top or below.
    /// - Throws: a fatal `ImportError` with git's own words where there is no repository.
    init(path: String, name: String) throws(ImportError) {
        // An empty repository has no `HEAD` that could be counted.
        let heads = try Self.output(of: ["-C", path, "rev-list", "--max-count=1", "--all"])
        let count = heads.isEmpty ? "0" : try Self.output(of: ["-C", path, "rev-list", "--count", "HEAD"])
        commitCount = Int(count) ?? 0
        self.name = try Self.threadName(path: path) ?? name.clipped(to: maximumNameByteCount)
        guard commitCount > 0 else { return }
        // Every field ends with a byte 0, which no message and no path can hold; an empty one begins a commit.
        // `--date-order` shows no parent before all its children, and is reversed: by dates alone, commits of one second,
        // or of a clock that was wrong, would stand before their parents. git sorts hashes, and prints as it goes.
        let arguments = [
            "-C", path, "log", "--date-order", "--reverse", "-z", "--name-only", "--no-renames", "--no-color",
            "--no-ext-diff",
            "--no-show-signature", "--encoding=UTF-8",
            "--format=tformat:%x00%H%x00%an%x00%ae%x00%aI%x00%cI%x00%B%x00", "HEAD",
        ]
        let stream = try ByteStream(running: Self.command(arguments), environment: Self.environment)
        tokens = LineReader(stream, separator: 0, maximumByteCount: 16 << 20)
    }

    var progress: ImportProgress { ImportProgress(done: doneCount, total: commitCount, unit: .commits) }

    func next() throws(ImportError) -> ImportItem? {
        if !hasBegun {
            hasBegun = true
            guard let first = try tokens?.next() else { return nil }
            guard first.bytes.isEmpty else { throw misunderstood }
        }
        guard let hash = try tokens?.next() else { return nil }
        doneCount += 1
        var fields: [[UInt8]] = []
        for _ in 0..<6 {
            guard let field = try tokens?.next() else { throw misunderstood }
            fields.append(field.bytes)
        }
        guard (40...64).contains(hash.bytes.count), fields[5].isEmpty else { throw misunderstood }
        var paths: [String] = []
        var fileCount = 0
        while let path = try tokens?.next(), !path.bytes.isEmpty {
            // The first stands behind an end of line.
            let bytes = fileCount == 0 && path.bytes.first == 10 ? Array(path.bytes.dropFirst()) : path.bytes
            fileCount += 1
            if paths.count < Self.maximumPathCount, bytes.count <= maximumNameByteCount {
                paths.append(String(decoding: bytes, as: UTF8.self).clipped(to: maximumNameByteCount))
            }
        }
        return try item(
            hash: String(decoding: hash.bytes, as: UTF8.self),
            fields: fields.dropLast().map { String(decoding: $0, as: UTF8.self) }, paths: paths,
            fileCount: fileCount)
    }

    private func item(
        hash: String, fields: [String], paths: [String], fileCount: Int
    ) throws(ImportError) -> ImportItem {
        let (author, mail, authorDate, committerDate, message) = (
            fields[0], fields[1], fields[2], fields[3], fields[4]
        )
        // A date that git cannot read is printed as none.
        guard let time = Timestamp(authorDate) ?? Timestamp(committerDate) else {
            throw ImportError(
                line: doneCount, unit: Self.unit, "commit \(hash): neither of its dates can be read")
        }
        let text = message.trimmingCharacters(in: .whitespacesAndNewlines)
        var draft = MemoryDraft(text.isEmpty ? "Commit \(hash.prefix(12)), without a message" : text)
        draft.kind = .commit
        draft.key = "git:\(hash)"
        draft.actor = author.isEmpty ? nil : author.clipped(to: maximumNameByteCount)
        draft.thread = name
        draft.happened = time...time
        draft.tags = ["commit"]
        draft.keywords = [String(hash.prefix(7)), String(hash.prefix(12))] + paths
        draft.attributes = ["hash": .string(hash), "files": .number(Double(fileCount))]
        if !mail.isEmpty { draft.attributes["email"] = .string(mail.clipped(to: maximumNameByteCount)) }
        draft.origin = Origin(source: "git:\(hash)", trust: .verified)
        return ImportItem(content: .draft(draft), line: doneCount, unit: Self.unit)
    }

    private var misunderstood: ImportError {
        ImportError(
            line: doneCount, unit: Self.unit, isFatal: true,
            "git printed its log in a form that is not understood")
    }

    /// What the repository is called, however its path is spelled and whichever copy of it that leads to: by where it
    /// was cloned from or, without a remote `origin`, by its own folder.
    ///
    /// - Returns: `nil` where neither has a name.
    private static func threadName(path: String) throws(ImportError) -> String? {
        let origin = try output(of: [
            "-C", path, "config", "--local", "--default", "", "--get", "remote.origin.url",
        ])
        if let name = repositoryName(origin) { return name }
        // The same for all working trees, and absolute, with links resolved.
        let folder = try output(of: ["-C", path, "rev-parse", "--path-format=absolute", "--git-common-dir"])
        return repositoryName(folder)
    }

    /// The last part of an address or a path, without `.git`: `atlas` of `ssh://host/srv/atlas.git`, `host:atlas` and
    /// `/srv/atlas/.git`.
    static func repositoryName(_ address: String) -> String? {
        var parts = address.split { $0 == "/" || $0 == ":" }
        if parts.last == ".git" { parts.removeLast() }
        guard var name = parts.last, name != ".", name != ".." else { return nil }
        if name.hasSuffix(".git") { name = name.dropLast(4) }
        return String(name).clipped(to: maximumNameByteCount)
    }

    // MARK: Running git

    /// Settings of the user and of the repository that would change what is printed, or run a program.
    private static func command(_ arguments: [String]) -> [String] {
        [
            "git", "--no-pager", "-c", "core.fsmonitor=false", "-c", "log.showRoot=true", "-c",
            "diff.relative=false",
        ]
            + arguments
    }

    /// Without what would lead git to another repository than the one that was named.
    private static var environment: [String: String] {
        var all = ProcessInfo.processInfo.environment
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY"] {
            all[name] = nil
        }
        all["LC_ALL"] = "C"
        all["GIT_OPTIONAL_LOCKS"] = "0"
        return all
    }

    private static func output(of arguments: [String]) throws(ImportError) -> String {
        let stream = try ByteStream(running: command(arguments), environment: environment)
        var bytes: [UInt8] = []
        while case let piece = try stream.read(), !piece.isEmpty { bytes += piece.prefix(4_096) }
        return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
