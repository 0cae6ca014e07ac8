import Foundation
import MemoryEngine

/// JSON Lines: an object a line, each a memory. A line needs `content` only, and empty lines are none.
///
/// A line of `loci export` (it has `loci` or `versions`) is handed on as it is.
final class JSONLines: ImportParser {
    private var lines: LineReader
    private let folder: URL
    private let isLenient: Bool

    /// A line of an export may hold all versions of a text of 16 MB, with vectors.
    private static let maximumLineByteCount = 512 << 20

    /// - Parameters:
    ///   - folder: where paths of attachments begin; they may not lead out of it.
    ///   - isLenient: whether unknown fields are left out. Otherwise they are errors: a misspelled one
    ///     would be lost.
    init(_ stream: ByteStream, folder: String, isLenient: Bool = false) {
        lines = LineReader(stream, maximumByteCount: Self.maximumLineByteCount)
        self.folder = URL(fileURLWithPath: folder)
        self.isLenient = isLenient
    }

    var progress: ImportProgress { lines.stream.progress }

    func next() throws(ImportError) -> ImportItem? {
        while let line = try lines.next() {
            var bytes = line.bytes
            if line.number == 1, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
            if bytes.allSatisfy({ $0 <= 0x20 }) { continue }
            guard !line.isTooLong else {
                throw ImportError(
                    line: line.number,
                    "the line has more than \(lines.maximumByteCount >> 20) MiB; keep large files outside, by their address"
                )
            }
            return try Self.item(bytes, line: line.number, folder: folder, isLenient: isLenient)
        }
        return nil
    }

    /// The memory of one line.
    ///
    /// - Throws: an `ImportError` that names the line, and the byte or the field.
    static func item(
        _ bytes: [UInt8], line: Int, folder: URL, isLenient: Bool = false
    ) throws(ImportError) -> ImportItem {
        let value: JSONValue
        do {
            value = try JSONParser.parse(bytes)
        } catch {
            // The first of a text that is laid out over many.
            let isBracket =
                bytes.filter { $0 > 0x20 } == [UInt8(ascii: "{")] || bytes.first == UInt8(ascii: "[")
            throw ImportError(
                line: line,
                "no JSON: \(error)" + (isBracket ? "; each memory is an object on a line of its own" : ""))
        }
        guard let object = value.object else {
            throw ImportError(
                line: line, "a memory is an object on a line of its own, and this is \(value.kindName)")
        }
        if object["loci"] != nil || object["versions"] != nil {
            return ImportItem(content: .exported(value), line: line)
        }
        var fields = MemoryFields(folder: folder, isLenient: isLenient)
        do {
            for member in object.members { try fields.read(member.name, member.value) }
            return ImportItem(
                content: .draft(try fields.finished()), namespace: fields.namespace, id: fields.id,
                files: fields.files,
                line: line, contentDigest: Attachment.data(bytes, name: "line").digest)
        } catch {
            throw ImportError(line: line, error.message)
        }
    }
}
