import Foundation
import HNSW
import Store

/// What a look over a home's file found.
public struct CheckReport: Sendable, Equatable {
    /// In words; empty = all is well.
    public var problems: [String] = []
    public var pages = 0
    public var entries = 0
    public var memories = 0
    /// Entities that the engine made of names; not counted among the memories.
    public var entities = 0
    public var passages = 0
    public var vectors = 0
    /// What the file is and how far it has come, if it could be read.
    var home = ""
    var sequence: UInt64 = 0
    var versions: UInt64 = 0
    /// The format of the file where it is an older one: then nothing else was looked at but pages and checksums.
    var olderFormat: UInt16?
}

extension Engine {
    /// Looks over a home: first the pages of its file, read by ourselves because a damaged one can stop
    /// LMDB; then the checksum of every value; then every record and what it refers to.
    ///
    /// - Throws: `EngineError`: `notFound`, `io`. What is wrong with the file is in the report.
    /// - Complexity: O(file).
    public func check(
        in namespace: Namespace, progress: (@Sendable (Int, Int) -> Void)? = nil
    ) async throws -> CheckReport {
        try checkHome(namespace)
        let file = filePath(of: namespace.home)
        guard fileSize(file) ?? 0 > 0 else {
            throw EngineError(.notFound, "there is no home \(namespace.home)")
        }
        // Opened as the engine opens it, so that a call beside the check finds it open in its own way.
        return try await check(file: file, environmentOptions(of: namespace.home), progress: progress)
    }

    /// Looks over any file; by default one that nobody writes to.
    func check(
        file: String, _ given: Environment.Options? = nil, progress: (@Sendable (Int, Int) -> Void)? = nil
    ) async throws -> CheckReport {
        var options = Environment.Options()
        options.isReadOnly = true
        options.isUnshared = Self.isUnshared(file)
        options.mapSizeBytes = self.options.quotaBytes
        let environmentOptions = given ?? options
        return try await readers.run {
            var report = CheckReport()
            do {
                report.problems = try FileCheck.quick(path: file)
                guard report.problems.isEmpty else { return report }
                // Pages are reused by writers unless a snapshot holds them, so one is held; but a file that is
                // damaged must not reach LMDB, so its pages are looked at once before.
                let pages = try Self.walkPages(file, progress)
                report.problems = pages.problems
                let isBusy = pages.isBusy || Environment.isOpen(path: file)
                guard report.problems.isEmpty || isBusy else { return report }
                let environment = try Environment.open(
                    path: file, tables: Schema.all, options: environmentOptions)
                defer { environment.close() }
                report = try environment.read(isBounded: false) { transaction in
                    if isBusy {
                        report.problems = try FileCheck.full(path: file).problems
                        guard report.problems.isEmpty else { return report }
                    }
                    report.pages = pages.pageCount
                    var check = HomeCheck(report: report)
                    try check.run(in: transaction)
                    return check.report
                }
            } catch let error as StoreError where error.code == .missing {
                // Begun, and never written: it holds nothing, and the next writer completes it.
            } catch let error as StoreError where error.code == .corrupted || error.code == .foreign {
                report.problems.append(error.message)
            } catch let error as StoreError {
                throw EngineError(error)
            }
            return report
        }
    }
}

extension Engine {
    /// Walks the pages of a file. A writer may use pages anew meanwhile, which looks like damage: then the walk
    /// is repeated, and the file is called busy when it never stood still.
    private static func walkPages(
        _ file: String, _ progress: (@Sendable (Int, Int) -> Void)?
    ) throws -> (problems: [String], pageCount: Int, isBusy: Bool) {
        var report = try FileCheck.full(path: file, progress: progress)
        for _ in 0..<5 where !report.problems.isEmpty {
            let again = try FileCheck.full(path: file)
            if again.lastTransaction == report.lastTransaction {
                return (again.problems, again.pageCount, false)
            }
            report = again
        }
        return (report.problems, report.pageCount, !report.problems.isEmpty)
    }
}

