import TestSupport
import Testing

@testable import MemoryEngine
@testable import Store

@Suite struct `An attachment` {
    let atlas = Namespace.project("atlas")

    private func attachment(_ bytes: [UInt8], _ name: String = "a.bin") -> MemoryEngine.Attachment {
        MemoryEngine.Attachment(
            name: name, mediaType: "application/octet-stream", digest: SHA256.digest(of: bytes),
            byteCount: UInt64(bytes.count), address: nil, data: bytes)
    }

    @Test(arguments: [0, 1, 4_075, 4_076, 4_077, 8_152, 50_000])
    func `is read back, whole and in ranges`(count: Int) async throws {
        let store = try ScratchStore()
        var random = SeededRandom(seed: UInt64(count))
        let bytes = random.bytes(count)
        var draft = MemoryDraft("")
        draft.attachments = [attachment(bytes)]
        let id = try await store.engine.remember(draft, in: atlas).id
        let digest = try #require(try await store.engine.get(id, in: atlas)?.attachments.first?.digest)
        #expect(try await store.engine.attachment(digest, in: atlas) == bytes)
        for _ in 0..<30 {
            let from = random.below(count + 1)
            let range = from..<from + random.below(count - from + 1)
            let part = try await store.engine.attachment(
                digest, in: atlas, range: UInt64(range.lowerBound)..<UInt64(range.upperBound))
            #expect(part == Array(bytes[range]))
        }
        let beyond = 0..<UInt64(count + 1)
        #expect(
            await refusal { try await store.engine.attachment(digest, in: atlas, range: beyond) }?.code
                == .invalid)
        #expect(await refusal { try await store.engine.attachment([1], in: atlas) }?.code == .notFound)
        try await store.engine.expectClean(atlas)
    }

    @Test func `is stored once, and goes with the last memory that has it`() async throws {
        let store = try ScratchStore()
        let bytes = [UInt8](repeating: 7, count: 9_000)
        var ids: [MemoryID] = []
        for text in ["one", "two"] {
            var draft = MemoryDraft(text)
            draft.attachments = [attachment(bytes, "\(text)-a"), attachment(bytes, "\(text)-b")]
            ids.append(try await store.engine.remember(draft, in: atlas).id)
        }
        // An update keeps them without their bytes.
        try await store.engine.update(ids[0], in: atlas) { $0.content = "one, later" }
        try await store.engine.retract(ids[0], in: atlas)
        #expect(try await store.engine.stats(in: atlas).tables["attachment"]?.entries == 3)
        try await store.engine.forget(.id(ids[0]), under: atlas)
        let digest = SHA256.digest(of: bytes)
        #expect(try await store.engine.attachment(digest, in: atlas) == bytes)
        let erasure = try await store.engine.forget(.id(ids[1]), under: atlas)
        #expect(erasure.counts["attachments"] == 1)
        #expect(await refusal { try await store.engine.attachment(digest, in: atlas) }?.code == .notFound)
        #expect(try await store.engine.stats(in: atlas).tables["attachment"]?.entries == 0)
        try await store.engine.expectClean(atlas)
    }

    @Test func `may lie outside, by its address`() async throws {
        let store = try ScratchStore()
        var draft = MemoryDraft("A film of the launch")
        draft.attachments = [
            MemoryEngine.Attachment(
                name: "launch.webm", mediaType: "video/webm", digest: SHA256.digest(of: [1]),
                byteCount: 1 << 40,
                address: "s3://films/launch.webm")
        ]
        let id = try await store.engine.remember(draft, in: atlas).id
        #expect(try await store.engine.get(id, in: atlas)?.attachments == draft.attachments)
        #expect(try await store.engine.stats(in: atlas).tables["attachment"]?.entries == 0)
        try await store.engine.forget(.id(id), under: atlas)
        try await store.engine.expectClean(atlas)
    }

    @Test func `goes along when its memory is promoted to another home`() async throws {
        let store = try ScratchStore()
        var draft = MemoryDraft("A plan")
        draft.attachments = [attachment([1, 2, 3])]
        let id = try await store.engine.remember(draft, in: atlas).id
        try await store.engine.promote(id, from: atlas, to: .user("u"))
        try await store.engine.forget(.everything, under: atlas)
        #expect(
            try await store.engine.attachment(SHA256.digest(of: [1, 2, 3]), in: .user("u")) == [1, 2, 3])
    }
}
