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
    /// Attachments whose bytes are still to be read and hashed.
    var files: [ImportFile] = []
    /// The last line of the input that it was made of, from 1; in a git history the number of the commit.
    /// Never less than that of the item before.
    var line: Int
    /// Made of its place and bytes, so that the same record of the same source has the same one in every
    /// run: an operation id that keeps an import run again from storing it twice.
    var recordID: UInt128

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
    /// The line of the input, from 1.
    let line: Int?
    let message: String
    /// Whether nothing follows. Otherwise the next records can be read.
    let isFatal: Bool

    init(line: Int? = nil, isFatal: Bool = false, _ message: String) {
        self.line = line
        self.message = message
        self.isFatal = isFatal
    }

    var description: String { line.map { "line \($0): \(message)" } ?? message }
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

/// The bound of the engine on keys, actors, threads, tags, keywords and names.
let maximumNameByteCount = 256

/// A hash of a record's place and bytes. It tells records apart that nobody chose in order to collide: it
/// is quick, and no more.
struct RecordHash {
    private var high: UInt64 = 0x9E37_79B9_7F4A_7C15
    private var low: UInt64 = 0xC2B2_AE3D_27D4_EB4F

    /// The id of the record that ends in `line` of a source of this kind.
    static func id(kind: StaticString, line: Int, bytes: [UInt8]) -> UInt128 {
        var hash = RecordHash()
        for byte in kind.description.utf8 { hash.add(UInt64(byte)) }
        hash.add(UInt64(line))
        hash.add(UInt64(bytes.count))
        var index = 0
        while index + 8 <= bytes.count {
            var word: UInt64 = 0
            for offset in 0..<8 { word |= UInt64(bytes[index + offset]) << UInt64(offset * 8) }
            hash.add(word)
            index += 8
        }
        for byte in bytes[index...] { hash.add(UInt64(byte)) }
        hash.add(0)
        return UInt128(hash.high) << 64 | UInt128(hash.low)
    }

    /// Two multiplications to 128 bits, folded, as in wyhash (Wang Yi, 2019).
    private mutating func add(_ word: UInt64) {
        let a = (high ^ word).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        let b = (low &+ word).multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB)
        high = a.high ^ a.low &+ low
        low = b.high ^ b.low
    }
}