/// Looks over the tables of a home: checksums, records, and what they refer to.
struct HomeCheck {
    static let maximumProblems = 100
    var report: CheckReport

    mutating func note(_ problem: @autoclosure () -> String) {
        if report.problems.count < Self.maximumProblems { report.problems.append(problem()) }
    }

    mutating func run(in transaction: borrowing ReadTransaction) throws {
        for table in Schema.all { try checksums(of: table, in: transaction) }
        guard report.problems.isEmpty else { return }
        guard let header = try Schema.shared.get(Schema.Shared.header.key, in: transaction) else {
            // As a crash leaves it between the two commits that make a home.
            if report.entries > 0 { note("the home has no header") }
            return
        }
        let found = try HomeHeader(decoding: header)
        guard found.formatVersion == Schema.formatVersion else {
            report.olderFormat = found.formatVersion
            note(
                "the home has format \(found.formatVersion); open it for writing once, which brings it to the newest"
            )
            return
        }
        report.home = found.namespace
        if found.features & HomeHeader.vectorSets != 0 {
            var check = VectorSetCheck()
            try check.run(in: transaction)
            report.problems += check.problems
            report.vectors = check.vectorCount
            return
        }
        let view = try HomeView(in: transaction)
        report.sequence = view.state.sequence
        report.versions = view.state.versionCount - view.state.entityCount
        var owners = [UInt64](repeating: 0, count: view.capacity)
        try memories(view, &owners, in: transaction)
        try passages(view, owners, in: transaction)
        try words(view, in: transaction)
        try synonyms(view, in: transaction)
        try vectors(view, in: transaction)
        try lookups(in: transaction)
        try receipts(view.state, in: transaction)
        try edges(in: transaction)
        try log(view.state, in: transaction)
    }

    private mutating func checksums(of table: Table, in transaction: borrowing ReadTransaction) throws {
        var found: [String] = []
        var count = 0
        try table.withCursor(in: transaction) { cursor in
            var isThere = try cursor.seek(Key())
            while isThere {
                count += 1
                do {
                    try cursor.verify()
                } catch let error as StoreError {
                    found.append(error.message)
                    if found.count >= Self.maximumProblems { return }
                }
                isThere = try cursor.next()
            }
        }
        report.entries += count
        for problem in found { note(problem) }
    }

