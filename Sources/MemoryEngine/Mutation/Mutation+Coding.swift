import Store

/// A mutation as bytes, so that it can be logged, sent to another node, and applied there.
extension Mutation {
    package func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: byteCount)
        writer.u8(2)
        writer.u128(operation)
        writer.i64(time)
        writer.list(changes) { $1.encode(into: &$0) }
        return writer.bytes
    }

    package init(decoding bytes: RawSpan) throws {
        var reader = ByteReader(bytes)
        let version = try reader.u8()
        guard version == 2 else { throw StoreError(.foreign, "a mutation has the unknown form \(version)") }
        operation = try reader.u128()
        time = try reader.i64()
        changes = try reader.list { try Change(from: &$0) }
        try reader.finish()
    }
}

extension Mutation.Change {
    fileprivate func encode(into writer: inout ByteWriter) {
        switch self {
        case .remember(let version):
            writer.u8(1)
            version.encode(into: &writer)
        case .update(let id, let expecting, let version):
            writer.u8(2)
            writer.u128(id.rawValue)
            writer.optional(expecting) { $0.u32($1) }
            version.encode(into: &writer)
        case .close(let id, let time, let closure, let successor):
            writer.u8(3)
            writer.u128(id.rawValue)
            writer.i64(time)
            writer.u8(closure.rawValue)
            writer.optional(successor) { $0.u128($1.rawValue) }
        case .forget(let ids):
            writer.u8(4)
            writer.list(ids) { $0.u128($1.rawValue) }
        case .embed(let id, let version, let vectors):
            writer.u8(5)
            writer.u128(id.rawValue)
            writer.u32(version)
            writer.list(vectors) { $1.encode(into: &$0) }
        case .restore(let memory):
            writer.u8(6)
            writer.u128(memory.id.rawValue)
            writer.optional(memory.key) { $0.string($1) }
            writer.list(memory.versions) {
                $0.u32($1.number)
                $0.i64($1.recorded.lowerBound)
                $0.i64($1.recorded.upperBound)
                $0.u8($1.closure.rawValue)
                $1.version.encode(into: &$0)
            }
        case .receipt(let receipt):
            writer.u8(7)
            receipt.encode(into: &writer)
        case .outcome(let recall, let outcome):
            writer.u8(8)
            writer.u128(recall.rawValue)
            writer.u8(outcome.rawValue)
        case .setting(let name, let value):
            writer.u8(9)
            writer.string(name)
            writer.optional(value) { $0.string($1) }
        case .useSpace(let space, let old):
            writer.u8(17)
            writer.string(space.name)
            writer.optional(old) { $0.string($1.name) }
        case .dropSpace(let space):
            writer.u8(18)
            writer.string(space.name)
        case .trim(let id, let versions):
            writer.u8(10)
            writer.u128(id.rawValue)
            writer.list(versions) { $0.u32($1) }
        case .eraseTraces(let principal):
            writer.u8(11)
            writer.string(principal)
        case .link(let edge):
            writer.u8(15)
            edge.encode(into: &writer)
        case .conclude(let edge, let version):
            writer.u8(19)
            edge.encode(into: &writer)
            writer.u32(version)
        case .unlink(let id):
            writer.u8(16)
            writer.u128(id.rawValue)
        case .expire(let ids):
            writer.u8(12)
            writer.list(ids) { $0.u128($1.rawValue) }
        case .citedBy(let home, let isCited):
            writer.u8(13)
            writer.string(home)
            writer.bool(isCited)
        case .eraseCitations(let home, let ids):
            writer.u8(14)
            writer.string(home)
            writer.optional(ids) { $0.list($1) { $0.u128($1.rawValue) } }
        }
    }

