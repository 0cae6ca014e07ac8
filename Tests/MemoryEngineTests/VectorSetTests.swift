import Foundation
import TestSupport
import Testing

@testable import HNSW
@testable import MemoryEngine
@testable import Store

/// What a vector set should hold.
private struct ExpectedSet {
    var elements: [String: (vector: [Float], attribute: String?)] = [:]

    /// Scores of all elements, the highest first.
    func scores(_ query: [Float]) -> [(name: String, score: Double)] {
        elements.map { name, element in
            (name, Self.score(query, element.vector))
        }.sorted { $0.score > $1.score }
    }

    static func score(_ a: [Float], _ b: [Float]) -> Double {
        func dot(_ a: [Float], _ b: [Float]) -> Double {
            zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        let norms = (dot(a, a) * dot(b, b)).squareRoot()
        return norms == 0 ? 0.5 : (1 + dot(a, b) / norms) / 2
    }
}

@Suite struct `Vector sets` {
    private let home = Namespace.vectorSets()

    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    private func store() throws -> ScratchStore {
        try ScratchStore { options in
            options.index.thresholdByteCount = 1
            options.leastErased = 16
        }
    }

    private func one(_ engine: Engine, _ command: VectorSetCommand) async throws -> VectorSetAnswer {
        try await engine.run([command], in: home)[0].get()
    }

    private func add(
        _ engine: Engine, _ element: String, _ vector: [Float], attribute: String? = nil,
        to set: String = "s"
    ) async throws -> Bool {
        var addition = VectorSetAddition(set: bytes(set), element: bytes(element), vector: vector)
        addition.attribute = attribute.map(bytes)
        guard case .flag(let isNew) = try await one(engine, .add(addition)) else { return false }
        return isNew
    }

    private func matches(_ engine: Engine, _ search: VectorSetSearch) async throws -> [VectorSetMatch]? {
        guard case .matches(let matches) = try await one(engine, .search(search)) else { return nil }
        return matches
    }

    private func description(_ engine: Engine, _ set: String = "s") async throws -> VectorSetDescription? {
        guard case .description(let set) = try await one(engine, .describe(set: bytes(set))) else {
            return nil
        }
        return set
    }

    private func names(_ engine: Engine, _ command: VectorSetCommand) async throws -> [String] {
        guard case .names(let names) = try await one(engine, command) else { return [] }
        return names.map { String(decoding: $0, as: UTF8.self) }
    }

