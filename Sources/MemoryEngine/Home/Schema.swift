import Store

/// The tables of a home's file, and the prefix bytes of those that share one.
///
/// `docs/file-format.md` gives every key and value by its bytes. Small tables share one, and so does what every commit
/// appends to, so that the file of a home with ten memories stays small, and a `remember` touches few pages.
package enum Schema {
    /// The version of the file format that this program writes, and the newest that it reads.
    package static let formatVersion: UInt16 = 7
    package static let magic: [UInt8] = Array("LOCIHOME".utf8)
    /// The version of the code that derives words and filter terms; a file with another is rebuilt on opening.
    package static let wordsVersion: UInt16 = 3
    /// The version of the code that derives edges; a file with another is rebuilt on opening.
    package static let graphVersion: UInt16 = 2

    package static let shared = Table(name: "shared", index: 0)
    package static let memory = Table(name: "memory", index: 1)
    package static let passage = Table(name: "passage", index: 2)
    package static let vector = Table(name: "vector", index: 3)
    package static let word = Table(name: "word", index: 4)
    package static let edge = Table(name: "edge", index: 5)
    /// Empty: the change log stands in `passage` since format 5.
    package static let change = Table(name: "change", index: 6)
    package static let attachment = Table(name: "attachment", index: 7)
    /// Short codes and links of the vector index; written by the indexer once a home has a graph.
    package static let code = Table(name: "code", index: 8)
    package static let link = Table(name: "link", index: 9)

    package static let all = [shared, memory, passage, vector, word, edge, change, attachment, code, link]

    /// Prefixes in `shared`.
    package enum Shared: UInt8, CaseIterable {
        case header = 0x01
        case setting = 0x03
        case sample = 0x05
        /// Class and string of an interned name → its number.
        case name = 0x10
        /// Number → class and string.
        case nameOfNumber = 0x11
        case entityAlias = 0x12
        case edgeKind = 0x13
        case rowOfMemory = 0x20
        case memoryByKey = 0x21
        case memoryByTime = 0x22
        case memoryByTurn = 0x23
        case memoryByExpiry = 0x24
        /// First line of a commit, hashed → row.
        case memoryBySubject = 0x25
        /// Block → operation ids (`Operations`).
        case operation = 0x30
        case attachment = 0x40
        case receipt = 0x50
        /// Homes whose receipts may cite memories of this one.
        case citedBy = 0x51
        /// Homes whose memories the receipts of this one may cite.
        case cites = 0x52
        case task = 0x60
        /// Name of a vector set → its id (`VectorSetSchema`).
        case vectorSet = 0x70

        package var key: Key { Key(prefix: rawValue) }
    }

    /// Prefixes in `passage`.
    enum Passage {
        static let column: UInt8 = 0x01
        static let tail: UInt8 = 0x02
        /// Id of a memory whose entries in `shared` the indexer has still to make → row.
        static let youngRow: UInt8 = 0x03
        /// The counters of the home, behind the young rows: a commit writes that page anyway.
        static let state: UInt8 = 0x04
        /// What the indexer has still to fold into segments of `vector`.
        static let vectorTail: UInt8 = 0x05
        /// The change log, last, so that it is appended.
        static let change: UInt8 = 0x06
    }

    /// Prefixes in `word`.
    enum Word {
        static let term: UInt8 = 0x01
        static let posting: UInt8 = 0x02
        /// Space and word → its vector (`TermVectors`).
        static let termVector: UInt8 = 0x03
        /// Space and word → the words nearest to it (`SynonymLists`).
        static let synonyms: UInt8 = 0x04
    }

    /// Prefixes in `edge`.
    enum Edge {
        static let record: UInt8 = 0x01
        static let out: UInt8 = 0x02
        static let into: UInt8 = 0x03
        /// Edge id → number.
        static let numberOfID: UInt8 = 0x04
        static let derivedOut: UInt8 = 0x05
        static let derivedInto: UInt8 = 0x06
        /// What memories cite by name, whether it is there or not (`References`).
        static let reference: UInt8 = 0x07
        /// Memory → edges whose evidence cites it.
        static let evidence: UInt8 = 0x08
    }

    // MARK: Keys

    static func head(_ row: UInt64) -> Key { Key().u64(row).u32(0).u32(0) }
    static func version(_ row: UInt64, _ version: UInt32) -> Key { Key().u64(row).u32(version).u32(0) }
    /// Page `page`, from 1, of the content of a version.
    static func content(_ row: UInt64, _ version: UInt32, page: UInt32) -> Key {
        Key().u64(row).u32(version).u32(page)
    }
    static func rowOfMemory(_ id: MemoryID) -> Key { Shared.rowOfMemory.key.u128(id.rawValue) }
    static func youngRow(_ id: MemoryID) -> Key { Key(prefix: Passage.youngRow).u128(id.rawValue) }
    static func memoryByKey(session: UInt32, _ key: String) -> Key {
        Shared.memoryByKey.key.u32(session).raw(key.utf8)
    }
    static func memoryByTime(_ time: Int64, _ row: UInt64) -> Key {
        Shared.memoryByTime.key.i64(time).u64(row)
    }
    static func memoryByExpiry(_ time: Int64, _ row: UInt64) -> Key {
        Shared.memoryByExpiry.key.i64(time).u64(row)
    }
    static func memoryByTurn(_ series: UInt32, _ turn: UInt32) -> Key {
        Shared.memoryByTurn.key.u32(series).u32(turn)
    }
    static let state = Key(prefix: Passage.state)
    /// Beside the counters, because a commit with vectors counts them here.
    static func space(_ number: UInt16) -> Key { state.u16(number) }
    static func tail(_ passage: UInt32) -> Key { Key(prefix: Passage.tail).u32(passage) }
    static let changes = Key(prefix: Passage.change)
    static func change(_ sequence: UInt64, part: UInt16) -> Key { changes.u64(sequence).u16(part) }
}

