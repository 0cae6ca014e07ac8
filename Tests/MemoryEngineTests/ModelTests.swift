// A test may stop where a value that it made is missing.
// swift-format-ignore-file: NeverForceUnwrap

import Foundation
import TestSupport
import Testing

@testable import MemoryEngine

/// What a home should hold, worked out with a dictionary.
private struct Model {
    struct Version: Equatable {
        var content: String
        var tags: [String]
        var session: String?
        var recorded: Range<Timestamp>
        var valid: Range<Timestamp>
        var isClosed: Bool
    }

    struct Entry {
        var key: String?
        var versions: [Version]
    }

    static let always = Timestamp.distantPast..<Timestamp.distantFuture
    var entries: [MemoryID: Entry] = [:]

    mutating func add(_ version: Version, to id: MemoryID) {
        if let last = entries[id]?.versions.indices.last {
            let old = entries[id]!.versions[last].recorded
            entries[id]!.versions[last].recorded = old.lowerBound..<version.recorded.lowerBound
        }
        entries[id, default: Entry(key: nil, versions: [])].versions.append(version)
    }

    func id(ofKey key: String, session: String?) -> MemoryID? {
        entries.first { $0.value.key == key && $0.value.versions.last!.session == session }?.key
    }
}

@Suite struct `A home` {
    let atlas = Namespace.project("atlas")

