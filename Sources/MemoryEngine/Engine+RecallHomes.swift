import Store

extension Engine {
    /// What each home answers, in their order; `nil` = it is not there.
    ///
    /// Several are asked side by side, in steps between which they sum up what they hold (`HomeWork`).
    func answers(of recalls: [HomeRecall]) async throws -> [(home: Namespace, answer: HomeRecall.Answer?)] {
        var shared = SharedStatistics()
        var works = recalls.map { HomeWork($0) }
        if recalls.count > 1 { works = try await self.works(works, after: .lookUp, shared) }
        var answers: [Namespace: HomeRecall.Answer] = [:]
        if works.count == 1 {
            // What is alone, or the only one that is there, needs no sums.
            for work in works { answers[work.recall.home] = try await answer(of: work.recall) }
        } else {
            shared.add(works, after: .lookUp)
            for step in HomeWork.Step.allCases.dropFirst() {
                works = try await self.works(works, after: step, shared)
                shared.add(works, after: step)
            }
            for work in works { answers[work.recall.home] = work.answer }
        }
        return recalls.map { ($0.home, answers[$0.home]) }
    }

    @inline(never)
    private func answer(of recall: HomeRecall) async throws -> HomeRecall.Answer? {
        try await withHome(of: recall.home, creating: false) { home in
            let (indexes, kept) = (home.indexes, home.kept)
            return try await read(home) { try recall.run(indexes, kept: kept, in: $0) }
        }
    }

    /// Lets each home do a step; without those that are not there.
    private func works(
        _ works: [HomeWork], after step: HomeWork.Step, _ shared: SharedStatistics
    ) async throws -> [HomeWork] {
        try await withThrowingTaskGroup(of: (Int, HomeWork?).self) { group in
            for (place, work) in works.enumerated() {
                group.addTask { (place, try await self.work(work, after: step, shared)) }
            }
            var done: [(place: Int, work: HomeWork)] = []
            for try await (place, work) in group {
                if let work { done.append((place, work)) }
            }
            return done.sorted { $0.place < $1.place }.map(\.work)
        }
    }

    @inline(never)
    private func work(
        _ work: HomeWork, after step: HomeWork.Step, _ shared: SharedStatistics
    ) async throws -> HomeWork? {
        try await withHome(of: work.recall.home, creating: false) { home in
            let (indexes, kept) = (home.indexes, home.kept)
            return try await read(home) { try work.after(step, shared, indexes, kept: kept, in: $0) }
        }
    }
}