/// The first record of a file: what it is, and what wrote it.
package struct HomeHeader: Equatable, Sendable {
    package var formatVersion = Schema.formatVersion
    /// The version of the program that made the file.
    package var program = Loci.version
    /// Bits of features that a reader must know.
    package var features: UInt64 = 0
    /// The home holds vector sets, and no memories.
    package static let vectorSets: UInt64 = 1
    package var namespace: String
    package var created: Timestamp
    /// The longest passage in bytes; content is split by it once, when it is written.
    package var passageByteCount: UInt32

    package func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.raw(Schema.magic)
        writer.u16(formatVersion)
        writer.u64(features)
        writer.string(program)
        writer.string(namespace)
        writer.i64(created.microseconds)
        writer.u32(passageByteCount)
        return writer.bytes
    }

    package init(namespace: String, created: Timestamp, passageByteCount: UInt32) {
        self.namespace = namespace
        self.created = created
        self.passageByteCount = passageByteCount
    }

    package init(decoding bytes: RawSpan, of ladder: FormatLadder = .current) throws {
        var reader = ByteReader(bytes)
        guard try reader.raw(Schema.magic.count) == Schema.magic else {
            throw StoreError(.foreign, "the file is not a home of Loci")
        }
        formatVersion = try reader.u16()
        let known = ladder.known
        guard formatVersion <= known.upperBound else {
            throw StoreError(
                .foreign,
                "the file has format \(formatVersion); this program (\(Loci.version)) reads up to "
                    + "\(known.upperBound): use a newer one")
        }
        guard formatVersion >= known.lowerBound else {
            throw StoreError(
                .foreign,
                "the file has format \(formatVersion); this program (\(Loci.version)) reads from "
                    + "\(known.lowerBound) on: open it with an older one first")
        }
        features = try reader.u64()
        guard features & ~Self.vectorSets == 0 else {
            throw StoreError(
                .foreign, "the file uses features (\(features)) of a newer program than \(Loci.version)")
        }
        program = try reader.string()
        namespace = try reader.string()
        created = Timestamp(microseconds: try reader.i64())
        passageByteCount = try reader.u32()
        guard (64...1 << 20).contains(passageByteCount) else {
            throw StoreError(.corrupted, "the header gives passages of \(passageByteCount) bytes")
        }
        try reader.finish()
    }
}