    /// Heads, versions and contents; notes which memory each passage belongs to.
    private mutating func memories(
        _ view: HomeView, _ owners: inout [UInt64], in transaction: borrowing ReadTransaction
    ) throws {
        var rows: [UInt64] = []
        var versions: [(row: UInt64, number: UInt32)] = []
        try Schema.memory.scan(prefix: Key(), in: transaction) { key, _ in
            guard key.byteCount == 16 else { throw StoreError(.corrupted, "a key of a memory is not one") }
            let number = key.keyU32(at: 8)
            if number == 0 {
                rows.append(key.keyU64(at: 0))
            } else if key.keyU32(at: 12) == 0 {
                versions.append((key.keyU64(at: 0), number))
            }
            return true
        }
        report.memories = rows.count - Int(view.state.entityCount)
        report.entities = Int(view.state.entityCount)
        if UInt64(rows.count) != view.state.memoryCount {
            note("there are \(rows.count) memories, the counter says \(view.state.memoryCount)")
        }
        if UInt64(versions.count) != view.state.versionCount {
            note("there are \(versions.count) versions, the counter says \(view.state.versionCount)")
        }
        for row in rows {
            guard let head = try HeadRecord.read(row, in: transaction) else { continue }
            if try Lookup.row(of: head.id, in: transaction) != row {
                note("memory \(head.id) is not found by its id")
            }
            guard let newest = try VersionRecord.read(row, head.version, in: transaction) else {
                note("memory \(head.id) lacks its newest version \(head.version)")
                continue
            }
            if newest.firstPassage != head.firstPassage || newest.passageCount != head.passageCount {
                note("the head of memory \(head.id) names other passages than its newest version")
            }
            // The indexer makes the entries of what it reads.
            let time = Schema.memoryByTime(newest.fields.happened.lowerBound, row)
            if try newest.recordedUntil == .max && newest.passageCount > 0
                && newest.firstPassage < view.state.derivedPassages
                && !Schema.shared.contains(time, in: transaction)
            {
                note("memory \(head.id) is not found by its time")
            }
            if let key = head.key,
                try Lookup.row(ofKey: key, session: head.keySession, in: transaction) != row
            {
                note("memory \(head.id) is not found by its key")
            }
        }
        for (row, number) in versions {
            guard let record = try VersionRecord.read(row, number, in: transaction) else { continue }
            let content = try record.content(row, number, in: transaction)
            if String(validating: content, as: UTF8.self) == nil {
                note("version \(number) of row \(row) is not UTF-8")
            }
            guard Int(record.firstPassage) + record.ranges.count <= owners.count else {
                note("version \(number) of row \(row) names passages that are not there")
                continue
            }
            for (part, range) in record.ranges.enumerated() {
                if range.upperBound > content.count {
                    note("a passage of row \(row) lies outside of its content")
                }
                if owners[Int(record.firstPassage) + part] != 0 { note("a passage belongs to two versions") }
                owners[Int(record.firstPassage) + part] = row
            }
            for attachment in record.fields.attachments where attachment.address == nil {
                let bytes = try? Engine.attachmentBytes(
                    attachment.digest, 0..<attachment.byteCount, in: transaction)
                if bytes.map({ SHA256.digest(of: $0) }) != attachment.digest {
                    note("attachment `\(attachment.name)` of row \(row) is missing or damaged")
                }
            }
        }
    }

    /// Columns and tail against the versions, and the statistics of words.
    private mutating func passages(
        _ view: HomeView, _ owners: [UInt64], in transaction: borrowing ReadTransaction
    ) throws {
        var current: UInt64 = 0
        var length: UInt64 = 0
        var tail: [UInt32: PassageRow] = [:]
        for entry in view.tail { tail[entry.passage] = entry.front.row }
        for passage in 0..<UInt32(view.capacity) {
            let row =
                passage < view.state.foldedPassages
                ? try Columns.row(passage, in: transaction) : tail[passage] ?? .erased
            let owner = owners[Int(passage)]
            if row.flags.contains(.erased) {
                if owner != 0 { note("passage \(passage) of row \(owner) is gone") }
                continue
            }
            report.passages += 1
            guard row.row == owner else {
                note("passage \(passage) says that it belongs to row \(row.row), its memory is row \(owner)")
                continue
            }
            guard let record = try VersionRecord.read(row.row, row.version, in: transaction) else {
                note(
                    "passage \(passage) belongs to version \(row.version) of row \(owner), which is not there"
                )
                continue
            }
            let isCurrent = row.flags.contains(.current)
            let isOwn = record.fields.isConcluded
            if isCurrent != (record.isCurrent && !isOwn) || row.flags.contains(.own) != isOwn
                || row.flags.contains(.currentOwn) != (record.isCurrent && isOwn)
                || row.recordedUntil != record.recordedUntil
                || row.validUntil != record.fields.valid.upperBound
            {
                note("passage \(passage) and its version say different things")
            }
            if isCurrent {
                current += 1
                length += UInt64(row.length)
            }
        }
        if current != view.state.currentPassages || length != view.state.currentLength {
            note(
                "the statistics of words are wrong: \(current) passages of \(length) terms, the counters say "
                    + "\(view.state.currentPassages) and \(view.state.currentLength); run `loci rebuild`")
        }
    }