    private func check(
        _ engine: Engine, _ expected: ExpectedSet, _ query: [Float]
    ) async throws {
        let count = expected.elements.count
        #expect(try await description(engine)?.count == (count == 0 ? nil : count))
        let all = VectorSetCommand.range(set: bytes("s"), from: .least, until: .greatest, limit: .max)
        #expect(try await names(engine, all) == expected.elements.keys.sorted())
        guard count > 0 else { return }
        #expect(
            try await description(engine)?.attributeCount
                == expected.elements.values.count { $0.attribute != nil })
        var search = VectorSetSearch(set: bytes("s"), query: .vector(query))
        search.isExact = true
        search.wantsAttributes = true
        let found = try #require(try await matches(engine, search))
        let best = expected.scores(query)
        #expect(found.count == min(10, count))
        for (match, wanted) in zip(found, best) {
            let name = String(decoding: match.element, as: UTF8.self)
            let element = try #require(expected.elements[name])
            #expect(abs(match.score - wanted.score) < 1e-5)
            #expect(abs(match.score - ExpectedSet.score(query, element.vector)) < 1e-5)
            #expect(match.attribute.map { String(decoding: $0, as: UTF8.self) } == element.attribute)
        }
        // A walk over the graph finds nearly the same.
        search.isExact = false
        let walked = Set(try #require(try await matches(engine, search)).map(\.element))
        #expect(walked.intersection(found.map(\.element)).count * 10 >= found.count * 8)
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `hold what a dictionary would, through any sequence of commands`(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let store = try store()
        var engine = store.engine
        var expected = ExpectedSet()
        let dimension = 2_048
        func vector() -> [Float] {
            if random.chance(0.02) { return [Float](repeating: 0, count: dimension) }
            return (0..<dimension).map { _ in Float.random(in: -1...1, using: &random) }
        }
        for round in 0..<6 {
            for _ in 0..<120 {
                let name = "e\(random.below(220))"
                switch random.below(10) {
                case 0..<6:
                    let (vector, attribute) = (vector(), random.chance(0.3) ? "{\"n\":\(round)}" : nil)
                    let known = expected.elements[name]
                    #expect(try await add(engine, name, vector, attribute: attribute) == (known == nil))
                    expected.elements[name] = (vector, attribute ?? known?.attribute)
                case 6, 7:
                    let answer = try await one(engine, .remove(set: bytes("s"), element: bytes(name)))
                    guard case .flag(let wasThere) = answer else { continue }
                    #expect(wasThere == (expected.elements.removeValue(forKey: name) != nil))
                case 8:
                    let text = random.chance(0.5) ? "" : "{\"n\":\(round), \"m\":1}"
                    _ = try await one(
                        engine, .setAttribute(set: bytes("s"), element: bytes(name), bytes(text)))
                    expected.elements[name]?.attribute = text.isEmpty ? nil : text
                default:
                    guard
                        case .vector(let stored) = try await one(
                            engine, .vector(set: bytes("s"), element: bytes(name)))
                    else { continue }
                    #expect(stored?.vector == expected.elements[name]?.vector)
                }
            }
            try await check(engine, expected, vector())
            if random.chance(0.5) { try await engine.finishVectorSets(in: home) }
            try await check(engine, expected, vector())
            if random.chance(0.5) {
                await engine.close()
                engine = try store.reopened()
                try await check(engine, expected, vector())
            }
            #expect(try await engine.check(in: home).problems == [])
        }
        await engine.close()
    }

    @Test func `are looked over by a check, which tells what is damaged`() async throws {
        let store = try store()
        var random = SeededRandom(seed: 9)
        for (set, m) in [("few", 4), ("many", 64)] {
            for number in 0..<60 {
                var addition = VectorSetAddition(
                    set: bytes(set), element: bytes("e\(number)"),
                    vector: (0..<2_048).map { _ in Float.random(in: -1...1, using: &random) })
                addition.m = m
                _ = try await one(store.engine, .add(addition))
            }
        }
        _ = try await add(store.engine, "zero", [0, 0], attribute: "{}", to: "small")
        try await store.engine.finishVectorSets(in: home)
        let sound = try await store.engine.check(in: home)
        #expect(sound.problems == [] && sound.vectors == 120)
        #expect(try store.engine.homes() == [] && store.engine.vectorSetHomes() == [home])
        let set = try #require(
            try await store.engine.withHome(of: home, creating: false, holdsVectorSets: true) { home in
                try home.environment.read { try VectorSetRecord.find(Array("small".utf8), in: $0) }
            } ?? nil)
        for key in [
            VectorSetSchema.name(set.id, 0), VectorSetSchema.zero(set.id, 0),
            VectorSetSchema.element(set.id, bytes("zero")),
        ] {
            _ = try await store.engine.withHome(of: home, creating: false, holdsVectorSets: true) { home in
                try await home.environment.submit(byteCount: 1, isShort: true) {
                    try Schema.memory.remove(key, in: $0)
                }
            }
            let problems = try await store.engine.check(in: home).problems
            #expect(problems.contains { $0.contains("`small`") }, "\(problems)")
        }
        #expect(try await store.engine.forget(.everything, under: home).homes == 1)
        #expect(try store.engine.vectorSetHomes() == [])
    }

    @Test func `are rewritten without what was erased, and linked anew`() async throws {
        let store = try store()
        var random = SeededRandom(seed: 5)
        func vector() -> [Float] { (0..<2_048).map { _ in Float.random(in: -1...1, using: &random) } }
        for number in 0..<300 { _ = try await add(store.engine, "e\(number)", vector()) }
        try await store.engine.finishVectorSets(in: home)
        for number in 0..<100 { _ = try await add(store.engine, "e\(number)", vector()) }
        try await store.engine.finishVectorSets(in: home)
        let record = try #require(
            try await store.engine.withHome(of: home, creating: false, holdsVectorSets: true) { home in
                try home.environment.read { try VectorSetRecord.find(Array("s".utf8), in: $0) }
            } ?? nil)
        #expect(record.count == 300)
        #expect(record.copy == nil)
        #expect(record.space.number != 1)
        #expect(record.space.nextSlot < 400)
        #expect(try await description(store.engine)?.lastVector == 400)
    }

