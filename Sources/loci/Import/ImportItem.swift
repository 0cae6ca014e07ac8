import MemoryEngine

/// One memory that an import read from its source.
struct ImportItem: Sendable {
    enum Content: Sendable {
        /// To be remembered.
        case draft(MemoryDraft)
        /// A line of `loci export`, to be restored with its id, versions and clocks.
        case exported(JSONValue)
    }

    var content: Content
    /// Where the source wants it; `nil` = where the command says.
    var namespace: Namespace?
    /// Of the memory that the source was made of, as `loci export` of a server writes it.
    var id: MemoryID?
    /// Attachments whose bytes are still to be read and hashed.
    var files: [ImportFile] = []
    /// The last line of the input that it was made of, from 1; in a git history the number of the commit, in
    /// conversations that of the message. Never less than that of the item before.
    var line: Int
    /// What `line` counts.
    var unit = "line"
    /// What could not be read of it, and is not part of it: it is said, and the import goes on.
    var remarks: [ImportError] = []
    /// SHA-256 of the record's bytes, wherever it stands; it is the key of a memory that has no other.
    var contentDigest: [UInt8] = []

    /// The draft, of what is no exported memory.
    var draft: MemoryDraft? {
        guard case .draft(let draft) = content else { return nil }
        return draft
    }
}

/// A file that an imported memory is to have.
struct ImportFile: Sendable, Equatable {
    enum Source: Sendable, Equatable {
        /// A file on this machine.
        case path(String)
        case bytes([UInt8])
    }

    var name: String
    /// `nil` = by the name.
    var mediaType: String?
    var source: Source

    /// Reads and hashes it.
    ///
    /// - Throws: what `Attachment.file` throws for a path that cannot be read, or is too large.
    func attachment() throws -> Attachment {
        switch source {
        case .path(let path):
            var attachment = try Attachment.file(path, mediaType: mediaType)
            attachment.name = name
            return attachment
        case .bytes(let bytes): return Attachment.data(bytes, name: name, mediaType: mediaType)
        }
    }
}

/// Why a record could not be read, or why an import cannot go on.
struct ImportError: Error, Equatable, CustomStringConvertible {
    /// The line of the input, from 1, or what else `unit` says.
    let line: Int?
    let unit: String
    let message: String
    /// Whether nothing follows. Otherwise the next records can be read.
    let isFatal: Bool
    /// Whether what was to be imported is not there.
    let isMissing: Bool

    init(
        line: Int? = nil, unit: String = "line", isFatal: Bool = false, isMissing: Bool = false,
        _ message: String
    ) {
        self.line = line
        self.unit = unit
        self.message = message
        self.isFatal = isFatal
        self.isMissing = isMissing
    }

    var description: String { line.map { "\(unit) \($0): \(message)" } ?? message }
}

extension String {
    /// The text without what goes beyond `byteCount` bytes of UTF-8; characters stay whole.
    func clipped(to byteCount: Int) -> String {
        guard utf8.count > byteCount else { return self }
        var end = utf8.index(startIndex, offsetBy: byteCount)
        while end.samePosition(in: unicodeScalars) == nil { utf8.formIndex(before: &end) }
        return String(self[..<end])
    }
}

/// A name of any length as one that the engine takes. Two long ones that begin alike stay apart, because a digest
/// of the whole stands at the end of what was cut.
func boundedName(_ name: String, to byteCount: Int = maximumNameByteCount) -> String {
    guard name.utf8.count > byteCount else { return name }
    let digest = hexadecimal(Array(Attachment.data(Array(name.utf8), name: "").digest.prefix(8)))
    return name.clipped(to: byteCount - digest.utf8.count - 1) + "~" + digest
}

/// The bound of the engine on keys, actors, threads, tags, keywords and names.
let maximumNameByteCount = 256
