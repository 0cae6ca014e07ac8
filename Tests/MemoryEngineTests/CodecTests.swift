import TestSupport
import Testing

@testable import MemoryEngine
@testable import Store

/// Random values of everything that is stored as bytes.
struct RecordSamples {
    var random: SeededRandom

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func time() -> Int64 { random.pick([.min, -1, 0, 1, .max, Int64(bitPattern: random.next())]) }

    mutating func interval() -> Range<Int64> {
        let (a, b) = (time(), time())
        return min(a, b)..<max(a, b)
    }

    mutating func id() -> MemoryID { MemoryID(rawValue: random.next128()) }

    mutating func optional<Value>(_ make: (inout RecordSamples) -> Value) -> Value? {
        random.chance(0.5) ? make(&self) : nil
    }

    mutating func text() -> String { random.text(random.below(20)) }

    mutating func origin() -> Origin {
        var origin = Origin(
            agent: optional { $0.text() }, model: optional { $0.text() }, source: optional { $0.text() },
            trust: random.pick(Trust.allCases), mayContribute: random.chance(0.5))
        origin.principal = text()
        origin.sourceDigest = optional { $0.random.bytes(32) }
        origin.sourceSpan = optional { _ in 3..<UInt64.max }
        return origin
    }

    mutating func attachment() -> MemoryEngine.Attachment {
        let data = random.bytes(random.below(50))
        return MemoryEngine.Attachment(
            name: text(), mediaType: text(), digest: SHA256.digest(of: data), byteCount: UInt64(data.count),
            address: optional { $0.text() }, data: data)
    }

    mutating func fields() -> VersionFields {
        var attributes: [String: AttributeValue] = [:]
        for _ in 0..<random.below(4) {
            attributes[text()] = random.pick([
                .string(text()), .number(Double(random.below(9)) / 4), .bool(true), .bool(false),
            ])
        }
        return VersionFields(
            kind: text(), session: optional { $0.text() }, actor: optional { $0.text() },
            thread: optional { $0.text() },
            happened: interval(), valid: interval(), expires: time(), isPinned: random.chance(0.5),
            importance: Float(random.below(100)) / 99, tags: (0..<random.below(4)).map { _ in text() },
            keywords: (0..<random.below(4)).map { _ in text() }, attributes: attributes, origin: origin(),
            attachments: [])
    }

    mutating func vector(part: UInt32) -> Mutation.NewVector {
        let space = EmbeddingSpace(
            model: random.pick(["m", "org/model", "语"]), revision: random.pick(["", "v1"]),
            dimension: 1 + random.below(9),
            metric: random.pick(EmbeddingMetric.allCases))
        return Mutation.NewVector(space: space, part: part, vector: random.vector(space.dimension))
    }

    mutating func newVersion() -> Mutation.NewVersion {
        let content = Array(text().utf8)
        var version = Mutation.NewVersion(
            id: id(), key: optional { $0.text() }, content: content, passages: [0..<UInt32(content.count)],
            vectors: (0..<random.below(3)).map { _ in vector(part: 0) }, fields: fields(), terms: [])
        version.fields.attachments = (0..<random.below(3)).map { _ in attachment() }
        version.saysHappened = random.chance(0.5)
        return version
    }

    mutating func receipt() -> Receipt {
        Receipt(
            recall: RecallID(rawValue: random.next128()), time: time(), principal: text(), query: text(),
            items: (0..<random.below(5)).map { _ in
                .init(
                    namespace: text(), id: id(), version: UInt32(random.below(9)),
                    score: Float(random.below(99)))
            }, outcome: optional { $0.random.pick(Outcome.allCases) })
    }