    @Test func `lose no change that is made while they are rewritten`() async throws {
        let store = try store()
        var random = SeededRandom(seed: 9)
        func vector() -> [Float] { (0..<2_048).map { _ in Float.random(in: -1...1, using: &random) } }
        for number in 0..<300 { _ = try await add(store.engine, "e\(number)", vector()) }
        try await store.engine.finishVectorSets(in: home)
        for number in 0..<100 { _ = try await add(store.engine, "e\(number)", vector()) }
        await store.engine.close()

        // Step by step, with nobody at work beside it.
        let engine = try store.reopened()
        let (gone, changed) = (bytes("e250"), bytes("e251"))
        let (old, new) = (vector(), vector())
        _ = try await engine.withHome(of: home, creating: false, holdsVectorSets: true) { home in
            let environment = home.environment
            let indexes = try #require(home.vectorSets?.indexes)
            func run(_ commands: [VectorSetCommand]) throws {
                try environment.locked { transaction in
                    var writer = VectorSetWriter(indexes)
                    for command in commands { _ = try writer.answer(command, in: transaction) }
                }
            }
            func record() throws -> VectorSetRecord {
                try #require(try environment.read { try VectorSetRecord.find(Array("s".utf8), in: $0) })
            }
            try run([.add(VectorSetAddition(set: bytes("s"), element: changed, vector: old))])
            let indexer = VectorSetIndexer(environment, indexes, CallerGauge())
            try await indexer.lookAtAll()
            while try record().copy == nil || record().copiedSlots < record().space.nextSlot {
                try #require(try await indexer.step(isBackground: false))
            }
            // All are in the copy, which has not taken the place yet.
            #expect(try record().copy != nil)
            try run([
                .remove(set: bytes("s"), element: gone),
                .add(VectorSetAddition(set: bytes("s"), element: changed, vector: new)),
            ])
            try await indexer.finish()
            #expect(try record().copy == nil && record().space.number != 1)
        }
        for query in [old, new] {
            var search = VectorSetSearch(set: bytes("s"), query: .vector(query))
            search.count = 400
            let found = try #require(try await matches(engine, search))
            #expect(found.count == 299)
            #expect(Set(found.map(\.element)).count == 299 && !found.contains { $0.element == gone })
            #expect((found.first?.element == changed && (found.first?.score ?? 0) > 0.99) == (query == new))
        }
        await engine.close()
    }

    @Test func `leave nothing behind when they are deleted`() async throws {
        let store = try store()
        var random = SeededRandom(seed: 6)
        for number in 0..<200 {
            let vector =
                number == 0
                ? [Float](repeating: 0, count: 2_048)
                : (0..<2_048).map { _ in Float.random(in: -1...1, using: &random) }
            _ = try await add(store.engine, "e\(number)", vector, attribute: "{}")
        }
        _ = try await add(store.engine, "e", [1, 2], to: "other")
        try await store.engine.finishVectorSets(in: home)
        #expect(try await names(store.engine, .names) == ["other", "s"])
        guard
            case .number(let count) = try await one(
                store.engine, .delete([bytes("s"), bytes("other"), bytes("none")]))
        else { return }
        #expect(count == 2)
        #expect(try await description(store.engine) == nil)
        try await store.engine.finishVectorSets(in: home)
        let left = try await store.engine.withHome(of: home, creating: false, holdsVectorSets: true) { home in
            try home.environment.read { transaction in
                try [Schema.memory, Schema.vector, Schema.link, Schema.code].map {
                    try $0.count(in: transaction)
                }
            }
        }
        #expect(left == [0, 0, 0, 0])
        // A name that is used again is another set.
        _ = try await add(store.engine, "e", [1, 2, 3])
        #expect(try await description(store.engine)?.id == 3)
    }

    @Test func `take part in one transaction, and what is refused keeps nothing else from it`() async throws {
        let store = try store()
        let addition = VectorSetAddition(set: bytes("s"), element: bytes("a"), vector: [1, 0])
        var other = addition
        other.element = bytes("b")
        other.vector = [1, 2, 3]
        let results = try await store.engine.run(
            [
                .add(addition), .add(other), .describe(set: bytes("s")),
                .remove(set: bytes("s"), element: bytes("a")),
            ],
            in: home)
        guard case .success(.flag(true)) = results[0], case .failure(let error) = results[1],
            case .success(.description(let set)) = results[2], case .success(.flag(true)) = results[3]
        else {
            Issue.record("\(results)")
            return
        }
        #expect(error == .dimension(given: 3, of: 2))
        #expect(set?.count == 1)
        #expect(try await names(store.engine, .names) == [])
    }

