import Store

/// A current memory as the slow path reads it.
struct StudiedMemory: Sendable, Equatable {
    var id: MemoryID
    var version: UInt32
    /// Its first passage. What was written later has a greater one.
    var passage: UInt32
    var kind: MemoryKind
    var actor: String?
    var session: String?
    var thread: String?
    /// The number of its thread or, without one, of its session; 0 = none. And its place in it.
    var series: UInt32 = 0
    var turn: UInt32 = 0
    var happened: Range<Int64>
    var valid: Range<Int64> = Int64.min..<Int64.max
    /// `max` = never.
    var expires = Int64.max
    var isPinned = false
    var trust = Trust.known
    var tags: [String] = []
    var keywords: [String] = []
    var attributes: [String: AttributeValue] = [:]
    /// The beginning of its words.
    var content: [UInt8]

    /// How much of a content is looked at.
    static let maximumByteCount = 16 << 10

    /// A place in it, as evidence.
    func evidence(_ range: Range<Int>) -> Evidence {
        Evidence(id: id, version: version, range: UInt64(range.lowerBound)..<UInt64(range.upperBound))
    }

    /// All of what was looked at, as evidence.
    var evidence: Evidence { evidence(content.indices) }
}

/// What the steps of a consolidation look at: the current memories of a home, the oldest first. What the engine itself made
/// (entities, summaries) is not among them.
struct HomeStudy: Sendable {
    var memories: [StudiedMemory] = []
    /// Passages below it have been read.
    var nextPassage: UInt32 = 0

    /// The memories that were written since a step last looked.
    func fresh(from mark: UInt32) -> ArraySlice<StudiedMemory> {
        memories[(memories.firstIndex { $0.passage >= mark } ?? memories.endIndex)...]
    }
}

extension HomeStudy {
    /// Passages that are read in one snapshot: some tens of milliseconds.
    private static let passagesPerPage: UInt32 = 4_096

    /// Adds the next memories. Returns whether there are more.
    ///
    /// - Parameter end: passages from here on are left to another study.
    mutating func readPage(
        until end: UInt32, now: Timestamp, in transaction: borrowing ReadTransaction
    ) throws -> Bool {
        let view = try HomeView(in: transaction)
        let last = min(end, UInt32(view.capacity))
        let upper = min(last, nextPassage + Self.passagesPerPage)
        guard nextPassage < upper else { return false }
        let evaluation = FilterEvaluation(view: view)
        var current = try evaluation.newest(notExpiredAt: now, in: transaction)
        current.formIntersection(try evaluation.flagged(.current, in: transaction))
        let passages = (nextPassage..<upper).filter { current.contains($0) }
        let parts = try view.values(.part, of: passages, in: transaction) { UInt64($0.part) }
        let rows = try view.values(.row, of: passages, in: transaction) { $0.row }
        for (index, passage) in passages.enumerated() where parts[index] == 0 {
            guard let head = try HeadRecord.read(rows[index], in: transaction),
                let record = try VersionRecord.read(rows[index], head.version, in: transaction)
            else { throw StoreError(.corrupted, "passage \(passage) belongs to no memory") }
            guard record.isCurrent, record.firstPassage == passage, !record.fields.isOwn else { continue }
            let fields = record.fields
            let count = min(Int(record.contentByteCount), StudiedMemory.maximumByteCount)
            memories.append(
                StudiedMemory(
                    id: head.id, version: head.version, passage: passage,
                    kind: MemoryKind(rawValue: fields.kind), actor: fields.actor, session: fields.session,
                    thread: fields.thread, series: head.series, turn: head.turn, happened: fields.happened,
                    valid: fields.valid, expires: fields.expires, isPinned: fields.isPinned,
                    trust: fields.origin.trust, tags: fields.tags,
                    keywords: fields.keywords, attributes: fields.attributes,
                    content: try record.content(rows[index], head.version, 0..<count, in: transaction)))
        }
        nextPassage = upper
        return upper < last
    }
}

extension VersionFields {
    /// Whether the engine itself made it.
    var isOwn: Bool { entityName != nil || isConcluded }

    /// Whether consolidation made it: the summary of an episode, or a fact that a reasoner read from a memory.
    var isConcluded: Bool { isEpisode || isNotedFact }

    var isNotedFact: Bool {
        kind == MemoryKind.fact.rawValue && Derivation.read(origin)?.step == .notes
    }

    /// Whether it is the summary of an episode, which consolidation made.
    var isEpisode: Bool {
        kind == MemoryKind.summary.rawValue && Derivation.read(origin)?.step == .episodes
    }
}

/// How far a step has looked at a home, as a setting of it: the version of the step's rules, and the first passage that it has
/// not looked at. With other rules it looks at all of it again.
struct ConsolidationMark: Equatable, Sendable {
    var rules: Int
    var passage: UInt32

    static func name(_ step: ConsolidationStep) -> String { "consolidated.\(step.rawValue)" }

    var value: String { "\(rules) \(passage)" }

    /// The first passage that a step has to look at.
    static func passage(
        of step: ConsolidationStep, rules: Int, in transaction: borrowing ReadTransaction
    ) throws -> UInt32 {
        let words = try Settings.value(name(step), in: transaction)?.split(separator: " ") ?? []
        let state = try HomeState.read(in: transaction)
        guard words.count == 2, Int(words[0]) == rules, let passage = UInt32(words[1]),
            passage <= state.nextPassage
        else { return 0 }
        return passage
    }
}
