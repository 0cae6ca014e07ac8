import Foundation
import MemoryEngine

/// A small home of texts, with names in it that are one thing's and names that are not (`entities.txt`, which tells its form).
package struct LabelledNames {
    package struct Text {
        package var content: String
        package var actor: String?
        package var thread: String?
        package var files: [String] = []
    }

    package struct Pair {
        package var first: String
        package var second: String
    }

    package var name: String
    /// Whether the rules were made without it.
    package var isAside: Bool
    package var texts: [Text] = []
    package var joined: [Pair] = []
    package var apart: [Pair] = []

    /// All homes of the file beside this one.
    package static func all() throws -> [LabelledNames] {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "entities.txt")
        let lines = String(decoding: try Data(contentsOf: path), as: UTF8.self).split(separator: "\n")
        var homes: [LabelledNames] = []
        for line in lines where !line.hasPrefix("# ") {
            if line.hasPrefix("## ") {
                let title = line.dropFirst(3)
                let aside = "aside: "
                homes.append(LabelledNames(name: String(title), isAside: title.hasPrefix(aside)))
                continue
            }
            guard !homes.isEmpty else { continue }
            homes[homes.count - 1].add(line)
        }
        return homes
    }

    private mutating func add(_ line: Substring) {
        func pair() -> Pair {
            let names = line.dropFirst(2).split(separator: " ~ ", maxSplits: 1).map(String.init)
            return Pair(first: names[0], second: names[names.count - 1])
        }
        func parts() -> (Substring, String) {
            let parts = line.dropFirst().split(separator: ": ", maxSplits: 1)
            return (parts[0], String(parts[parts.count - 1]))
        }
        switch line.first {
        case "=": joined.append(pair())
        case "!": apart.append(pair())
        case "@":
            let (head, content) = parts()
            let names = head.split(separator: "|").map(String.init)
            texts.append(Text(content: content, actor: names[0], thread: names.last))
        case "%":
            let (head, content) = parts()
            texts.append(Text(content: content, files: head.split(separator: " ").map(String.init)))
        default: texts.append(Text(content: String(line)))
        }
    }
}

/// How well the pairs of a labelled set are told.
package struct LabelledScore {
    /// Pairs that are one and were joined.
    package var right = 0
    /// Pairs that were joined and are not one, or not said to be.
    package var wrong: [String] = []
    /// Pairs that are one and were not joined.
    package var missed: [String] = []
    /// Pairs that look alike, and were rightly left.
    package var left = 0
    /// Names of the file that no entity has: a mistake of the file.
    package var unknown: [String] = []

    package var precision: Double { Double(right) / Double(max(1, right + wrong.count)) }
    package var recall: Double { Double(right) / Double(max(1, right + missed.count)) }

    package init() {}

    package mutating func add(_ other: LabelledScore) {
        right += other.right
        left += other.left
        wrong += other.wrong
        missed += other.missed
        unknown += other.unknown
    }
}

extension LabelledNames {
    private struct Entity {
        var id: MemoryID
        var surface: String
        var name: String

        func isCalled(_ label: String) -> Bool {
            surface == label || name == label || surface.lowercased() == label.lowercased()
        }
    }

    /// Remembers the texts in a home of their own, runs the step, and compares.
    ///
    /// Every pair of names that was joined, directly or by others, counts: as right where the labels, taken together, say that
    /// they are one, else as wrong.
    package func score(in engine: Engine) async throws -> LabelledScore {
        let home = Namespace.project(name.filter { $0.isLetter || $0.isNumber })
        var entities: [MemoryID: Entity] = [:]
        var ids: [MemoryID] = []
        for text in texts {
            var draft = MemoryDraft(text.content)
            draft.kind = !text.files.isEmpty ? .commit : text.actor == nil ? .note : .message
            draft.actor = text.actor
            draft.thread = text.thread
            draft.keywords = text.files
            ids.append(try await engine.remember(draft, in: home).id)
        }
        try await engine.consolidate(in: home, steps: [.entities])
        for id in ids {
            for edge in try await engine.edges(of: id, in: home, direction: .out, kinds: [.mentions]) {
                guard entities[edge.to] == nil, let memory = try await engine.get(edge.to, in: home) else {
                    continue
                }
                entities[edge.to] = Entity(
                    id: edge.to, surface: memory.content, name: memory.attributes["name"]?.description ?? "")
            }
        }
        var found = Groups<MemoryID>()
        for conclusion in try await engine.conclusions(in: home, steps: [.entities]) {
            found.join(conclusion.edge.from, conclusion.edge.to)
        }
        return compare(Array(entities.values), found)
    }

    private func compare(_ entities: [Entity], _ found: Groups<MemoryID>) -> LabelledScore {
        var score = LabelledScore()
        var truth = Groups<String>()
        var byLabel: [String: [MemoryID]] = [:]
        var labels: [MemoryID: String] = [:]
        for pair in joined + apart {
            for label in [pair.first, pair.second] where byLabel[label] == nil {
                let named = entities.filter { $0.isCalled(label) }
                byLabel[label] = named.map(\.id)
                for entity in named { labels[entity.id] = label }
                if named.isEmpty { score.unknown.append("\(name): \(label)") }
            }
        }
        for pair in joined { truth.join(pair.first, pair.second) }
        func areJoined(_ a: String, _ b: String) -> Bool {
            (byLabel[a] ?? []).contains { one in (byLabel[b] ?? []).contains { found.areOne(one, $0) } }
        }
        for pair in joined where !areJoined(pair.first, pair.second) {
            score.missed.append("\(name): \(pair.first) ~ \(pair.second)")
        }
        for pair in apart where !areJoined(pair.first, pair.second) { score.left += 1 }
        // Each pair of names once, whatever sorts of entities they are.
        let names = Set(entities.map { labels[$0.id] ?? $0.surface.lowercased() }).sorted()
        for (place, a) in names.enumerated() {
            for b in names[(place + 1)...] {
                let one = entities.filter { (labels[$0.id] ?? $0.surface.lowercased()) == a }
                let two = entities.filter { (labels[$0.id] ?? $0.surface.lowercased()) == b }
                guard one.contains(where: { x in two.contains { found.areOne(x.id, $0.id) } }) else {
                    continue
                }
                if truth.areOne(a, b) { score.right += 1 } else { score.wrong.append("\(name): \(a) ~ \(b)") }
            }
        }
        return score
    }
}

/// Things put together two by two.
private struct Groups<Element: Hashable> {
    private var roots: [Element: Element] = [:]

    private func root(_ element: Element) -> Element {
        var element = element
        while let next = roots[element] { element = next }
        return element
    }

    mutating func join(_ a: Element, _ b: Element) {
        let (a, b) = (root(a), root(b))
        if a != b { roots[a] = b }
    }

    func areOne(_ a: Element, _ b: Element) -> Bool { root(a) == root(b) }
}