    private func expect(
        _ engine: Engine, _ model: Model, _ random: inout SeededRandom, now: Timestamp
    ) async throws {
        for (id, entry) in model.entries {
            let versions = try await engine.versions(of: id, in: atlas)
            #expect(versions.map(\.version) == (1...UInt32(entry.versions.count)).map { $0 })
            #expect(
                versions.map {
                    Model.Version(
                        content: $0.content, tags: $0.tags, session: $0.namespace.session,
                        recorded: $0.recorded,
                        valid: $0.valid, isClosed: false)
                }
                    == entry.versions.map {
                        var version = $0
                        version.isClosed = false
                        return version
                    })
            #expect(versions.last?.isCurrent == !entry.versions.last!.isClosed)
            #expect(versions.allSatisfy { $0.key == entry.key })
            let moment = random.pick(entry.versions).recorded.lowerBound
            let known = entry.versions.firstIndex { $0.recorded.contains(moment) }.map { UInt32($0 + 1) }
            #expect(try await engine.get(id, in: atlas, asOf: moment)?.version == known)
            if let key = entry.key {
                let session = entry.versions.last!.session
                let home = session.map { atlas.session($0) } ?? atlas
                #expect(try await engine.get(key: key, in: home)?.id == id)
            }
        }
        let all = try await engine.list(in: atlas, limit: 1_000, includesClosed: true).memories
        #expect(Set(all.map(\.id)) == Set(model.entries.keys) && all.count == model.entries.count)
        let open = try await engine.list(in: atlas, limit: 1_000).memories
        let expected = model.entries.filter { $0.value.versions.last!.valid.contains(now) }
        #expect(Set(open.map(\.id)) == Set(expected.keys))
        let statistics = try? await engine.stats(in: atlas)
        #expect(
            statistics?.versions ?? 0 == UInt64(model.entries.values.reduce(0) { $0 + $1.versions.count }))
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `agrees with a dictionary through any sequence of changes`(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let store = try ScratchStore { $0.passageByteCount = 64 }
        var engine = store.engine
        var model = Model()
        try await engine.remember("so that the home is there", in: atlas)
        try await engine.forget(.filter(.session(nil)), under: atlas)
        for step in 0..<140 {
            let now = store.clock.advance(by: .seconds(1 + random.below(100)))
            let ids = model.entries.keys.sorted()
            let content = "text \(step) " + String(repeating: "and so on, ", count: random.below(16))
            switch ids.isEmpty ? 0 : random.below(16) {
            case 0...4:
                var draft = MemoryDraft(content)
                draft.tags = random.chance(0.3) ? ["t\(step % 3)"] : []
                draft.key = random.chance(0.5) ? "k\(random.below(6))" : nil
                let session = random.pick([nil, nil, "a", "b"])
                let namespace = session.map { atlas.session($0) } ?? atlas
                let there = draft.key.flatMap { model.id(ofKey: $0, session: session) }
                if let there, random.chance(0.5) {
                    draft.content = model.entries[there]!.versions.last!.content
                }
                let result = try await engine.remember(draft, in: namespace)
                let isSame =
                    there.map {
                        !model.entries[$0]!.versions.last!.isClosed
                            && model.entries[$0]!.versions.last!.content == draft.content
                            && (draft.tags.isEmpty || draft.tags == model.entries[$0]!.versions.last!.tags)
                    }
                    ?? false
                #expect(result.isNew == !isSame && (there == nil || result.id == there))
                guard !isSame else { continue }
                // The same words again leave what the draft does not say, as the validity, as it is.
                let last = there.flatMap { model.entries[$0]!.versions.last }
                let isAgain = last.map { !$0.isClosed && $0.content == draft.content } ?? false
                model.add(
                    .init(
                        content: draft.content, tags: draft.tags, session: session,
                        recorded: now..<Timestamp.distantFuture,
                        valid: isAgain ? last!.valid : Model.always, isClosed: false), to: result.id)
                model.entries[result.id]!.key = draft.key
            case 5...7:
                let id = random.pick(ids)
                let count = UInt32(model.entries[id]!.versions.count)
                let expecting = random.pick([nil, count, count + 1])
                if expecting == count + 1 {
                    let engine = engine
                    let error = await refusal {
                        try await engine.update(id, in: atlas, expecting: expecting) { $0.content = content }
                    }
                    #expect(error?.code == .conflict)
                    continue
                }
                try await engine.update(id, in: atlas, expecting: expecting) { $0.content = content }
                var version = model.entries[id]!.versions.last!
                version.content = content
                version.recorded = now..<Timestamp.distantFuture
                version.isClosed = false
                model.add(version, to: id)
            case 8, 9:
                let id = random.pick(ids)
                let successor = random.pick(ids)
                let isRetraction = random.chance(0.5)
                var version = model.entries[id]!.versions.last!
                // What is closed closes nothing else.
                let isRefused =
                    version.isClosed
                    || !isRetraction
                        && (id == successor || model.entries[successor]!.versions.last!.isClosed)
                do {
                    if isRetraction {
                        try await engine.retract(id, in: atlas)
                    } else {
                        try await engine.supersede(id, by: successor, in: atlas)
                    }
                } catch let error as EngineError {
                    #expect(error.code == (id == successor && !isRetraction ? .invalid : .conflict))
                    #expect(isRefused)
                    continue
                }
                #expect(!isRefused)
                version.recorded = now..<Timestamp.distantFuture
                version.valid = version.valid.lowerBound..<min(now, version.valid.upperBound)
                version.isClosed = true
                model.add(version, to: id)
            case 10, 11:
                let id = random.pick(ids)
                try await engine.forget(.id(id), under: atlas)
                model.entries[id] = nil
            case 12:
                let id = random.pick(ids)
                guard let session = model.entries[id]!.versions.last!.session else { continue }
                let isTaken = model.entries[id]!.key.map { model.id(ofKey: $0, session: nil) != nil } ?? false
                do {
                    try await engine.promote(id, from: atlas.session(session), to: atlas)
                } catch let error as EngineError {
                    #expect(isTaken && error.code == .conflict)
                    continue
                }
                #expect(!isTaken)
                var version = model.entries[id]!.versions.last!
                version.session = nil
                version.isClosed = false
                version.recorded = now..<Timestamp.distantFuture
                model.add(version, to: id)
            case 13: try await engine.fold(atlas)
            case 14: try await engine.rebuild(in: atlas)
            default:
                if random.chance(0.5) {
                    try await engine.compact(in: atlas)
                } else {
                    await engine.close()
                    engine = try store.reopened()
                }
            }
            if step % 20 == 19 {
                try await engine.expectClean(atlas)
                try await expect(engine, model, &random, now: store.clock.time)
            }
        }
        try await engine.expectClean(atlas)
        try await expect(engine, model, &random, now: store.clock.time)
        await engine.close()
    }
}
