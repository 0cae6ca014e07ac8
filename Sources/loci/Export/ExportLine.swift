import Foundation
import MemoryEngine

/// The portable form of a memory: a JSON object on a line, with all versions.
///
///     {"loci":1,"id":…,"key":…,"versions":[{"version":1,"namespace":…,"content":…,…,
///       "recordedAt":…,"recordedUntil":…,"closure":"open","passages":[[0,120]],
///       "vectors":{"SPACE":{"0":"BASE64"}},"attachments":[…]}]}
///
/// Times are RFC 3339 with all microseconds, and left out where there is no bound. A vector is its floats of
/// 32 bits, little-endian, in base64, by the passage that it belongs to: so it comes back to the bit.
///
/// The bytes of attachments stand on lines of their own before the memory, in pieces:
///
///     {"loci":1,"attachment":"SHA-256","base64":…}
///
/// Edges that were given follow the memories of their home:
///
///     {"loci":1,"edge":ID,"home":"project/atlas","kind":"causedBy","graph":"causal","from":ID,"to":ID,"weight":1,
///       "recordedAt":…,"evidence":[{"namespace":"project/atlas","citation":"ID@1#0-44"}],"origin":{…}}
enum ExportLine {
    /// The version of the form.
    static let form: Int64 = 1

    /// Bytes of an attachment on one line.
    private static let pieceByteCount = 6 << 20

    // MARK: Writing

    /// A line from which a memory is remembered anew: its newest version, without what only the store has. By its id it is
    /// known where it came from.
    static func draft(of memory: Memory) -> String {
        var origin = memory.origin
        (origin.sourceDigest, origin.sourceSpan) = (nil, nil)
        var json = JSONWriter()
        json.beginObject()
        json.member("id", memory.id.description)
        json.member("key", memory.key)
        json.member("namespace", memory.namespace.description)
        json.fields(memory, origin: origin)
        json.endObject()
        return json.text
    }

    /// The lines of a memory.
    static func lines(of memory: ExportedMemory) -> [String] {
        var lines: [String] = []
        var written: Set<[UInt8]> = []
        for version in memory.versions {
            for attachment in version.memory.attachments where attachment.address == nil {
                guard written.insert(attachment.digest).inserted,
                    let bytes = version.attachments[attachment.digest]
                else { continue }
                var start = 0
                repeat {
                    let end = min(start + pieceByteCount, bytes.count)
                    var json = JSONWriter()
                    json.beginObject()
                    json.member("loci", form)
                    json.member("attachment", hexadecimal(attachment.digest))
                    json.member("base64", Data(bytes[start..<end]).base64EncodedString())
                    json.endObject()
                    lines.append(json.text)
                    start = end
                } while start < bytes.count
            }
        }
        var json = JSONWriter()
        json.beginObject()
        json.member("loci", form)
        json.member("id", memory.id.description)
        json.member("key", memory.key)
        json.list("versions", memory.versions) { write($1, to: &$0) }
        json.endObject()
        lines.append(json.text)
        return lines
    }

    /// The line of an edge of a home.
    static func line(of edge: Edge, in home: Namespace) -> String {
        var json = JSONWriter()
        json.beginObject()
        json.member("loci", form)
        json.member("edge", edge.id?.description)
        json.member("home", home.description)
        json.member("kind", edge.kind.name)
        json.member("graph", edge.kind.graph.name)
        json.member("from", edge.from.description)
        json.member("to", edge.to.description)
        json.member("toHome", edge.toHome?.description)
        json.member("weight", Double(edge.weight))
        json.member("validFrom", edge.valid.lowerBound)
        json.member("validUntil", edge.valid.upperBound)
        json.member("recordedAt", edge.recorded.lowerBound)
        json.member("recordedUntil", edge.recorded.upperBound)
        json.objects("evidence", edge.evidence) { json, citation in
            json.member("namespace", citation.namespace.description)
            json.member("citation", citation.description)
        }
        json.object("origin") { json in json.origin(edge.origin) }
        json.endObject()
        return json.text
    }

    private static func write(_ version: ExportedMemory.Version, to json: inout JSONWriter) {
        let memory = version.memory
        json.beginObject()
        json.member("version", memory.version)
        json.member("namespace", memory.namespace.description)
        json.fields(memory)
        json.member("recordedAt", memory.recorded.lowerBound)
        json.member("recordedUntil", memory.recorded.upperBound)
        json.member("closure", version.closure.rawValue)
        json.name("passages")
        json.beginArray()
        for passage in version.passages {
            json.beginArray()
            json.write(passage.lowerBound)
            json.write(passage.upperBound)
            json.endArray()
        }
        json.endArray()
        if !version.embeddings.isEmpty {
            json.object("vectors") { json in
                let spaces = Dictionary(grouping: version.embeddings, by: \.space.name)
                for (space, embeddings) in spaces.sorted(by: { $0.key < $1.key }) {
                    json.object(space) { json in
                        for embedding in embeddings.sorted(by: { $0.part ?? 0 < $1.part ?? 0 }) {
                            json.member("\(embedding.part ?? 0)", base64(embedding.vector))
                        }
                    }
                }
            }
        }
        json.attachments(memory.attachments)
        json.endObject()
    }

    static func base64(_ vector: [Float]) -> String {
        var data = Data(capacity: vector.count * 4)
        for component in vector {
            let bits = component.bitPattern
            for shift in [0, 8, 16, 24] as [UInt32] { data.append(UInt8(truncatingIfNeeded: bits >> shift)) }
        }
        return data.base64EncodedString()
    }

    /// `nil` for what is no base64 of whole floats.
    static func vector(base64 text: String) -> [Float]? {
        guard let data = Data(base64Encoded: text), data.count.isMultiple(of: 4) else { return nil }
        let bytes = [UInt8](data)
        return stride(from: 0, to: bytes.count, by: 4).map { index in
            let bits =
                UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2]) << 16
                | UInt32(bytes[index + 3]) << 24
            return Float(bitPattern: bits)
        }
    }
}
