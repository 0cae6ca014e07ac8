import Store

/// Versions whose words have been read, and whose edges are to be made.
///
/// Edges that follow from words are made by the indexer, after the commit of the words: they touch a page here and
/// there for every name, which would cost a `remember` more than all else. Reading the words takes a snapshot and
/// no lock; making the edges is one short transaction. Whoever walks the graph has the rest made first
/// (`Home.finishEdges`), so nobody sees a memory without its edges.
struct EdgeBatch: Sendable {
    /// What is read of one version.
    struct Entry: Sendable {
        var row: UInt64
        var version: UInt32
        var recordedFrom: Int64
        var references: [Reference]
        /// The names by which others may cite it (`References.names`).
        var names: [String]
    }

    /// Versions of a batch: their edges are made in one transaction, some milliseconds long.
    static let versionCount = 128

    /// From the watermark to where the next batch begins.
    let passages: Range<UInt32>
    let entries: [Entry]

    /// Reads the next versions; `nil` when there are none.
    init?(_ state: HomeState, in transaction: borrowing ReadTransaction) throws {
        guard state.derivedPassages < state.nextPassage else { return nil }
        var passage = state.derivedPassages
        var entries: [Entry] = []
        while passage < state.nextPassage, entries.count < Self.versionCount {
            guard let (row, version) = try PassageReader.version(of: passage, state, in: transaction),
                let record = try VersionRecord.read(row, version, in: transaction)
            else {
                // It was forgotten.
                passage += 1
                continue
            }
            let count = min(Int(record.contentByteCount), Extraction.maximumByteCount)
            let content = try record.content(row, version, 0..<count, in: transaction)
            entries.append(
                Entry(
                    row: row, version: version, recordedFrom: record.recordedFrom,
                    references: Extraction.references(in: content, record.fields),
                    names: References.names(of: content, record.fields)))
            passage = max(passage + 1, record.firstPassage + record.passageCount)
        }
        passages = state.derivedPassages..<min(passage, state.nextPassage)
        self.entries = entries
    }

    /// Makes the edges, unless somebody else did.
    func commit(in transaction: borrowing WriteTransaction) throws {
        let state = try HomeState.read(in: transaction.snapshot)
        guard state.derivedPassages == passages.lowerBound else { return }
        var applier = Applier(deriving: state)
        try applier.derive(self, in: transaction)
        try applier.state.write(in: transaction)
    }
}