    /// What is known of words: of such that some passage holds, by spaces that are there.
    private mutating func synonyms(_ view: HomeView, in transaction: borrowing ReadTransaction) throws {
        guard try SynonymLists.areThere(in: transaction) else { return }
        var known = 0
        for space in view.spaces.map(\.space) {
            let words = try TermVectors(space).all(in: transaction).terms
            let all = Set(words)
            known += words.count
            for word in all.subtracting(try SynonymLists.held(all, view.state, in: transaction)) {
                note(
                    "a vector of the word `\(String(decoding: word, as: UTF8.self))` is there, and no passage with it"
                )
            }
            for (word, list) in try SynonymLists(space).all(in: transaction) {
                known += 1
                if !all.contains(word) || list.contains(where: { !all.contains($0.term) }) {
                    note(
                        "synonyms of `\(String(decoding: word, as: UTF8.self))` name words that have no vector"
                    )
                }
            }
        }
        var count = 0
        for kind in [Schema.Word.termVector, Schema.Word.synonyms] {
            try Schema.word.scan(prefix: Key(prefix: kind), in: transaction) { _, _ in
                count += 1
                return true
            }
        }
        if count != known { note("there are vectors or synonyms of words by a space that is not there") }
    }

    /// Postings: ascending, within the folded passages, of terms that are in the dictionary.
    private mutating func words(_ view: HomeView, in transaction: borrowing ReadTransaction) throws {
        var numbers = Set<UInt32>()
        try Schema.word.scan(prefix: Key(prefix: Schema.Word.term), in: transaction) { _, value in
            guard value.byteCount == 4 else {
                throw StoreError(.corrupted, "the number of a term is not one")
            }
            if !numbers.insert(value.u32(at: 0)).inserted {
                throw StoreError(
                    .corrupted, "two terms have the number \(value.u32(at: 0)); run `loci rebuild`")
            }
            return true
        }
        var found: [String] = []
        var lastTerm: UInt32?
        var lastPassage: UInt32?
        var seen = Set<UInt32>()
        try Schema.word.scan(prefix: Key(prefix: Schema.Word.posting), in: transaction) { key, value in
            let block = try PostingBlock(key: key, value)
            let term = key.keyU32(at: 1)
            if term != lastTerm { lastPassage = nil }
            lastTerm = term
            seen.insert(term)
            if block.passage(at: 0) != key.keyU32(at: 5) {
                found.append("a block of term \(term) has a wrong key")
            }
            for index in 0..<block.count {
                let passage = block.passage(at: index)
                if let last = lastPassage, passage <= last {
                    found.append("the postings of term \(term) do not ascend")
                }
                if passage >= view.state.foldedPassages || block.frequency(at: index) == 0 {
                    found.append("a posting of term \(term) names passage \(passage), which is not there")
                }
                lastPassage = passage
            }
            return found.count < Self.maximumProblems
        }
        if seen != numbers {
            found.append("the dictionary of terms and the postings disagree; run `loci rebuild`")
        }
        for problem in found { note(problem) }
    }

    /// Slots and passages name each other, and nothing that was forgotten has a vector.
    private mutating func vectors(_ view: HomeView, in transaction: borrowing ReadTransaction) throws {
        let present = try FilterEvaluation(view: view).present(in: transaction)
        for space in try SpaceRecord.all(in: transaction) where space.stage != .leaving {
            var found: [String] = []
            var count: UInt32 = 0
            try space.segments.forEachPassage(space.extent, in: transaction) { slot, passage in
                count += 1
                guard passage < view.capacity, present.contains(passage),
                    try PassageReader.slot(passage, space.number, view.state, in: transaction) == slot
                else {
                    if found.count < Self.maximumProblems {
                        found.append("slot \(slot) of \(space.space.name) and passage \(passage) disagree")
                    }
                    return
                }
            }
            var slots: UInt32 = 0
            try Columns.forEachBlock(
                .slot(space.number), below: view.state.foldedPassages, in: transaction
            ) { _, bytes in
                for index in 0..<Column.slot(space.number).rowsPerBlock where bytes.u32(at: index * 4) != .max
                {
                    slots += 1
                }
            }
            for entry in view.tail {
                slots += UInt32(entry.front.slots.count { $0.space == space.number })
            }
            for problem in try HNSWIndex(table: Schema.link, segments: space.segments)
                .validate(space.extent, in: transaction)
            {
                found.append("the index of \(space.space.name): \(problem); run `loci rebuild`")
            }
            if slots != count {
                found.append("\(slots) passages have a vector in \(space.space.name), there are \(count)")
            }
            if space.nextSlot - count != space.erasedSlots {
                found.append(
                    "\(space.erasedSlots) slots of \(space.space.name) are counted as erased, and "
                        + "\(space.nextSlot - count) are; run `loci rebuild`")
            }
            for problem in found { note(problem) }
            if space.stage == .open { report.vectors += Int(count) }
        }
    }