    mutating func mutation() -> Mutation {
        Mutation(
            operation: random.next128(), time: time(),
            changes: (0..<random.below(5)).map { _ in
                switch random.below(15) {
                case 0: .remember(newVersion())
                case 1: .update(id(), expecting: optional { _ in 7 }, newVersion())
                case 2:
                    .close(
                        id(), at: time(), random.pick([.retracted, .superseded]),
                        successor: optional { $0.id() })
                case 3: .forget((0..<random.below(5)).map { _ in id() })
                case 4: .embed(id(), version: 3, (0..<random.below(3)).map { vector(part: UInt32($0)) })
                case 5:
                    .restore(
                        .init(
                            id: id(), key: optional { $0.text() },
                            versions: (1..<4).map {
                                .init(
                                    number: $0, recorded: interval(), closure: .superseded,
                                    version: newVersion())
                            }))
                case 6: .receipt(receipt())
                case 7: .outcome(RecallID(rawValue: random.next128()), .success)
                case 8: .setting(text(), optional { $0.text() })
                case 9: .eraseTraces(principal: text())
                case 10: .expire((0..<random.below(5)).map { _ in id() })
                case 11: .citedBy(home: text(), random.chance(0.5))
                case 12: .eraseCitations(home: text(), optional { [$0.id()] })
                default: .trim(id(), versions: [1, 2, .max])
                }
            })
    }

    mutating func passageRow() -> PassageRow {
        var row = PassageRow(random.bytes(PassageRow.byteCount).span.bytes)
        row.importance = 0.5
        return row
    }

    mutating func tail() -> TailRecord {
        var record = TailRecord(row: passageRow(), words: Tokenizer().terms(in: random.text(80)))
        record.slots = (0..<random.below(4)).map { .init(space: UInt16($0), slot: UInt32($0) * 7) }
        record.filterTerms = FilterTerm.all(of: fields())
        return record
    }
}

@Suite struct `A record` {
    @Test func `of a version is refused where it says what is usual`() throws {
        let distinctive: Int64 = 0x0102_0304_0506_0708
        let fields = VersionFields(
            kind: "note", session: nil, actor: nil, thread: nil, happened: 5..<5,
            valid: Int64.min..<Int64.max,
            expires: distinctive, isPinned: false, importance: 0.5, tags: [], keywords: [], attributes: [:],
            origin: Origin(), attachments: [])
        let version = VersionRecord(
            fields: fields, recordedFrom: 1, recordedUntil: .max, closure: .open, firstPassage: 0,
            ranges: [0..<2], contentByteCount: 2, inlineContent: [0x61, 0x62])
        var bytes = version.encode()
        #expect(try VersionRecord(decoding: bytes.span.bytes) == version)
        let place = try #require(bytes.firstRange(of: (1...8).reversed().map { UInt8($0) }))
        bytes.replaceSubrange(place, with: [UInt8](repeating: 0xff, count: 7) + [0x7f])
        #expect(throws: StoreError.self) { try VersionRecord(decoding: bytes.span.bytes) }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `decodes to what was encoded`(seed: UInt64) throws {
        var samples = RecordSamples(seed: seed)
        for _ in 0..<10 {
            let head = HeadRecord(
                id: samples.id(), version: 3, firstPassage: .max - 1, passageCount: 1, series: 4, turn: 5,
                keySession: 6,
                key: samples.optional { $0.text() })
            #expect(try HeadRecord(decoding: head.encode().span.bytes) == head)
            var beyond = head
            beyond.passageCount = 2
            #expect(throws: StoreError.self) { try HeadRecord(decoding: beyond.encode().span.bytes) }

            let inline = Array(samples.text().utf8)
            let version = VersionRecord(
                fields: samples.fields(), recordedFrom: samples.time(), recordedUntil: samples.time(),
                closure: .superseded,
                firstPassage: 9, ranges: [0..<4, 4..<9], contentByteCount: UInt32(inline.count),
                inlineContent: inline)
            #expect(try VersionRecord(decoding: version.encode().span.bytes) == version)

            let tail = samples.tail()
            #expect(try TailRecord(decoding: tail.encode().span.bytes) == tail)

            var space = SpaceRecord(number: 7, space: samples.vector(part: 0).space)
            space.nextSlot = 9
            space.segmentedSlots = UInt32(samples.random.below(10))
            #expect(try SpaceRecord(number: 7, decoding: space.encode().span.bytes) == space)

            var state = HomeState()
            state.sequence = samples.random.next()
            state.nextPassage = 1_000
            state.foldedPassages = UInt32(samples.random.below(1_001))
            state.hasExpiry = samples.random.chance(0.5)
            #expect(try HomeState(decoding: state.encode().span.bytes) == state)

            let header = HomeHeader(
                namespace: samples.text(), created: Timestamp(microseconds: samples.time()),
                passageByteCount: 1_200)
            #expect(try HomeHeader(decoding: header.encode().span.bytes) == header)

            var edge = EdgeRecord(
                id: EdgeID(rawValue: UInt128(seed)), from: 1, kind: 40, to: .max,
                span: EdgeSpan(weight: 0.25, recordedFrom: samples.time()), origin: samples.origin(),
                evidence: [
                    Evidence(namespace: samples.text(), id: MemoryID(rawValue: 7), version: 2, range: 3..<9)
                ])
            #expect(try EdgeRecord(decoding: edge.encode().span.bytes) == edge)
            edge.to = 0
            edge.foreign = EdgeRecord.Foreign(home: samples.text(), id: MemoryID(rawValue: 8))
            #expect(try EdgeRecord(decoding: edge.encode().span.bytes) == edge)

            let receipt = samples.receipt()
            var writer = ByteWriter()
            receipt.encode(into: &writer)
            var reader = ByteReader(writer.bytes.span.bytes)
            #expect(try Receipt(from: &reader) == receipt)
            #expect(reader.remaining == 0)

            let mutation = samples.mutation()
            #expect(try Mutation(decoding: mutation.encode().span.bytes) == mutation)

            var bytes: [UInt8] = []
            samples.passageRow().encode(into: &writer)
            bytes = Array(writer.bytes.suffix(PassageRow.byteCount))
            var again = ByteWriter()
            PassageRow(bytes.span.bytes).encode(into: &again)
            #expect(again.bytes == bytes)
        }
    }