    fileprivate init(from reader: inout ByteReader) throws {
        switch try reader.u8() {
        case 1: self = .remember(try Mutation.NewVersion(from: &reader))
        case 2:
            self = .update(
                MemoryID(rawValue: try reader.u128()), expecting: try reader.optional { try $0.u32() },
                try Mutation.NewVersion(from: &reader))
        case 3:
            self = .close(
                MemoryID(rawValue: try reader.u128()), at: try reader.i64(), try Closure(from: &reader),
                successor: try reader.optional { MemoryID(rawValue: try $0.u128()) })
        case 4: self = .forget(try reader.list { MemoryID(rawValue: try $0.u128()) })
        case 5:
            self = .embed(
                MemoryID(rawValue: try reader.u128()), version: try reader.u32(),
                try reader.list { try Mutation.NewVector(from: &$0) })
        case 6:
            self = .restore(
                Mutation.RestoredMemory(
                    id: MemoryID(rawValue: try reader.u128()), key: try reader.optional { try $0.string() },
                    versions: try reader.list { try Mutation.RestoredVersion(from: &$0) }))
        case 7: self = .receipt(try Receipt(from: &reader))
        case 8:
            let recall = RecallID(rawValue: try reader.u128())
            guard let outcome = Outcome(rawValue: try reader.u8()) else {
                throw StoreError(.corrupted, "an outcome is not one")
            }
            self = .outcome(recall, outcome)
        case 9: self = .setting(try reader.string(), try reader.optional { try $0.string() })
        case 17:
            self = .useSpace(
                try EmbeddingSpace(from: &reader), from: try reader.optional { try EmbeddingSpace(from: &$0) }
            )
        case 18: self = .dropSpace(try EmbeddingSpace(from: &reader))
        case 10:
            self = .trim(MemoryID(rawValue: try reader.u128()), versions: try reader.list { try $0.u32() })
        case 11: self = .eraseTraces(principal: try reader.string())
        case 15: self = .link(try NewEdge(from: &reader))
        case 19: self = .conclude(try NewEdge(from: &reader), closing: try reader.u32())
        case 16: self = .unlink(EdgeID(rawValue: try reader.u128()))
        case 12: self = .expire(try reader.list { MemoryID(rawValue: try $0.u128()) })
        case 13: self = .citedBy(home: try reader.string(), try reader.bool())
        case 14:
            self = .eraseCitations(
                home: try reader.string(),
                try reader.optional { try $0.list { MemoryID(rawValue: try $0.u128()) } })
        case let other: throw StoreError(.corrupted, "a change of a mutation has the unknown kind \(other)")
        }
    }
}

extension Closure {
    init(from reader: inout ByteReader) throws {
        guard let closure = Closure(rawValue: try reader.u8()) else {
            throw StoreError(.corrupted, "a version is closed in an unknown way")
        }
        self = closure
    }
}

extension Mutation.RestoredVersion {
    fileprivate init(from reader: inout ByteReader) throws {
        number = try reader.u32()
        let from = try reader.i64()
        let until = try reader.i64()
        guard from <= until else { throw StoreError(.corrupted, "an interval ends before it begins") }
        recorded = from..<until
        closure = try Closure(from: &reader)
        version = try Mutation.NewVersion(from: &reader)
    }
}

extension EmbeddingSpace {
    fileprivate init(from reader: inout ByteReader) throws {
        guard let space = EmbeddingSpace(name: try reader.string()) else {
            throw StoreError(.corrupted, "a space of a mutation is not one")
        }
        self = space
    }
}

extension Mutation.NewVector {
    fileprivate func encode(into writer: inout ByteWriter) {
        writer.string(space.name)
        writer.u32(part)
        writer.floats(vector)
    }

    fileprivate init(from reader: inout ByteReader) throws {
        let space = try EmbeddingSpace(from: &reader)
        self.init(space: space, part: try reader.u32(), vector: try reader.floats())
        do {
            try Self.check(self)
        } catch {
            throw StoreError(.corrupted, error.message)
        }
    }
}

extension Mutation.NewVersion {
    fileprivate func encode(into writer: inout ByteWriter) {
        writer.u128(id.rawValue)
        writer.optional(key) { $0.string($1) }
        writer.blob(content)
        writer.list(passages) {
            $0.u32($1.lowerBound)
            $0.u32($1.upperBound)
        }
        writer.list(vectors) { $1.encode(into: &$0) }
        fields.encode(into: &writer)
        // Bytes of attachments follow in the order of the fields.
        writer.list(fields.attachments) { $0.blob($1.data) }
        writer.bool(saysHappened)
    }

    fileprivate init(from reader: inout ByteReader) throws {
        id = MemoryID(rawValue: try reader.u128())
        key = try reader.optional { try $0.string() }
        content = try reader.blob()
        guard String(validating: content, as: UTF8.self) != nil else {
            throw StoreError(.corrupted, "the content in a mutation is not valid UTF-8")
        }
        let byteCount = content.count
        var last: UInt32 = 0
        passages = try reader.list {
            let from = try $0.u32()
            let until = try $0.u32()
            guard last <= from, from <= until, until <= byteCount else {
                throw StoreError(.corrupted, "a passage of a mutation lies outside of its content")
            }
            last = until
            return from..<until
        }
        guard !passages.isEmpty else { throw StoreError(.corrupted, "a version without a passage") }
        vectors = try reader.list { try Mutation.NewVector(from: &$0) }
        let passageCount = passages.count
        guard vectors.allSatisfy({ $0.part < passageCount }) else {
            throw StoreError(.corrupted, "a vector of a mutation belongs to no passage")
        }
        fields = try VersionFields(from: &reader)
        let data = try reader.list { try $0.blob() }
        guard data.count == fields.attachments.count else {
            throw StoreError(
                .corrupted, "a mutation has \(data.count) attachments of \(fields.attachments.count)")
        }
        for index in data.indices { fields.attachments[index].data = data[index] }
        saysHappened = try reader.bool()
        terms = []
    }
}
