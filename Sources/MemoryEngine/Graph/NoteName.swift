/// What a note may be linked by, and what is linked.
///
/// A link as `[[Target]]` or `[[folder/Target]]` is an attribute `link:` and its target, as the import of notes makes
/// it; a note has its path in an attribute `path`, a `title`, and aliases among its keywords. Case and marks do not
/// matter. A link by path or by the file's name goes before one by title or alias.
enum NoteName {
    private static let linkPrefix = "link:"
    /// The most aliases by which one note is found.
    private static let maximumAliasCount = 32
    /// The most parts of a path by whose end one is found.
    private static let maximumPartCount = 8

    /// How a note is called by a name.
    enum Match: Equatable {
        /// The name is the path from the folder of all notes.
        case wholePath
        /// The name is the end of the path, in whole parts.
        case path
        case title
    }

    /// What a note links to; nothing for any other memory.
    static func targets(of fields: VersionFields) -> [String] {
        guard fields.kind == MemoryKind.note.rawValue else { return [] }
        return fields.attributes.keys.filter { $0.hasPrefix(linkPrefix) }
            .map { String($0.dropFirst(linkPrefix.count)) }.filter { !$0.isEmpty }.sorted()
    }

    /// What the target of a link is filed under.
    static func name(of target: String) -> String { "n" + FoldedKey.fold(target) }

    /// What a note is filed under; nothing for any other memory.
    static func names(of fields: VersionFields) -> [String] {
        guard fields.kind == MemoryKind.note.rawValue else { return [] }
        return Set(all(of: fields).map(name)).sorted()
    }

    /// The ends of the path in whole parts, the title and the aliases.
    private static func all(of fields: VersionFields) -> [String] {
        let parts = text("path", of: fields).map { withoutExtension($0).split(separator: "/") } ?? []
        let ends = (1...maximumPartCount).prefix(parts.count).map { parts.suffix($0).joined(separator: "/") }
        return ends + titles(of: fields)
    }

    private static func titles(of fields: VersionFields) -> [String] {
        [text("title", of: fields)].compactMap { $0 } + fields.keywords.prefix(maximumAliasCount)
    }

    /// How a note is called by the target of a link; `nil` if it is not.
    static func match(_ target: String, _ fields: VersionFields) -> Match? {
        guard fields.kind == MemoryKind.note.rawValue else { return nil }
        let target = FoldedKey.fold(target)
        if let path = text("path", of: fields) {
            let path = FoldedKey.fold(withoutExtension(path))
            let inside = path.split(separator: "/").dropFirst().joined(separator: "/")
            if path == target || inside == target { return .wholePath }
            if path.hasSuffix("/" + target) { return .path }
        }
        return titles(of: fields).contains { FoldedKey.fold($0) == target } ? .title : nil
    }

    private static func text(_ name: String, of fields: VersionFields) -> String? {
        guard case .string(let text)? = fields.attributes[name] else { return nil }
        return text
    }

    private static func withoutExtension(_ path: String) -> String {
        let lowered = path.lowercased()
        for ending in [".md", ".markdown"] where lowered.hasSuffix(ending) {
            return String(path.dropLast(ending.count))
        }
        return path
    }
}
