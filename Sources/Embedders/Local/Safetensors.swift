import Foundation
import MemoryEngine

/// What a safetensors file says of its tensors: eight bytes of length, a header in JSON, then numbers.
///
/// Everything is checked before it is believed: the header's length, each tensor's type, shape and offsets, and that
/// the tensors fill the file from the header to its end without holes. So a file that was cut off is refused whatever
/// was cut.
package struct Safetensors: Sendable {
    package struct Tensor: Equatable, Sendable {
        /// Its type as the file names it, such as `F32`.
        package let type: String
        package let shape: [Int]
        /// Where its numbers are in the file.
        package let bytes: Range<Int>
    }

    package let tensors: [String: Tensor]
    /// What else the file says, by name; empty where it says nothing, or not by strings.
    package let metadata: [String: String]

    package static let maximumHeaderByteCount = 8 << 20

    /// Bytes of an element, by the type's name.
    private static let elementByteCounts = [
        "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4,
        "U16": 2, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1,
    ]

    /// How many bytes the length and the header take together, by the file's first eight.
    package static func headByteCount(of first: [UInt8], fileByteCount: Int) throws -> Int {
        guard first.count >= 8, fileByteCount >= 8 else {
            throw damaged("it is shorter than the length of a header")
        }
        let length = first.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length >= 2, length <= UInt64(maximumHeaderByteCount), Int(length) <= fileByteCount - 8 else {
            throw damaged("its header is said to have \(length) bytes")
        }
        return 8 + Int(length)
    }

    /// Reads the header.
    ///
    /// - Parameter head: the file's first bytes, as many as `headByteCount` says.
    /// - Throws: `EngineError` with code `corrupted`.
    package init(head: [UInt8], fileByteCount: Int) throws {
        let begin = try Self.headByteCount(of: head, fileByteCount: fileByteCount)
        guard head.count >= begin else { throw Self.damaged("its header is cut off") }
        let header: Header
        do {
            header = try JSONDecoder().decode(Header.self, from: Data(head[8..<begin]))
        } catch {
            throw Self.damaged("its header is no JSON of tensors")
        }
        var tensors: [String: Tensor] = [:]
        for (name, entry) in header.entries {
            tensors[name] = try Self.tensor(name, entry, begin: begin, fileByteCount: fileByteCount)
        }
        // Side by side, from the header to the end.
        var end = begin
        for range in tensors.values.map(\.bytes).sorted(by: {
            ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound)
        }) {
            guard range.lowerBound == end else {
                throw Self.damaged("tensors overlap or leave a hole at byte \(end)")
            }
            end = range.upperBound
        }
        guard end == fileByteCount else {
            throw Self.damaged("it has \(fileByteCount) bytes, and its tensors end at \(end)")
        }
        self.tensors = tensors
        metadata = header.metadata
    }

    private static func tensor(
        _ name: String, _ entry: Entry, begin: Int, fileByteCount: Int
    ) throws -> Tensor {
        guard let elementByteCount = elementByteCounts[entry.dtype] else {
            throw damaged("tensor \(shown(name)) has the unknown type \(shown(entry.dtype))")
        }
        var byteCount = elementByteCount
        for length in entry.shape {
            let product = byteCount.multipliedReportingOverflow(by: length)
            guard length >= 0, !product.overflow else {
                throw damaged("tensor \(shown(name)) has an impossible shape")
            }
            byteCount = product.partialValue
        }
        guard entry.dataOffsets.count == 2, entry.shape.count <= 8, entry.dataOffsets[0] >= 0,
            entry.dataOffsets[0] <= entry.dataOffsets[1], entry.dataOffsets[1] <= fileByteCount - begin
        else { throw damaged("tensor \(shown(name)) lies outside of the file") }
        guard entry.dataOffsets[1] - entry.dataOffsets[0] == byteCount else {
            throw damaged("tensor \(shown(name)) has other bytes than its shape asks for")
        }
        return Tensor(
            type: entry.dtype, shape: entry.shape,
            bytes: begin + entry.dataOffsets[0]..<begin + entry.dataOffsets[1])
    }

    /// A name from a file, for a person.
    private static func shown(_ name: String) -> String {
        "`"
            + String(
                name.unicodeScalars.prefix(80).map {
                    $0.properties.generalCategory == .control ? "?" : Character($0)
                }) + "`"
    }

    private static func damaged(_ reason: String) -> EngineError {
        EngineError(.corrupted, "damaged: \(reason)")
    }

    private struct Entry: Decodable {
        let dtype: String
        let shape: [Int]
        let dataOffsets: [Int]

        enum CodingKeys: String, CodingKey {
            case dtype, shape
            case dataOffsets = "data_offsets"
        }
    }

    /// Any names; `__metadata__` is no tensor.
    private struct Header: Decodable {
        var entries: [(String, Entry)] = []
        var metadata: [String: String] = [:]

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Name.self)
            for name in container.allKeys {
                if name.stringValue == "__metadata__" {
                    metadata = (try? container.decode([String: String].self, forKey: name)) ?? [:]
                } else {
                    entries.append((name.stringValue, try container.decode(Entry.self, forKey: name)))
                }
            }
        }
    }

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
