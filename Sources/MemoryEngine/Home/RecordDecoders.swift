import Store

/// The decoders of everything that comes from a file or from another node as bytes, by name, so that each can
/// be tried with damaged bytes: any bytes at all give a record or an error.
package struct RecordDecoder: Sendable {
    package let name: String
    /// Where such records lie in a home's file: the table, and the first byte of their keys if it is shared.
    package let place: (table: Table, prefix: UInt8?)?
    /// Decodes, and encodes what was found; `nil` for records that are only read.
    ///
    /// - Throws: what the decoder throws.
    package let decode: @Sendable ([UInt8]) throws -> [UInt8]?

    // Safe because bytes have no padding, and each span ends with its closure.
    package static let all: [RecordDecoder] = [
        RecordDecoder("header", (Schema.shared, Schema.Shared.header.rawValue)) {
            try unsafe HomeHeader(decoding: $0.span.bytes).encode()
        },
        RecordDecoder("state", (Schema.passage, Schema.Passage.state)) {
            try unsafe HomeState(decoding: $0.span.bytes).encode()
        },
        RecordDecoder("space", (Schema.passage, Schema.Passage.state)) {
            try unsafe SpaceRecord(number: 1, decoding: $0.span.bytes).encode()
        },
        RecordDecoder("head", (Schema.memory, nil)) {
            try unsafe HeadRecord(decoding: $0.span.bytes).encode()
        },
        RecordDecoder("version", (Schema.memory, nil)) {
            try unsafe VersionRecord(decoding: $0.span.bytes).encode()
        },
        RecordDecoder("tail", (Schema.passage, Schema.Passage.tail)) {
            try unsafe TailRecord(decoding: $0.span.bytes).encode()
        },
        RecordDecoder("edge", (Schema.edge, Schema.Edge.record)) {
            try unsafe EdgeRecord(decoding: $0.span.bytes).encode()
        },
        RecordDecoder("derivedEdge", (Schema.edge, Schema.Edge.derivedOut)) {
            try unsafe DerivedEdges.Out(decoding: $0.span.bytes).encode()
        },
        RecordDecoder("reference", (Schema.edge, Schema.Edge.reference)) {
            let (reference, version) = try unsafe References.decode($0.span.bytes, kind: .refersTo)
            return References.encode(reference, version: version)
        },
        RecordDecoder("receipt", (Schema.shared, Schema.Shared.receipt.rawValue)) {
            var reader = unsafe ByteReader($0.span.bytes)
            let receipt = try Receipt(from: &reader)
            try reader.finish()
            var writer = ByteWriter()
            receipt.encode(into: &writer)
            return writer.bytes
        },
        RecordDecoder("changes", (Schema.passage, Schema.Passage.change)) {
            _ = try unsafe ChangeLog.decode(1, $0.span.bytes)
            return nil
        },
        RecordDecoder("postings", (Schema.word, Schema.Word.posting)) {
            let key = Key(prefix: Schema.Word.posting).u32(1).u32(1 << 16).bytes
            let block = try unsafe PostingBlock(key: key.span.bytes, $0.span.bytes)
            var sum: UInt64 = 0
            for index in 0..<block.count {
                sum += UInt64(block.passage(at: index)) + UInt64(block.frequency(at: index))
            }
            return sum == .max ? [] : nil
        },
        RecordDecoder("synonyms", (Schema.word, Schema.Word.synonyms)) {
            try unsafe SynonymLists.encode(SynonymLists.decode($0.span.bytes))
        },
        RecordDecoder("vectorSet", nil) {
            try unsafe VectorSetRecord(decoding: $0.span.bytes).encode()
        },
        RecordDecoder("vectorSetElement", nil) {
            try unsafe VectorSetElement(decoding: $0.span.bytes).encode()
        },
        RecordDecoder("vectorSetSpace", nil) {
            try unsafe VectorSetSpace(number: 1, decoding: $0.span.bytes).encode()
        },
        RecordDecoder("terms", nil) { try TermList(decoding: $0.span).encoded },
        RecordDecoder("mutation", nil) { try unsafe Mutation(decoding: $0.span.bytes).encode() },
    ]

    private init(
        _ name: String, _ place: (table: Table, prefix: UInt8?)?,
        _ decode: @escaping @Sendable ([UInt8]) throws -> [UInt8]?
    ) {
        self.name = name
        self.place = place
        self.decode = decode
    }
}

extension Engine {
    /// Calls `body` with every mutation of a home as bytes, after its commit. The home has to be there, and stays
    /// observed until it is closed.
    ///
    /// - Throws: `EngineError`: `notFound`.
    package func observeMutations(
        of namespace: Namespace, _ body: @escaping @Sendable ([UInt8]) -> Void
    ) async throws {
        try await withExistingHome(of: namespace) { $0.observe { body($0.encode()) } }
    }
}