    @Test(arguments: RecordDecoder.all.map(\.name))
    func `is read from any bytes at all, or refused`(name: String) throws {
        let decoder = try #require(RecordDecoder.all.first { $0.name == name })
        var samples = RecordSamples(seed: 11)
        let valid = [
            samples.mutation().encode(), samples.tail().encode(), Tokenizer().terms(in: "some words").encoded,
            HomeState().encode(), HomeHeader(namespace: "x", created: .now, passageByteCount: 64).encode(),
        ]
        for _ in 0..<2_000 {
            var bytes =
                samples.random.chance(0.5)
                ? samples.random.bytes(samples.random.below(200)) : samples.random.pick(valid)
            if !bytes.isEmpty {
                for _ in 0..<1 + samples.random.below(4) {
                    bytes[samples.random.below(bytes.count)] = samples.random.bytes(1)[0]
                }
            }
            if let encoded = try? decoder.decode(bytes) { #expect(try decoder.decode(encoded) == encoded) }
        }
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func `has a key that sorts as its values do`(seed: UInt64) {
        var samples = RecordSamples(seed: seed)
        for _ in 0..<200 {
            let (a, b) = (samples.time(), samples.time())
            let (row, other) = (samples.random.next() >> 1, samples.random.next() >> 1)
            func precedes(_ a: Key, _ b: Key) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }
            #expect(
                precedes(Schema.memoryByTime(a, row), Schema.memoryByTime(b, other))
                    == ((a, row) < (b, other)))
            #expect(
                precedes(Schema.memoryByExpiry(a, row), Schema.memoryByExpiry(b, other))
                    == ((a, row) < (b, other)))
            let (x, y) = (UInt32(truncatingIfNeeded: row), UInt32(truncatingIfNeeded: other))
            #expect(precedes(Schema.version(row, x), Schema.version(other, y)) == ((row, x) < (other, y)))
            #expect(precedes(Schema.content(7, x, page: y), Schema.content(7, x, page: y &+ 1)) == (y < .max))
            #expect(precedes(Schema.change(row, part: 3), Schema.change(other, part: 2)) == (row < other))
            #expect(precedes(Schema.tail(x), Schema.tail(y)) == (x < y))
            #expect(precedes(Schema.memoryByTurn(x, y), Schema.memoryByTurn(y, x)) == ((x, y) < (y, x)))
            let (p, q) = (samples.id(), samples.id())
            #expect(precedes(Schema.rowOfMemory(p), Schema.rowOfMemory(q)) == (p < q))
        }
    }
}
