import MemoryEngine
import TestSupport
import Testing

@testable import Embedders

@Suite struct `A safetensors file` {
    private func read(_ bytes: [UInt8]) throws -> Safetensors {
        try Safetensors(head: bytes, fileByteCount: bytes.count)
    }

    private func file(_ header: String, body: Int) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> ($0 * 8)) } + Array(header.utf8)
            + [UInt8](repeating: 1, count: body)
    }

    @Test func `says where its tensors are`() throws {
        let model = TinyModel(seed: 1)
        let bytes = model.weights
        let tensors = try read(bytes).tensors
        #expect(Set(tensors.keys) == Set(model.tensors.keys))
        let bias = try #require(tensors["embeddings.LayerNorm.bias"])
        #expect(bias.type == "F32" && bias.shape == [12] && bias.bytes.count == 48)
        let first = bytes[bias.bytes.prefix(4)].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        #expect(Float(bitPattern: first) == model.tensors["embeddings.LayerNorm.bias"]?.numbers.first)
    }

    @Test func `is refused wherever it was cut off, and if there is more`() throws {
        let bytes = file(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, body: 8)
        #expect(try read(bytes).tensors.count == 1)
        for count in bytes.indices {
            #expect(throws: EngineError.self) { try read(Array(bytes.prefix(count))) }
        }
        #expect(throws: EngineError.self) { try read(bytes + [0]) }
    }

    @Test(arguments: [
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#,
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}"#,
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}"#,
        #"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,8]}}"#,
        #"{"a":{"dtype":"X9","shape":[2],"data_offsets":[0,8]}}"#,
        #"{"a":{"shape":[2],"data_offsets":[0,8]}}"#,
        #"{"a":7}"#, #"[]"#, #"{"a""#, "",
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
        #"{"__metadata__":{}}"#,
    ])
    func `is refused if its header cannot be so`(header: String) {
        #expect(throws: EngineError.self) { try read(file(header, body: 8)) }
    }

    @Test func `is refused if its header's length is absurd`() {
        for length: UInt64 in [0, 1, 9, .max, 1 << 63, 1 << 40] {
            let bytes = (0..<8).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) } + Array("{}".utf8)
            #expect(throws: EngineError.self) { try read(bytes) }
        }
    }
}
