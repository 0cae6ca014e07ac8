import Store

/// The record of an index: how its graph was built, and how far.
///
/// It lies in the table of links under prefix `01` and the number of the space. The graph's one author writes
/// it with each step; a caller who erases a row adds to `notedCount` and `segmentGeneration`, or `tailGeneration`.
package struct IndexState: Equatable, Sendable {
    /// The first byte of the record. Form 2 ends before the generation of the tail, and form 1, of graphs without codes,
    /// before what tells of these.
    static let form: UInt8 = 3
    package static let noEntry = UInt32.max

    package var m: Int
    package var m0: Int
    package var efConstruction: Int
    package var seed: UInt64
    /// Slots below it are linked, unless they were erased; the others are scanned.
    package var linkedSlots: UInt32 = 0
    /// Where searches begin; `noEntry` in an empty graph.
    package var entryPoint: UInt32 = noEntry
    /// The level of the entry point.
    package var topLevel = 0
    /// Nodes of the graph, those that wait for their repair included.
    package var nodeCount: UInt32 = 0
    /// Nodes that repairs have taken out since the graph was begun.
    package var removedCount: UInt32 = 0
    /// Erased slots whose notes wait for the author.
    package var notedCount: UInt32 = 0
    /// Changes when a segment is written again.
    package var segmentGeneration: UInt64
    /// Changes when a row of the tail is erased.
    package var tailGeneration: UInt64
    /// Changes when a page of links is written, or goes.
    package var linkGeneration: UInt64
    /// Whether linked slots have codes.
    package var hasCodes = false
    /// The `linkGeneration` in which the graph was begun; what codes are relative to stays from then on.
    package var codeGeneration: UInt64 = 0
    /// The graph is on its way out: it is not searched, and its pages are removed.
    package var isDropping = false

    package init(_ parameters: HNSWParameters, generation: UInt64) {
        m = parameters.m
        m0 = parameters.m0
        efConstruction = parameters.efConstruction
        seed = parameters.seed
        segmentGeneration = generation
        tailGeneration = generation
        linkGeneration = generation
    }

    package func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 64)
        writer.u8(Self.form)
        writer.u16(UInt16(m))
        writer.u16(UInt16(m0))
        writer.u32(UInt32(efConstruction))
        writer.u64(seed)
        writer.u32(linkedSlots)
        writer.u32(entryPoint)
        writer.u8(UInt8(topLevel))
        writer.u32(nodeCount)
        writer.u32(removedCount)
        writer.u32(notedCount)
        writer.u64(segmentGeneration)
        writer.u64(linkGeneration)
        writer.bool(isDropping)
        writer.bool(hasCodes)
        writer.u64(codeGeneration)
        writer.u64(tailGeneration)
        return writer.bytes
    }

    /// - Throws: `StoreError.corrupted` for bytes that are no record, or one that contradicts itself;
    ///   `foreign` for one of a later form.
    package init(decoding bytes: RawSpan) throws {
        var reader = ByteReader(bytes)
        let form = try reader.u8()
        guard (1...Self.form).contains(form) else {
            throw StoreError(.foreign, "the record of a vector index has form \(form); use a newer program")
        }
        m = Int(try reader.u16())
        m0 = Int(try reader.u16())
        efConstruction = Int(try reader.u32())
        seed = try reader.u64()
        linkedSlots = try reader.u32()
        entryPoint = try reader.u32()
        topLevel = Int(try reader.u8())
        nodeCount = try reader.u32()
        removedCount = try reader.u32()
        notedCount = try reader.u32()
        segmentGeneration = try reader.u64()
        linkGeneration = try reader.u64()
        isDropping = try reader.bool()
        if form >= 2 {
            hasCodes = try reader.bool()
            codeGeneration = try reader.u64()
        }
        tailGeneration = form >= 3 ? try reader.u64() : 0
        try reader.finish()
        guard HNSWParameters.allowedM.contains(m), HNSWParameters.allowedM.contains(m0), m0 >= m,
            HNSWParameters.allowedEfConstruction(m).contains(efConstruction),
            linkedSlots <= Slot.maximumCount,
            nodeCount <= linkedSlots, (entryPoint == Self.noEntry) == (nodeCount == 0),
            entryPoint == Self.noEntry || entryPoint < linkedSlots, topLevel <= NodeLevels.maximum
        else { throw StoreError(.corrupted, "the record of a vector index contradicts itself") }
    }

    var levels: NodeLevels { NodeLevels(seed: seed, m: m) }

    /// A generation that no snapshot of this file has seen. The number of the commit would do, if a copy of the
    /// file did not begin to count anew.
    static func next(_ generation: UInt64, in transaction: borrowing WriteTransaction) -> UInt64 {
        max(generation &+ 1, transaction.snapshot.commit)
    }
}

/// Slots as lists of neighbors hold them.
enum Slot {
    /// Lists have 31 bits for a slot, and the last number says that there is none.
    static let maximumCount: UInt32 = 0x7fff_ffff
    static let mask: UInt32 = 0x7fff_ffff
    /// Marks an entry as a link of the tree: see `Linker`.
    static let treeMark: UInt32 = 0x8000_0000
    /// Fills the rest of a list.
    static let none: UInt32 = 0xffff_ffff
}
