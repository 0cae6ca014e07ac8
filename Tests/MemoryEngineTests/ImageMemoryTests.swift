import TestSupport
import Testing

@testable import MemoryEngine
@testable import Store

@Suite(.timeLimit(.minutes(10))) struct `A memory with an image` {
    let atlas = Namespace.project("atlas")

    private func draft(_ text: String, _ tag: UInt8, name: String = "photo.bin") -> MemoryDraft {
        var draft = MemoryDraft(text)
        draft.attachments = [.data(MediaFiles.png(tag), name: name)]
        return draft
    }

    /// A home with a dog, a ship and some other images, and what the engine goes by.
    private func filled(_ store: ScratchStore) async throws -> (dog: MemoryID, ship: MemoryID) {
        let dog = try await store.engine.remember(draft("From the first day", SightEmbedder.dog), in: atlas)
        let ship = try await store.engine.remember(
            draft("From the second day", SightEmbedder.ship), in: atlas)
        for number in 3...8 {
            try await store.engine.remember(draft("From day \(number)", 3), in: atlas)
        }
        return (dog.id, ship.id)
    }

    @Test func `is found by words that say what the image shows, though it has none of them`() async throws {
        let sight = SightEmbedder()
        let store = try ScratchStore(embedder: FlakyEmbedder()) { $0.mediaEmbedders = [sight] }
        let (dog, ship) = try await filled(store)
        #expect(try await store.engine.missingSpaces(in: atlas).isEmpty)
        #expect(try await store.engine.space(of: atlas) == store.engine.embedder?.space)
        let spaces = try await store.engine.embeddings(of: dog, in: atlas).map(\.space)
        #expect(Set(spaces) == [sight.space, FlakyEmbedder().space])

        for (question, id) in [("Which animal was there?", dog), ("Was there a vessel?", ship)] {
            let recall = try await store.engine.recall(question, in: atlas)
            #expect(recall.first?.memory.id == id, "\(question)")
            #expect(recall.leftOut.isEmpty, "\(recall.leftOut)")
            let isByImage = recall.first?.path.contains {
                if case .vectors(let space, let rank) = $0.reason {
                    space == sight.space && rank == 1
                } else {
                    false
                }
            }
            #expect(isByImage == true)
        }
        // Without the space of images nothing tells them apart from the others.
        var query = RecallQuery("Which animal was there?", in: atlas)
        query.embeddings = [Embedding(FlakyEmbedder.vector(query.text), in: FlakyEmbedder().space)]
        #expect(
            try await store.engine.recall(query).hits.allSatisfy { hit in
                !hit.path.contains {
                    if case .vectors(let space, _) = $0.reason { space == sight.space } else { false }
                }
            })
        try await store.engine.expectClean(atlas)
    }

    @Test func `leaves the order of texts as it is without images`() async throws {
        let texts = [
            "The deploy failed", "The token had expired by noon", "A deploy of the token service", "Soup",
        ]
        let plain = try ScratchStore(embedder: FlakyEmbedder())
        let seeing = try ScratchStore(embedder: FlakyEmbedder()) { $0.mediaEmbedders = [SightEmbedder()] }
        for store in [plain, seeing] {
            for text in texts { try await store.engine.remember(text, in: atlas) }
        }
        let before = try await plain.engine.recall("Why did the deploy fail?", in: atlas).hits
        _ = try await seeing.engine.remember(draft("", SightEmbedder.dog), in: atlas)
        let after = try await seeing.engine.recall("Why did the deploy fail?", in: atlas).hits
        #expect(
            after.map(\.memory.content).filter { !$0.isEmpty } == before.map(\.memory.content))
    }

    @Test func `is stored though its embedder does not answer, and gets its vector later`() async throws {
        let sight = SightEmbedder()
        let store = try ScratchStore(embedder: FlakyEmbedder()) { $0.mediaEmbedders = [sight] }
        sight.isOff = true
        let stored = try await store.engine.remember(
            draft("From the first day", SightEmbedder.dog), in: atlas)
        #expect(stored.missingSpaces == [sight.space])
        let text = try await store.engine.remember("No image", in: atlas)
        #expect(text.missingSpaces.isEmpty)
        #expect(try await store.engine.missingSpaces(in: atlas) == [sight.space: 1])
        // Nothing is in the space, so that nothing is left out.
        let early = try await store.engine.recall("animal", in: atlas)
        #expect(early.leftOut.isEmpty && sight.texts.isEmpty)
        #expect(await refusal { try await store.engine.embed(in: atlas) }?.code == .embedder)

        sight.isOff = false
        #expect(try await store.engine.embed(in: atlas).added == 1)
        #expect(try await store.engine.missingSpaces(in: atlas).isEmpty)
        #expect(try await store.engine.embed(in: atlas).added == 0)
        #expect(try await store.engine.recall("animal", in: atlas).first?.memory.id == stored.id)
        sight.isOff = true
        let recall = try await store.engine.recall("animal", in: atlas)
        #expect(
            recall.leftOut == ["project/atlas: images in sight/3/cosine: no worker is there"]
                && recall.count == 2)
        #expect(
            await refusal { try await store.engine.recall(like: .image(MediaFiles.png), in: atlas) }?.code
                == .embedder)
        try await store.engine.expectClean(atlas)
    }

    @Test(arguments: [EngineError.Code.invalid, .embedder])
    func `that is refused is asked about once in the background`(refusal: EngineError.Code) async throws {
        let sight = SightEmbedder(refusing: refusal)
        let (told, telling) = AsyncStream.makeStream(of: String.self)
        let (pauses, pausing) = AsyncStream.makeStream(of: Int.self)
        let store = try ScratchStore(embedder: FlakyEmbedder()) {
            $0.mediaEmbedders = [sight]
            $0.embedding = .later
            $0.embedsBacklog = true
            $0.backlogPause = { pausing.yield($0) }
            $0.warn = { telling.yield($0) }
        }
        try await store.engine.remember(draft("Broken", SightEmbedder.broken), in: atlas)
        for await line in told {
            #expect(line.contains("bad_image"))
            break
        }
        for number in 1...3 {
            let id = try await store.engine.remember(draft("Day \(number)", SightEmbedder.dog), in: atlas).id
            while try await vector(of: id, sight, store) == nil { await Task.yield() }
        }
        // Where it is not said that it is the image, it is seen twice.
        #expect(sight.refusedCount == (refusal == .invalid ? 1 : 2))
        #expect(try await store.engine.missingSpaces(in: atlas)[sight.space] == 1)
        await store.engine.close()
        pausing.finish()
        for await _ in pauses { Issue.record("it is not the embedder that fails") }
    }

    @Test(arguments: [[Modality.text, .image], [.image]], 0...6)
    func `is not refused where its embedder comes back`(modalities: [Modality], calls: Int) async throws {
        let sight = SightEmbedder(Set(modalities), refusing: .embedder)
        let store = try ScratchStore(embedder: FlakyEmbedder()) {
            $0.mediaEmbedders = [sight]
            $0.embedding = .later
        }
        for tag in [SightEmbedder.dog, SightEmbedder.ship, SightEmbedder.dog] {
            try await store.engine.remember(draft("Day \(tag)", tag), in: atlas)
        }
        sight.turnOff(for: calls)
        let refusals = Refusals()
        do {
            let done = try await store.engine.embedMedia(.image, in: atlas, besides: refusals)
            #expect(done.added == 3 && done.skipped == 0)
        } catch let error as EngineError {
            #expect(error.code == .embedder)
        }
        sight.turnOff(for: 0)
        _ = try await store.engine.embedMedia(.image, in: atlas, besides: refusals)
        #expect(try await store.engine.missingSpaces(in: atlas)[sight.space] == nil)
    }

    @Test(arguments: [[1], [0, 2], [4], [0, 1], [0, 1, 2, 3, 4]])
    func `that fails alone, of an embedder without texts, keeps no other waiting`(broken: [Int]) async throws
    {
        let sight = SightEmbedder([.image], refusing: .embedder, batchCount: 1)
        let warnings = Mutex<[String]>([])
        let store = try ScratchStore(embedder: FlakyEmbedder()) {
            $0.mediaEmbedders = [sight]
            $0.embedding = .later
            $0.warn = { line in warnings.withLock { $0.append(line) } }
        }
        for number in 0..<5 {
            try await store.engine.remember(
                draft("Day \(number)", broken.contains(number) ? SightEmbedder.broken : SightEmbedder.dog),
                in: atlas)
        }
        let refusals = Refusals()
        // Where the first two fail and none has its vector, it may be the embedder.
        guard broken.count < 2 || broken == [0, 2] else {
            let error = await refusal {
                try await store.engine.embedMedia(.image, in: atlas, besides: refusals)
            }
            #expect(error?.code == .embedder && sight.refusedCount == 2)
            return
        }
        let done = try await store.engine.embedMedia(.image, in: atlas, besides: refusals)
        #expect(done.added == 5 - broken.count && done.skipped == broken.count)
        #expect(sight.refusedCount == 2 * broken.count)
        #expect(warnings.withLock { $0 }.count == broken.count)
        // They are not asked about again.
        let again = try await store.engine.embedMedia(.image, in: atlas, besides: refusals)
        #expect(again.added == 0 && again.skipped == broken.count)
        #expect(sight.refusedCount == 2 * broken.count)
    }

    @Test(arguments: 0...7) func `that fails last is not to blame where the embedder takes none from then on`(
        calls: Int
    ) async throws {
        let sight = SightEmbedder([.image], refusing: .embedder, batchCount: 1)
        let store = try ScratchStore(embedder: FlakyEmbedder()) {
            $0.mediaEmbedders = [sight]
            $0.embedding = .later
        }
        for number in 0..<4 {
            try await store.engine.remember(draft("Day \(number)", SightEmbedder.dog), in: atlas)
        }
        sight.turnOff(after: calls)
        let refusals = Refusals()
        let error = await refusal {
            try await store.engine.embedMedia(.image, in: atlas, besides: refusals)
        }
        #expect((error?.code == .embedder) == (calls < 4))
        sight.turnOff(for: 0)
        _ = try await store.engine.embedMedia(.image, in: atlas, besides: refusals)
        #expect(try await store.engine.missingSpaces(in: atlas)[sight.space] == nil)
    }

    @Test func `gets its vector in the background`() async throws {
        let sight = SightEmbedder()
        sight.isOff = true
        let (pauses, waiting) = AsyncStream.makeStream(of: Void.self)
        let store = try ScratchStore(embedder: FlakyEmbedder()) {
            $0.mediaEmbedders = [sight]
            $0.embedsBacklog = true
            $0.backlogPause = { _ in
                sight.isOff = false
                waiting.yield()
            }
        }
        let id = try await store.engine.remember(draft("From the first day", SightEmbedder.dog), in: atlas).id
        for await _ in pauses { break }
        for try await change in store.engine.changes(after: 0, in: atlas) where change.kind == .embedded {
            break
        }
        #expect(
            try await store.engine.embeddings(of: id, in: atlas).contains(
                Embedding([1, 0, 0], in: sight.space, part: 0)))
        await store.engine.close()
    }

    /// Not every service tells an image that it cannot read from a fault of its own.
    @Test(arguments: [EngineError.Code.invalid, .embedder])
    func `that no model reads is stored, told, and keeps no other from its vector`(
        refusal: EngineError.Code
    ) async throws {
        let sight = SightEmbedder(refusing: refusal)
        let told = Mutex<[String]>([])
        let store = try ScratchStore(embedder: FlakyEmbedder()) {
            $0.mediaEmbedders = [sight]
            $0.warn = { text in told.withLock { $0.append(text) } }
        }
        var damaged = draft("Damaged", 0)
        damaged.attachments = [.data(Array(MediaFiles.png[..<20]), name: "cut.png")]
        var named = draft("A text by the name of an image", 0)
        named.attachments = [.data(Array("text".utf8), name: "text.png")]
        let results = try await store.engine.remember(
            [damaged, draft("Broken", SightEmbedder.broken), draft("Whole", SightEmbedder.dog), named],
            in: atlas
        ).map { try $0.get() }
        // One that failed as a service does may get its vector yet.
        #expect(results.map { $0.missingSpaces.count } == [0, refusal == .embedder ? 1 : 0, 0, 0])
        #expect(results.map { $0.refusals.count } == [1, refusal == .embedder ? 0 : 1, 0, 1])
        #expect(results[0].refusals.first?.contains("`cut.png` is damaged") == true)
        #expect(sight.imageCount == 1)
        #expect(told.withLock { $0.count } == 3 && told.withLock { $0 }.contains { $0.contains("`cut.png`") })
        #expect(try await store.engine.embeddingEstimate(in: atlas).attachments == 3)
        let again = try await store.engine.embed(in: atlas)
        #expect(again.added == 0 && again.skipped == 3)
        #expect(told.withLock { $0.count } == 6)
        #expect(try await vector(of: results[2].id, sight, store) == [1, 0, 0])
    }

    /// Its bytes are looked at whether or not there is somebody to ask.
    @Test(arguments: [true, false])
    func `that no model reads is promised no vector where nothing is asked for it`(isThere: Bool) async throws
    {
        let sight = SightEmbedder()
        let store = try ScratchStore(embedder: FlakyEmbedder()) { $0.mediaEmbedders = [sight] }
        try await store.engine.remember(draft("Whole", SightEmbedder.dog), in: atlas)
        await store.engine.close()
        let told = Mutex<[String]>([])
        var options = store.options
        if isThere { options.embedding = .later } else { options.mediaEmbedders = [] }
        options.warn = { text in told.withLock { $0.append(text) } }
        let engine = try Engine.open(at: store.directory.path, embedder: FlakyEmbedder(), options: options)
        func attached(_ bytes: [UInt8], _ name: String) -> MemoryDraft {
            var draft = MemoryDraft("With \(name)")
            draft.attachments = [.data(bytes, name: name)]
            return draft
        }
        let large = MediaFiles.png(width: 20_000, height: 20_000)
        for (bytes, name, reason) in [
            (Array(MediaFiles.png[..<20]), "cut.png", "is damaged"), (large, "large.png", "pixels"),
            (MediaFiles.png + [UInt8](repeating: 0, count: 10_000_000), "long.png", "bytes"),
        ] {
            let stored = try await engine.remember(attached(bytes, name), in: atlas)
            #expect(!stored.missingSpaces.contains(sight.space), "\(name)")
            #expect(stored.refusals.count == 1 && stored.refusals[0].contains(reason), "\(stored.refusals)")
            #expect(told.withLock { $0.last }?.contains("`\(name)`") == true)
            // Other words do not change that, though the image is not at hand any more.
            let changed = try await engine.update(stored.id, in: atlas) { $0.content += " again" }
            #expect(changed.refusals == stored.refusals && !changed.missingSpaces.contains(sight.space))
        }
        let whole = try await engine.remember(
            attached(MediaFiles.png(SightEmbedder.ship), "whole.png"), in: atlas)
        #expect(whole.missingSpaces.contains(sight.space) && whole.refusals.isEmpty)
        // What no space is for is neither missing nor refused.
        for (bytes, name) in [(Array("%PDF-1.7".utf8), "paper.pdf"), (MediaFiles.mp4, "clip.mp4")] {
            let stored = try await engine.remember(attached(bytes, name), in: atlas)
            #expect(!stored.missingSpaces.contains(sight.space) && stored.refusals.isEmpty, "\(name)")
        }
        await engine.close()
    }

    /// Pages pass over parts of texts, and over what is kept outside.
    @Test func `is listed once while it lacks its vector, however many versions there are`() async throws {
        let sight = SightEmbedder()
        let store = try ScratchStore(embedder: nil) {
            $0.mediaEmbedders = [sight]
            $0.embedding = .later
        }
        let long = String(repeating: "All work and no play makes a long text. ", count: 300)
        var wanted: [String] = []
        for number in 0..<40 {
            var next = draft(number.isMultiple(of: 3) ? long : "Short \(number)", 3)
            if number.isMultiple(of: 4) {
                next.attachments = [
                    .external(
                        "https://host.example/\(number).png", name: "a.png",
                        digest: [UInt8](repeating: 7, count: 32), byteCount: 9)
                ]
            }
            next.key = "\(number)"
            let id = try await store.engine.remember(next, in: atlas).id
            if !number.isMultiple(of: 4) { wanted.append("\(id)") }
        }
        var found: [String] = []
        var cursor: String?
        repeat {
            let page = try await store.engine.passages(
                lacking: sight.space, in: atlas, after: cursor, limit: 7)
            #expect(page.passages.count == 7 || page.next == nil)
            #expect(page.passages.allSatisfy { $0.part == 0 })
            found += page.passages.map { "\($0.id)" }
            cursor = page.next
        } while cursor != nil
        #expect(found == wanted && wanted.count == 30)
        #expect(try await store.engine.missingSpaces(in: atlas)[sight.space] == 30)
        #expect(try await store.engine.embed(in: atlas).added == 30)
        #expect(try await store.engine.missingSpaces(in: atlas)[sight.space] == nil)
    }

    @Test func `keeps the vector of its image with other words, and loses it with another image`()
        async throws
    {
        let sight = SightEmbedder()
        let store = try ScratchStore(embedder: FlakyEmbedder()) { $0.mediaEmbedders = [sight] }
        var first = draft("From the first day", SightEmbedder.dog)
        first.key = "day/1"
        let id = try await store.engine.remember(first, in: atlas).id
        try await store.engine.update(id, in: atlas) { $0.content = "From the last day" }
        #expect(sight.imageCount == 1)
        #expect(try await vector(of: id, sight, store) == [1, 0, 0])
        // The one that a key leads to is looked up by the writer alone.
        var next = draft("From the last day", SightEmbedder.ship)
        next.key = "day/1"
        sight.isOff = true
        let changed = try await store.engine.remember(next, in: atlas)
        #expect(changed.id == id && changed.missingSpaces == [sight.space])
        #expect(try await vector(of: id, sight, store) == nil)
        sight.isOff = false
        try await store.engine.embed(in: atlas)
        #expect(try await vector(of: id, sight, store) == [0, 1, 0])
        let other = MediaFiles.png(SightEmbedder.dog)
        try await store.engine.update(id, in: atlas) { $0.attachments = [.data(other, name: "b")] }
        #expect(try await vector(of: id, sight, store) == [1, 0, 0])
        try await store.engine.expectClean(atlas)
    }

    private func vector(
        of id: MemoryID, _ embedder: SightEmbedder, _ store: ScratchStore
    ) async throws -> [Float]? {
        try await store.engine.embeddings(of: id, in: atlas).first { $0.space == embedder.space }?.vector
    }

    @Test func `is found by another image, and a video by a video`() async throws {
        let film = SightEmbedder([.video], model: "film")
        let store = try ScratchStore(embedder: FlakyEmbedder()) {
            $0.mediaEmbedders = [film, SightEmbedder()]
        }
        #expect(
            await refusal { try await store.engine.recall(like: .image(MediaFiles.png), in: atlas) }?.code
                == .notFound)
        let (dog, _) = try await filled(store)
        let like = EmbeddingInput.image(MediaFiles.png(SightEmbedder.dog))
        #expect(try await store.engine.recall(like: like, in: atlas).first?.memory.id == dog)
        var both = draft("With both", SightEmbedder.ship)
        both.attachments.append(.data(MediaFiles.mp4 + [SightEmbedder.dog], name: "clip"))
        let id = try await store.engine.remember(both, in: atlas).id
        let other = try await store.engine.embeddings(of: id, in: atlas)
        #expect(other.map(\.space.model).sorted() == ["film", "flaky", "sight"])
        let shown = EmbeddingInput.video(MediaFiles.mp4 + [SightEmbedder.dog])
        #expect(try await store.engine.recall(like: shown, in: atlas).map(\.memory.id) == [id])
        #expect(
            await refusal { try await store.engine.recall(like: .image([1, 2]), in: atlas) }?.code == .invalid
        )
    }

    @Test func `goes on with the space that it has, and texts do not go there`() async throws {
        let sight = SightEmbedder()
        let store = try ScratchStore(embedder: FlakyEmbedder()) { $0.mediaEmbedders = [sight] }
        // Images alone, so that their space has most vectors.
        for _ in 1...3 { try await store.engine.remember(draft("", SightEmbedder.dog), in: atlas) }
        let dog = try await store.engine.recall("animal", in: atlas).first?.memory.id
        await store.engine.close()

        var options = store.options
        options.mediaEmbedders = []
        options.otherEmbedders = [sight]
        let other = try Engine.open(at: store.directory.path, embedder: FlakyEmbedder(), options: options)
        #expect(try await other.space(of: atlas) == FlakyEmbedder().space)
        let texts = sight.texts.count
        let stored = try await other.remember(draft("A text of it", SightEmbedder.ship), in: atlas)
        #expect(sight.texts.count == texts && sight.imageCount == 4 && stored.missingSpaces.isEmpty)
        #expect(try await other.recall("vessel", in: atlas).first?.memory.id == stored.id)
        #expect(try await other.recall("animal", in: atlas).contains { $0.memory.content.isEmpty })
        #expect(await refusal { try await other.useSpace(sight.space, in: atlas) }?.code == .conflict)
        #expect(await refusal { try await other.reembed(in: atlas, into: sight.space) }?.code == .conflict)
        #expect(dog != nil)
        await other.close()

        options.otherEmbedders = []
        let blind = try Engine.open(at: store.directory.path, embedder: FlakyEmbedder(), options: options)
        #expect(
            try await blind.recall("animal", in: atlas).leftOut
                == ["project/atlas: images in sight/3/cosine: the engine has no embedder of it"])
        #expect(try await blind.dropSpace(sight.space, in: atlas) == 4)
        #expect(try await blind.recall("animal", in: atlas).leftOut.isEmpty)
        await blind.close()
    }

    @Test func `keeps the space that it was to have, though its embedder did not answer at first`()
        async throws
    {
        let sight = SightEmbedder()
        sight.isOff = true
        let store = try ScratchStore(embedder: FlakyEmbedder()) { $0.mediaEmbedders = [sight] }
        let first = try await store.engine.remember(draft("From the first day", SightEmbedder.dog), in: atlas)
        #expect(first.missingSpaces == [sight.space])
        await store.engine.close()
        // Without it, images wait, and that is said.
        var options = store.options
        options.mediaEmbedders = []
        let blind = try Engine.open(at: store.directory.path, embedder: FlakyEmbedder(), options: options)
        let second = try await blind.remember(draft("From the second day", SightEmbedder.ship), in: atlas)
        #expect(second.missingSpaces == [sight.space])
        await blind.close()
        // It need not be named again.
        sight.isOff = false
        options.otherEmbedders = [sight]
        let engine = try Engine.open(at: store.directory.path, embedder: FlakyEmbedder(), options: options)
        #expect(try await engine.embed(in: atlas).added == 2)
        #expect(try await engine.recall("vessel", in: atlas).first?.memory.id == second.id)
        await engine.close()
    }

    @Test func `is asked no longer than questions may wait for it`() async throws {
        let store = try ScratchStore(embedder: FlakyEmbedder()) { $0.mediaEmbedders = [SightEmbedder()] }
        let (dog, _) = try await filled(store)
        await store.engine.close()
        var options = store.options
        options.mediaEmbedders = [SlowSight()]
        options.imageQuestionPatience = .milliseconds(1)
        let engine = try Engine.open(at: store.directory.path, embedder: FlakyEmbedder(), options: options)
        let recall = try await engine.recall("the first day", in: atlas)
        #expect(recall.contains { $0.memory.id == dog })
        #expect(
            recall.leftOut == ["project/atlas: images in sight/3/cosine: its embedder was not ready in time"])
        await engine.close()
    }
}

/// Waits until it is cancelled.
struct SlowSight: Embedder {
    let space = EmbeddingSpace(model: "sight", dimension: 3)
    let modalities: Set<Modality> = [.text, .image]

    func embed(_ inputs: [EmbeddingInput], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        let (stream, _) = AsyncStream.makeStream(of: Void.self)
        for await _ in stream {}
        throw CancellationError()
    }
}
