import Store

/// How much recall how many candidates bring, as an index measured it on itself.
package struct RecallCurve: Sendable, Equatable {
    package struct Point: Sendable, Equatable {
        package let ef: Int
        /// The share of the exact `neighborCount` nearest that were found, 0 to 1.
        package let recall: Float

        package init(ef: Int, recall: Float) {
            self.ef = ef
            self.recall = recall
        }
    }

    /// By ascending `ef`; recall does not descend.
    package let points: [Point]
    package let neighborCount: Int
    package let sampleCount: Int
    /// How many slots were linked when it was measured.
    package let linkedSlots: UInt32

    private static let form: UInt8 = 1
    private static let mostPoints = 64

    package init(points: [Point], neighborCount: Int, sampleCount: Int, linkedSlots: UInt32) {
        precondition(!points.isEmpty && points.count <= Self.mostPoints)
        var most: Float = 0
        self.points = points.map { point in
            most = max(most, point.recall)
            return Point(ef: point.ef, recall: most)
        }
        self.neighborCount = neighborCount
        self.sampleCount = sampleCount
        self.linkedSlots = linkedSlots
    }

    /// The fewest candidates that bring a recall, between two points by their straight line; twice the most that were
    /// tried where none brought it.
    package func ef(for recall: Double) -> Int {
        let wanted = Float(recall)
        guard let next = points.firstIndex(where: { $0.recall >= wanted }) else {
            return points[points.count - 1].ef * 2
        }
        guard next > 0, points[next].recall > points[next - 1].recall else { return points[next].ef }
        let (low, high) = (points[next - 1], points[next])
        let share = (wanted - low.recall) / (high.recall - low.recall)
        return low.ef + Int((Float(high.ef - low.ef) * share).rounded(.up))
    }

    func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.u8(Self.form)
        writer.u32(linkedSlots)
        writer.u16(UInt16(neighborCount))
        writer.u32(UInt32(sampleCount))
        writer.u8(UInt8(points.count))
        for point in points {
            writer.u32(UInt32(point.ef))
            writer.f32(point.recall)
        }
        return writer.bytes
    }

    /// - Throws: `StoreError.corrupted` for bytes that are no curve; `foreign` for a later form.
    init(decoding bytes: RawSpan) throws {
        var reader = ByteReader(bytes)
        let form = try reader.u8()
        guard form == Self.form else {
            throw StoreError(
                .foreign, "the recall curve of a vector index has form \(form); use a newer program")
        }
        linkedSlots = try reader.u32()
        neighborCount = Int(try reader.u16())
        sampleCount = Int(try reader.u32())
        let count = try reader.u8()
        var points: [Point] = []
        for _ in 0..<count { points.append(Point(ef: Int(try reader.u32()), recall: try reader.f32())) }
        try reader.finish()
        self.points = points
        let isSorted = zip(points, points.dropFirst()).allSatisfy { $0.ef < $1.ef && $0.recall <= $1.recall }
        guard !points.isEmpty, points.count <= Self.mostPoints, isSorted, neighborCount > 0,
            points.allSatisfy({ (1...Scratch.largestQueue).contains($0.ef) && (0...1).contains($0.recall) })
        else { throw StoreError(.corrupted, "the recall curve of a vector index contradicts itself") }
    }
}

extension HNSWIndex {
    private var curveKey: Key { Key(prefix: LinkPages.Kind.curve.rawValue).u16(segments.space) }

    /// What was measured last on this graph; `nil` if nothing was.
    ///
    /// - Throws: `StoreError.corrupted`.
    package func curve(in transaction: borrowing ReadTransaction) throws -> RecallCurve? {
        guard let bytes = try table.get(curveKey, in: transaction) else { return nil }
        return try RecallCurve(decoding: bytes)
    }

    /// Keeps a curve, until the graph is given up. Returns false if the graph that it was measured on is no more.
    package func keep(_ curve: RecallCurve, in transaction: borrowing WriteTransaction) throws -> Bool {
        guard try hasGraph(in: transaction.snapshot),
            let state = try state(in: transaction.snapshot), state.linkedSlots >= curve.linkedSlots
        else { return false }
        try table.put(curveKey, curve.encode(), in: transaction)
        return true
    }

    /// How many candidates bring a recall: by the curve, else as many as searches keep that name none.
    package func ef(for recall: Double, in transaction: borrowing ReadTransaction) throws -> Int {
        min(max(1, try curve(in: transaction)?.ef(for: recall) ?? parameters.efSearch), Self.largestEf)
    }

    /// Numbers of candidates that are tried, until one finds nearly all.
    private static let triedEf = [8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1_024]
    private static let enough: Float = 0.9995

