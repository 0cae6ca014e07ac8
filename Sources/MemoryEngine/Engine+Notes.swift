import Store

/// What a language model notes of memories, where consolidation is given one (`Reasoner`).
extension Engine {
    /// Of a memory, the bytes by which others like it are looked for.
    private static let likenessByteCount = 1_000

    func note(
        _ study: HomeStudy, in home: Namespace, by reasoner: any Reasoner, asksAgain: Bool,
        _ result: inout ConsolidationReport,
        _ report: ((ConsolidationProgress) async throws -> Void)?
    ) async throws {
        let rules = NotedWords.rules(for: reasoner.model)
        let last =
            try await read(in: home) { try ConsolidationMark.passage(of: .notes, rules: rules, in: $0) } ?? 0
        let mark = asksAgain ? 0 : last
        guard mark < study.nextPassage else { return }
        let fresh = Array(study.fresh(from: mark))
        // Those that have been noted, so that words added to them are no reason to note them again.
        var noted = Set(study.memories.prefix(study.memories.count - fresh.count).map(\.id))
        for (place, memory) in fresh.enumerated() {
            try Task.checkCancellation()
            noted.insert(memory.id)
            // What was refined is newer, and the same.
            if NotedWords(memory.attributes)?.isOf(memory.content, by: reasoner.model) != true {
                result.found[.notes, default: 0] += try await note(memory, in: home, by: reasoner, noted)
            }
            let next = place + 1 < fresh.count ? fresh[place + 1].passage : study.nextPassage
            // What was asked about before is not asked about once more where this ends early.
            let end = ConsolidationMark(rules: rules, passage: max(last, next))
            _ = try await store([], [.setting(ConsolidationMark.name(.notes), end.value)], in: home)
            try await report?(ConsolidationProgress(step: .notes, done: place + 1, total: fresh.count))
        }
    }

    /// Notes one memory. Returns how much was new.
    private func note(
        _ memory: StudiedMemory, in home: Namespace, by reasoner: any Reasoner, _ noted: Set<MemoryID>
    ) async throws -> Int {
        let others = try await others(like: memory, in: home)
        let given = try await reasoner.note(
            on: ReasonerMemory(memory), beside: others.map { ReasonerMemory($0) })
        let note = CheckedNote(given, on: memory, beside: others, reasoner.model)
        var count = try await store(note.links.map(\.change), [], in: home)
        for fact in note.facts where try await store(fact, of: memory, in: home, reasoner.model) {
            count += 1
        }
        let own = ReasonerNote.Refinement(of: memory.id, keywords: note.keywords, tags: note.tags)
        for refinement in note.refinements + [own] {
            let isNoted = noted.contains(refinement.id)
            if try await refine(refinement, in: home, by: reasoner.model, isNoted: isNoted) { count += 1 }
        }
        return count
    }

    private func others(like memory: StudiedMemory, in home: Namespace) async throws -> [Memory] {
        var query = RecallQuery(
            String(decoding: memory.content.prefix(Self.likenessByteCount), as: UTF8.self), in: home)
        query.channels = [.words, .vectors]
        query.limit = ReasonerNote.maximumOthers + 1
        let found = try await recall(query).hits.map(\.memory).filter { $0.id != memory.id }
        return Array(found.prefix(ReasonerNote.maximumOthers))
    }

    // MARK: Facts

    private func store(
        _ fact: CheckedNote.Fact, of memory: StudiedMemory, in name: Namespace, _ model: String
    ) async throws -> Bool {
        try await withExistingHome(of: name) { try await store(fact, of: memory, model, $0) }
    }

    // Not inlined into the closure that lends the home, like `writeOnce`.
    @inline(never)
    private func store(
        _ fact: CheckedNote.Fact, of memory: StudiedMemory, _ model: String, _ home: Home
    ) async throws -> Bool {
        let draft = fact.draft(of: memory, model)
        let namespace = memory.session.map(home.namespace.session) ?? home.namespace
        // What was taken back stays so.
        if let key = draft.key, try await get(key: key, in: namespace) != nil { return false }
        let preparation = DraftPreparation(
            splitter: PassageSplitter(maximumByteCount: Int(home.header.passageByteCount)),
            principal: VersionFields.entityPrincipal, now: options.clock())
        let id = MemoryID(at: options.clock())
        var versions = [try preparation.prepare(draft, id: id, in: namespace)]
        try await embed(&versions, for: home)
        let source = Derivation(
            step: .notes, kind: .derivedFrom, from: id, to: memory.id, weight: 1,
            says: "was read from it by \(model)", evidence: [fact.evidence])
        var mutation = Mutation(
            at: options.clock(), changes: [.remember(versions[0]), .link(source.edge)])
        mutation.prepare(Analyzer())
        do {
            _ = try await home.apply(mutation)
            return true
        } catch let error as EngineError where error.code == .notFound {
            // The memory was forgotten meanwhile.
            return false
        }
    }

    // MARK: Refinement

    /// Adds words by which a memory is to be found, as a new version of it. Returns false where there are none, and where
    /// somebody changed or forgot the memory meanwhile.
    private func refine(
        _ refinement: ReasonerNote.Refinement, in home: Namespace, by model: String, isNoted: Bool
    ) async throws -> Bool {
        guard let memory = try await get(refinement.id, in: home), memory.isCurrent, !memory.isPinned,
            let noted = NotedWords(adding: refinement, to: memory, by: model, isNoted: isNoted)
        else { return false }
        do {
            try await update(memory.id, in: memory.namespace, expecting: memory.version) {
                noted.add(to: &$0)
            }
            return true
        } catch let error as EngineError
            where [.conflict, .notFound, .invalid, .tooLarge].contains(error.code)
        {
            return false
        }
    }

    /// Takes back the words and facts that reasoners added. Returns of how many memories.
    func takeBackNotes(in namespace: Namespace) async throws -> Int {
        var count = 0
        let filter = Filter.any([
            .hasAttribute(NotedWords.attribute),
            .all([.kind(.fact), .principal(VersionFields.entityPrincipal)]),
        ])
        var cursor: String?
        repeat {
            let page = try await list(in: namespace, filter: filter, after: cursor, limit: 256)
            for memory in page.memories {
                do {
                    if memory.kind == .fact, Derivation.read(memory.origin)?.step == .notes {
                        try await retract(memory.id, in: memory.namespace)
                        count += 1
                    } else if let noted = NotedWords(memory.attributes), !noted.isTakenBack {
                        try await update(memory.id, in: memory.namespace, expecting: memory.version) {
                            noted.remove(from: &$0)
                        }
                        count += 1
                    }
                } catch let error as EngineError where error.code == .notFound || error.code == .conflict {
                    // Somebody else was first.
                }
            }
            cursor = page.next
        } while cursor != nil
        return count
    }
}