/// This program.
public enum Loci {
    public static let version = "0.1.0"
}

/// The counters of a home, one record, written by every mutation.
package struct HomeState: Equatable, Sendable {
    package var sequence: UInt64 = 0
    package var nextRow: UInt64 = 1
    package var nextPassage: UInt32 = 0
    /// Passages below it are in columns and postings; those from it on are in the tail.
    package var foldedPassages: UInt32 = 0
    /// The edges that follow from the words of passages below it have been made.
    package var derivedPassages: UInt32 = 0
    package var nextName: UInt32 = 1
    package var nextTerm: UInt32 = 1
    package var nextEdge: UInt64 = 1
    package var nextSpace: UInt16 = 1
    package var wordsVersion = Schema.wordsVersion
    package var graphVersion = Schema.graphVersion
    /// Entities that the engine made of names; they are among the memories.
    package var entityCount: UInt64 = 0
    package var memoryCount: UInt64 = 0
    package var versionCount: UInt64 = 0
    /// Passages of current versions, and the sum of their lengths in terms: the statistics of BM25.
    package var currentPassages: UInt64 = 0
    package var currentLength: UInt64 = 0
    package var receiptCount: UInt64 = 0
    /// The last sequence that was trimmed from the change log.
    package var trimmedSequence: UInt64 = 0
    /// Whether any passage ever had an expiry, or a validity with bounds: recalls look at those columns only then.
    package var hasExpiry = false
    package var hasValidity = false

    package init() {}

    package func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.u64(sequence)
        writer.u64(nextRow)
        writer.u32(nextPassage)
        writer.u32(foldedPassages)
        writer.u32(nextName)
        writer.u32(nextTerm)
        writer.u64(nextEdge)
        writer.u16(nextSpace)
        writer.u16(wordsVersion)
        writer.u64(memoryCount)
        writer.u64(versionCount)
        writer.u64(currentPassages)
        writer.u64(currentLength)
        writer.u64(receiptCount)
        writer.u64(trimmedSequence)
        writer.bool(hasExpiry)
        writer.bool(hasValidity)
        writer.u16(graphVersion)
        writer.u64(entityCount)
        writer.u32(derivedPassages)
        return writer.bytes
    }

    package init(decoding bytes: RawSpan) throws {
        var reader = ByteReader(bytes)
        sequence = try reader.u64()
        nextRow = try reader.u64()
        nextPassage = try reader.u32()
        foldedPassages = try reader.u32()
        nextName = try reader.u32()
        nextTerm = try reader.u32()
        nextEdge = try reader.u64()
        nextSpace = try reader.u16()
        wordsVersion = try reader.u16()
        memoryCount = try reader.u64()
        versionCount = try reader.u64()
        currentPassages = try reader.u64()
        currentLength = try reader.u64()
        receiptCount = try reader.u64()
        trimmedSequence = try reader.u64()
        hasExpiry = try reader.bool()
        hasValidity = try reader.bool()
        graphVersion = try reader.u16()
        entityCount = try reader.u64()
        derivedPassages = try reader.u32()
        try reader.finish()
        guard foldedPassages <= nextPassage, derivedPassages <= nextPassage,
            currentPassages <= UInt64(nextPassage)
        else {
            throw StoreError(.corrupted, "the counters of the home contradict each other")
        }
    }

    package static func read(in transaction: borrowing ReadTransaction) throws -> HomeState {
        guard let bytes = try Schema.passage.get(Schema.state, in: transaction) else {
            return HomeState()
        }
        return try HomeState(decoding: bytes)
    }

    package func write(in transaction: borrowing WriteTransaction) throws {
        try Schema.passage.put(Schema.state, encode(), in: transaction)
    }
}