    /// Measures recall on questions between rows: each is the mean of a row and one of its neighbors, so that it lies
    /// where rows do and is none of them.
    ///
    /// - Parameters:
    ///   - k: how many nearest are asked for.
    ///   - sampleCount: questions; rows at even distances.
    ///   - tried: numbers of candidates, ascending; by default from 8 on, until nearly all are found.
    ///   - progress: done and all, in steps.
    /// - Returns: `nil` if there is no graph, or it was stopped.
    /// - Complexity: O(`sampleCount` × rows × dimension) for the exact answers.
    package func measureRecall(
        k: Int = 10, sampleCount: Int = 200, tried: [Int]? = nil, _ extent: VectorSegments.Extent,
        in transaction: borrowing ReadTransaction, progress: (Int, Int) -> Void = { _, _ in },
        shouldStop: () -> Bool = { false }
    ) throws -> RecallCurve? {
        guard let state = try state(in: transaction), state.nodeCount > 0, !state.isDropping else {
            return nil
        }
        let questions = try questions(sampleCount, state, extent, in: transaction)
        let tried = tried ?? Self.triedEf
        let steps = questions.count + tried.count
        // The nearest, and the score at which another row is as near as the last of them.
        var exact: [(slots: Set<UInt32>, least: Float)] = []
        var expected = 0
        for (done, question) in questions.enumerated() {
            progress(done, steps)
            let all = try search(
                question, k: k, isExact: true, extent, in: transaction, shouldStop: shouldStop)
            guard all.isComplete else { return nil }
            expected += all.neighbors.count
            exact.append((Set(all.neighbors.map(\.slot)), all.neighbors.last?.score ?? .infinity))
        }
        guard expected > 0 else { return nil }
        var points: [RecallCurve.Point] = []
        for (done, number) in tried.enumerated() {
            progress(questions.count + done, steps)
            let ef = max(number, k)
            if let last = points.last, last.ef >= ef || last.recall >= Self.enough { continue }
            var found = 0
            for (question, exact) in zip(questions, exact) {
                let result = try search(
                    question, k: k, ef: ef, extent, in: transaction, shouldStop: shouldStop)
                guard result.isComplete else { return nil }
                found += result.neighbors.count { exact.slots.contains($0.slot) || $0.score >= exact.least }
            }
            points.append(RecallCurve.Point(ef: ef, recall: min(1, Float(found) / Float(expected))))
        }
        progress(steps, steps)
        return RecallCurve(
            points: points, neighborCount: k, sampleCount: questions.count, linkedSlots: state.linkedSlots)
    }

    private func questions(
        _ count: Int, _ state: IndexState, _ extent: VectorSegments.Extent,
        in transaction: borrowing ReadTransaction
    ) throws -> [[Float]] {
        let table = try pointers.table(state, extent, self, in: transaction)
        let graph = table.graph(state, segments)
        var questions: [[Float]] = []
        for number in 0..<UInt64(count) {
            let slot = UInt32(UInt64(state.linkedSlots) * number / UInt64(count))
            guard table.rows.passage(slot) != VectorSegments.noPassage else { continue }
            let list = try neighbors(of: slot, state, in: transaction).filter {
                table.rows.passage($0) != VectorSegments.noPassage
            }
            guard !list.isEmpty else { continue }
            let other = list[Int(SplitMix64.number(number, of: state.seed) % UInt64(list.count))]
            // Safe because slots below the linked ones have rows as long as the dimension, while the table is kept.
            let (a, b) = unsafe (graph.row(slot), graph.row(other))
            let scales: [Float] = [slot, other].map {
                segments.metric == .cosine ? graph.auxiliary($0) : 1
            }
            let question = (0..<segments.dimension).map {
                unsafe (a[$0] * scales[0] + b[$0] * scales[1]) / 2
            }
            // Of two rows that point apart nothing may be left.
            if (try? Distance.check(question, dimension: segments.dimension, metric: segments.metric)) != nil
            {
                questions.append(question)
            }
        }
        withExtendedLifetime(table) {}
        return questions
    }

    /// The neighbors of a node in layer 0, verified.
    private func neighbors(
        of slot: UInt32, _ state: IndexState, in transaction: borrowing ReadTransaction
    ) throws -> [UInt32] {
        let pages = bottomPages(state)
        let (page, place) = pages.divider.quotientAndRemainder(slot)
        let payload = try pages.page(page, in: transaction)
        return pages.entries(place, of: payload).map { $0 & Slot.mask }.filter { $0 < state.linkedSlots }
    }
}