    @Test func `have their own home, and memories theirs`() async throws {
        let store = try store()
        _ = try await add(store.engine, "a", [1, 0])
        let reading = await #expect(throws: EngineError.self) {
            _ = try await store.engine.remember("A text.", in: home)
        }
        #expect(reading?.code == .wrongKind)
        let asking = await #expect(throws: EngineError.self) {
            _ = try await store.engine.run([.names], in: .project("a"))
        }
        #expect(asking?.code == .wrongKind)
        // Tenants do not meet.
        let answers = try await store.engine.run([.names], in: .vectorSets(tenant: "acme"))
        guard case .success(.names(let names)) = answers[0] else { return }
        #expect(names == [])
    }

    @Test func `project vectors the same way when they are opened again`() async throws {
        let store = try store()
        var addition = VectorSetAddition(
            set: bytes("s"), element: bytes("a"), vector: (0..<64).map { Float($0) - 31 })
        addition.reducedDimension = 16
        _ = try await one(store.engine, .add(addition))
        #expect(try await description(store.engine)?.dimension == 16)
        #expect(try await description(store.engine)?.inputDimension == 64)
        await store.engine.close()
        let engine = try store.reopened()
        let search = VectorSetSearch(set: bytes("s"), query: .vector(addition.vector))
        let match = try #require(try await matches(engine, search)?.first)
        #expect(match.score > 1 - 1e-6)
        addition.vector = [1, 2, 3]
        let results = try await engine.run([.add(addition)], in: home)
        #expect(throws: VectorSetError.inputDimension(given: 3, of: 64)) { try results[0].get() }
        await engine.close()
    }

    @Test func `find what a filter lets through among as many as are to be looked at`() async throws {
        let store = try store()
        for number in 0..<600 {
            let angle = Float(number) / 600 * 3
            _ = try await add(
                store.engine, "e\(number)", [Float(cos(Double(angle))), Float(sin(Double(angle)))],
                attribute: "\(number)")
        }
        var search = VectorSetSearch(set: bytes("s"), query: .vector([1, 0]))
        search.filter = { Int(String(decoding: $0, as: UTF8.self)).map { $0 >= 500 } ?? false }
        let found = try #require(try await matches(store.engine, search)).map {
            String(decoding: $0.element, as: UTF8.self)
        }
        #expect(found == (500..<510).map { "e\($0)" })
        search.filterEf = 400
        #expect(try await matches(store.engine, search)?.isEmpty == true)
        search.filterEf = 100_000
        search.count = 5_000
        #expect(try await matches(store.engine, search)?.count == 100)
        search.leastScore = ExpectedSet.score([1, 0], [Float(cos(2.7475)), Float(sin(2.7475))])
        #expect(try await matches(store.engine, search)?.count == 50)
        // As many candidates as there are: all are compared once, and attributes looked at until there are enough answers.
        let looked = Mutex(0)
        search = VectorSetSearch(set: bytes("s"), query: .vector([1, 0]))
        search.ef = 600
        search.filter = { text in
            looked.withLock { $0 += 1 }
            return text.last.map { $0 % 2 == 1 } ?? false
        }
        let odd = (0..<10).map { bytes("e\($0 * 2 + 1)") }
        #expect(try await matches(store.engine, search)?.map(\.element) == odd)
        #expect(looked.withLock { $0 } == 20)
        search.filterEf = 7
        #expect(try await matches(store.engine, search)?.map(\.element) == Array(odd.prefix(3)))
        // More than a walk gives.
        search = VectorSetSearch(set: bytes("s"), query: .element(bytes("e0")))
        search.count = 5_000
        #expect(try await matches(store.engine, search)?.count == 600)
        search.query = .element(bytes("nobody"))
        let results = try await store.engine.run([.search(search)], in: home)
        #expect(throws: VectorSetError.noSuchElement) { try results[0].get() }
    }

    @Test func `show links of the graph, and of what is not in it yet the nearest`() async throws {
        let store = try store()
        var random = SeededRandom(seed: 8)
        func links() async throws -> [[VectorSetMatch]] {
            guard
                case .links(let layers?) = try await one(
                    store.engine, .links(set: bytes("s"), element: bytes("e3")))
            else { return [] }
            return layers
        }
        for number in 0..<200 {
            var addition = VectorSetAddition(
                set: bytes("s"), element: bytes("e\(number)"),
                vector: (0..<2_048).map { _ in Float.random(in: -1...1, using: &random) })
            addition.m = 8
            _ = try await one(store.engine, .add(addition))
            if number == 99 {
                let layers = try await links()
                #expect(layers.last?.count == 8)
                #expect(layers.last.map { $0.map(\.score).sorted(by: >) == $0.map(\.score) } == true)
            }
        }
        try await store.engine.finishVectorSets(in: home)
        let layers = try await links()
        let bottom = try #require(layers.last)
        #expect(!bottom.isEmpty && bottom.count <= 16)
        #expect(!bottom.contains { $0.element == bytes("e3") })
        #expect(Set(bottom.map(\.element)).count == bottom.count)
        #expect(try await description(store.engine)?.topLevel ?? 0 >= layers.count - 1)
    }

    @Test func `give all elements where more are asked for than any number of them`() async throws {
        let store = try store()
        for name in ["a", "b"] { _ = try await add(store.engine, name, [1, 0]) }
        #expect(Set(try await names(store.engine, .sample(set: bytes("s"), count: .max))) == ["a", "b"])
    }

    @Test func `give elements by chance`() async throws {
        let store = try store()
        for number in 0..<50 { _ = try await add(store.engine, "e\(number)", [Float(number), 1]) }
        let set = bytes("s")
        let few = try await names(store.engine, .sample(set: set, count: 10))
        #expect(few.count == 10 && Set(few).count == 10)
        #expect(try await names(store.engine, .sample(set: set, count: 80)).count == 50)
        #expect(try await names(store.engine, .sample(set: set, count: -200)).count == 200)
        #expect(try await names(store.engine, .sample(set: set, count: 0)) == [])
        // Of most ordinals nothing is left.
        for number in 2..<50 {
            _ = try await one(store.engine, .remove(set: set, element: bytes("e\(number)")))
        }
        #expect(Set(try await names(store.engine, .sample(set: set, count: -40))) == ["e0", "e1"])
    }

    @Test func `have a digest of what they hold, however it came`() async throws {
        let store = try store()
        func digest(_ set: String) async throws -> [UInt8]? {
            guard case .bytes(let digest) = try await one(store.engine, .digest(set: bytes(set))) else {
                return nil
            }
            return digest
        }
        for name in ["a", "b", "c"] {
            _ = try await add(store.engine, name, [Float(name.utf8.first ?? 0), 1], to: "one")
        }
        for name in ["c", "a", "b"] {
            _ = try await add(store.engine, name, [Float(name.utf8.first ?? 0), 1], to: "two")
        }
        #expect(try await digest("one") == digest("two"))
        _ = try await one(store.engine, .setAttribute(set: bytes("two"), element: bytes("a"), bytes("{}")))
        #expect(try await digest("one") != digest("two"))
        #expect(try await digest("none") == nil)
    }

    @Test func `refuse what cannot be kept`() async throws {
        let store = try store()
        let long = [UInt8](repeating: 0x61, count: 507)
        func refusal(_ change: (inout VectorSetAddition) -> Void) async throws -> String {
            var addition = VectorSetAddition(set: bytes("s"), element: bytes("a"), vector: [1, 2])
            change(&addition)
            do {
                _ = try await store.engine.run([.add(addition)], in: home)[0].get()
                return "none"
            } catch VectorSetError.invalid(let message) {
                return message
            }
        }
        #expect(
            try await refusal { $0.element = long }
                == "the name of the element has 507 bytes; it may have 506")
        #expect(try await refusal { $0.set = long } == "the name of the set has 507 bytes; it may have 506")
        #expect(try await refusal { $0.element = Array(long.dropLast()) } == "none")
        #expect(try await refusal { $0.element = [] } == "none")
        #expect(try await refusal { $0.vector = [.nan, 1] } == "Component 0 of the vector is not a number.")
        #expect(
            try await refusal { $0.attribute = [UInt8](repeating: 0x20, count: 1 << 20 + 1) }.hasPrefix(
                "the attribute has"))
        #expect(try await description(store.engine)?.count == 2)
    }
}
