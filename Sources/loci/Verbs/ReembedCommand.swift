import ArgumentParser
import Embedders
import MemoryEngine

struct ReembedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reembed",
        abstract: "Give vectors to what has none in a space, and go over to another space.",
        usage: "loci reembed [--into <space> [--drop-old]] [--estimate] [options]",
        discussion: """
              loci reembed -n project/atlas                   # what was stored without a vector
              loci reembed -n project/atlas --estimate        # how much that is, and what it costs
              loci reembed -n project/atlas --into loci-hash@1/256

            What was stored with another embedder, or with none, has no vectors in the space of this one. Attached images and \
            videos get theirs too, where the home has such vectors, or --media names what makes them. With --into the home \
            goes over to that space when all passages have a vector in it, in one transaction; it is asked and written to \
            meanwhile, and its old vectors stay unless --drop-old is given. Attachments that nothing makes vectors of now are told, with \
            the reason.

            How much is to be done, and what that costs about, is said first. Each batch is on disk before the next begins; run \
            again after an interruption, it goes on. It ends when the vectors are linked, or another process waits to write.
            """)

    @Option(help: ArgumentHelp("Go over to this space, of an embedder that is there.", valueName: "space"))
    var into: String?
    @Flag(help: "Remove the vectors in the old space at the end.")
    var dropOld = false
    @Flag(help: "Also versions that were replaced, which --as-of looks at; --into takes them always.")
    var closed = false
    @Flag(help: "Say only how much is to be done.")
    var estimate = false
    @Option(
        help: ArgumentHelp(
            "How many passages are embedded at a time, 1 to 10,000 (by default as many as the embedder wants).",
            valueName: "count"),
        transform: Accept.count(1...Engine.maximumBatchCount, as: 256))
    var batch: Int?
    @OptionGroup var threads: ThreadsOption
    @OptionGroup var namespace: NamespaceOption
    @OptionGroup var store: StoreOptions

    func validate() throws {
        guard !dropOld || into != nil else { throw ValidationError("--drop-old wants --into") }
        guard store.embedder != AvailableEmbedders.Preference.none else {
            throw ValidationError(
                "--embedder none makes no vectors: leave it out, or name what makes those of the space")
        }
    }

    func run() async throws {
        let namespace = try namespace.required()
        let embedders = try store.embedders()
        try await store.withEngine(
            for: estimate ? .reading : .changing, threads: threads.count, embedders: embedders
        ) { engine in
            _ = try await engine.existingHomes(under: namespace)
            let into = try await space(embedders, in: namespace, engine)
            let place = into == nil ? namespace : namespace.home
            let work = try await engine.embeddingEstimate(
                in: place, into: into, includesClosed: closed || into != nil)
            if into == nil, let named = store.embedder, named != .auto, let space = embedders.embedder?.space,
                space != work.space
            {
                Terminal.note(Self.advice(namespace.home, of: work.space, named, space))
            }
            let isOfService = embedders.isOfService(work.space)
            let isUnpriced = work.dollars == 0 && work.passages > 0 && isOfService
            let line = Self.line(work, namespace, isOfService: isOfService)
            if estimate { return show(work, line, namespace, isUnpriced: isUnpriced) }
            if work.passages + work.attachments > 0, !store.json { Terminal.note(line) }
            let done = try await Progress("embedding", unit: "passages", isSilent: store.json).during {
                progress in
                func update(_ done: EmbeddingProgress) {
                    let count = done.added + done.obsolete + done.skipped
                    progress.update(count, of: max(count, work.passages + work.attachments))
                }
                guard let into else {
                    return try await engine.embed(
                        in: namespace, includesClosed: closed, batchCount: batch
                    ) { update($0) }
                }
                return try await engine.reembed(
                    in: place, into: into, dropsOld: dropOld, batchCount: batch
                ) { update($0) }
            }
            show(done, place, work.waiting)
            await store.finishIndexing(of: engine, within: nil)
        }
    }

    /// The space that is named, of an embedder that is there.
    ///
    /// - Throws: `ValidationError` for no name of a space, `EngineError` with code `invalid` for one without an embedder; both tell
    ///   which spaces there are.
    private func space(
        _ embedders: AvailableEmbedders, in namespace: Namespace, _ engine: Engine
    ) async throws -> EmbeddingSpace? {
        guard let into else { return nil }
        let found = EmbeddingSpace(name: into)
        let own = ([embedders.embedder].compactMap { $0 } + embedders.others).filter {
            $0.modalities.contains(.text)
        }.map(\.space)
        if let found, own.contains(found) { return found }
        func list(_ spaces: [EmbeddingSpace]) -> String {
            spaces.isEmpty ? "none" : spaces.map { Visible.line($0.name) }.joined(separator: ", ")
        }
        let spaces =
            "there are embedders of \(list(own)); \(namespace.home) has vectors in "
            + list(try await engine.spaces(in: namespace.home))
        guard let found else {
            throw ValidationError(
                "The value '\(into)' is invalid for '--into <space>': write MODEL@REVISION/DIMENSION/METRIC, as "
                    + "\(HashEmbedder().space.name); \(spaces)")
        }
        throw EngineError(
            .invalid,
            "nothing makes vectors of texts in \(found.name): \(embedders.absence(of: found) ?? "there is no embedder of it"); "
                + spaces)
    }

    /// What is said where an embedder is named that is not the home's.
    private static func advice(
        _ home: Namespace, of space: EmbeddingSpace, _ named: AvailableEmbedders.Preference,
        _ other: EmbeddingSpace
    ) -> String {
        "\(home) has its vectors in \(space.name), and goes on with them: --embedder is for new homes; "
            + "`loci reembed -n \(home) --into \(other.name)` goes over to the space of \(named.rawValue)"
    }

    private func show(_ work: EmbeddingEstimate, _ line: String, _ namespace: Namespace, isUnpriced: Bool) {
        guard store.json else {
            Terminal.print(line)
            return work.waiting.forEach { Terminal.note($0.line(namespace)) }
        }
        Terminal.printObject { json in
            json.member("space", work.space.name)
            json.member("passages", work.passages)
            json.member("bytes", work.bytes)
            json.name("dollars")
            if isUnpriced { json.writeNull() } else { json.write(work.dollars) }
            json.member("attachments", work.attachments)
            json.list("waiting", work.waiting) { $0.write($1) }
        }
    }

    private static func line(
        _ work: EmbeddingEstimate, _ namespace: Namespace, isOfService: Bool
    ) -> String {
        let how =
            work.dollars > 0
            ? ", for about \(Terminal.decimals(work.dollars, 2)) dollars"
            : !isOfService
                ? ", in this process" : work.passages > 0 ? ", by a service, at no price that is known" : ""
        let media =
            work.attachments > 0
            ? "; besides, \(Terminal.counted(work.attachments, "attachment"))"
            : ""
        return
            "\(namespace): \(Terminal.counted(work.passages, "passage")) of \(Terminal.bytes(work.bytes)) to be embedded in "
            + work.space.name + how + media
    }

    private func show(_ done: EmbeddingProgress, _ namespace: Namespace, _ waiting: [WaitingAttachments]) {
        guard !store.json else {
            return Terminal.printObject { json in
                json.member("added", done.added)
                json.member("obsolete", done.obsolete)
                json.member("skipped", done.skipped)
                json.list("waiting", waiting) { $0.write($1) }
            }
        }
        Terminal.print(
            "\(namespace): \(Terminal.counted(done.added, "vector")) added"
                + (done.skipped > 0
                    ? ", \(Terminal.grouped(done.skipped)) \(done.skipped == 1 ? "passage has" : "passages have") no vector: nothing to embed, or refused"
                    : ""))
        for one in waiting { Terminal.note(one.line(namespace)) }
    }
}

extension WaitingAttachments {
    /// Why none gets a vector now, and the way out.
    fileprivate var words: String {
        reason
            ?? "nothing is named that makes them: say "
            + ServiceSettings.services(of: modality).map { "--media \($0.rawValue)" }.joined(
                separator: " or ")
    }

    fileprivate func line(_ namespace: Namespace) -> String {
        "\(namespace): \(Terminal.counted(count, "attached \(modality.rawValue)")) "
            + (count == 1 ? "waits for its vector" : "wait for their vectors")
            + (space.map { " in \(Visible.line($0.name))" } ?? "") + ": \(words)"
    }
}

extension JSONWriter {
    fileprivate mutating func write(_ waiting: WaitingAttachments) {
        beginObject()
        member("kind", waiting.modality.rawValue)
        member("space", waiting.space?.name)
        member("attachments", waiting.count)
        member("reason", waiting.words)
        endObject()
    }
}