    /// Every id, key, time and turn leads to a memory that is there.
    private mutating func lookups(in transaction: borrowing ReadTransaction) throws {
        var found: [String] = []
        try Lookup.forEachRow(in: transaction) { id, row in
            if try HeadRecord.read(row, in: transaction)?.id != id {
                found.append("the id \(id) leads to a memory that is not there, or to another")
            }
            return found.count < Self.maximumProblems
        }
        for prefix in [Schema.Shared.memoryByKey, .memoryByTurn, .entityAlias] {
            try Schema.shared.scan(prefix: prefix.key, in: transaction) { _, value in
                guard value.byteCount == 8, try HeadRecord.read(value.u64(at: 0), in: transaction) != nil
                else {
                    found.append("an entry of `\(prefix)` leads to a memory that is not there")
                    return found.count < Self.maximumProblems
                }
                return true
            }
        }
        for prefix in [Schema.Shared.memoryByTime, .memoryByExpiry, .memoryBySubject] {
            let length = prefix == .memoryBySubject ? 13 : 17
            try Schema.shared.scan(prefix: prefix.key, in: transaction) { key, _ in
                guard key.byteCount == length,
                    try HeadRecord.read(key.keyU64(at: length - 8), in: transaction) != nil
                else {
                    found.append("an entry of `\(prefix)` leads to a memory that is not there")
                    return found.count < Self.maximumProblems
                }
                return true
            }
        }
        for nameClass in NameClass.allCases {
            for (name, number) in try Names.all(nameClass, in: transaction)
            where try Names.name(of: number, nameClass, in: transaction) != name {
                found.append("name \(number) has two spellings")
            }
        }
        for problem in found { note(problem) }
    }

    private mutating func receipts(_ state: HomeState, in transaction: borrowing ReadTransaction) throws {
        var count: UInt64 = 0
        try Schema.shared.scan(prefix: Schema.Shared.receipt.key, in: transaction) { key, value in
            var reader = ByteReader(value)
            let receipt = try Receipt(from: &reader)
            guard key.byteCount == 17, key.keyU128(at: 1) == receipt.recall.rawValue else {
                throw StoreError(.corrupted, "a receipt lies under another recall than its own")
            }
            count += 1
            return true
        }
        if count != state.receiptCount {
            note("there are \(count) receipts, the counter says \(state.receiptCount)")
        }
    }

    /// The change log has no gap above what was trimmed.
    private mutating func log(_ state: HomeState, in transaction: borrowing ReadTransaction) throws {
        var expected = state.trimmedSequence + 1
        var problem: String?
        try Schema.passage.scan(prefix: Schema.changes, in: transaction) { key, value in
            let (sequence, part) = try ChangeLog.place(key)
            if part == 0 {
                if sequence != expected { problem = "the change log has a gap before commit \(sequence)" }
                expected = sequence + 1
            }
            _ = try ChangeLog.decode(sequence, value)
            return problem == nil
        }
        if problem == nil, expected != state.sequence + 1 {
            problem = "the change log ends before commit \(state.sequence)"
        }
        if let problem { note(problem) }
    }
}
