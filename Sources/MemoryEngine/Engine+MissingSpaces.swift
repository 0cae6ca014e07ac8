import Store

/// What a version that was stored has no vector in, and whether that can be made up for.
extension Engine {
    /// The spaces in which a version has no vector.
    struct MissingSpaces: Sendable {
        /// Those in which it may get one yet.
        var spaces: [EmbeddingSpace] = []
        /// Why what is attached gets none.
        var refusals: [String] = []
        /// Why it has none in the others yet, as far as that is known.
        var failures: [String] = []
    }

    /// The same, or nothing where that cannot be read: what is stored is not told as a failure.
    func knownMissingSpaces(
        _ versions: [Mutation.NewVersion], _ outcomes: [Applier.Outcome], _ home: Home
    ) async -> [MissingSpaces] {
        (try? await missingSpaces(versions, outcomes, home)) ?? outcomes.map { _ in MissingSpaces() }
    }

    /// For each version that a mutation held, the spaces in which it has no vector yet.
    ///
    /// - Complexity: a look-up for each that did not come with all its vectors. What is attached to these is read where it is
    ///   not at hand.
    func missingSpaces(
        _ versions: [Mutation.NewVersion], _ outcomes: [Applier.Outcome], _ home: Home
    ) async throws -> [MissingSpaces] {
        var missing = [MissingSpaces](repeating: MissingSpaces(), count: outcomes.count)
        let own = try embedders(of: home)
        let hasTexts = own.current?.modalities.contains(.text) ?? true
        let asked = Modality.allCases.compactMap { modality -> (space: EmbeddingSpace, modality: Modality)? in
            let space = modality == .text ? hasTexts ? own.space : nil : own.roles[modality]
            return space.map { ($0, modality) }
        }
        // What came with all its vectors, as nearly everything does, is not looked up.
        let doubtful: [(place: Int, id: MemoryID, version: UInt32)] = outcomes.enumerated().compactMap {
            place, outcome in
            guard case .stored(let id, let version, let isNew) = outcome else { return nil }
            let isWhole =
                isNew && asked.allSatisfy { versions[place].isEmbedded(in: $0.space, $0.modality) }
            return isWhole ? nil : (place, id, version)
        }
        guard !doubtful.isEmpty else { return missing }
        let lacking = try await read(home) { transaction in
            try doubtful.map { one in
                try asked.filter {
                    try Self.lacks($0.space, $0.modality, one.id, one.version, in: transaction)
                }
            }
        }
        for (one, spaces) in zip(doubtful, lacking) {
            for (space, modality) in spaces {
                if let refusal = try await refusal(of: versions[one.place], space, modality, home) {
                    missing[one.place].refusals.append(refusal)
                } else {
                    missing[one.place].spaces.append(space)
                    let isAbsent = modality == .text ? own.missing == space : own.media[modality] == nil
                    let failure =
                        versions[one.place].failures[space] ?? (isAbsent ? absence(of: space) : nil)
                    if let failure, !missing[one.place].failures.contains(failure) {
                        missing[one.place].failures.append(failure)
                    }
                }
            }
        }
        if missing.contains(where: { !$0.spaces.isEmpty }) { lookAfter(home.namespace) }
        return missing
    }

    /// Why no model takes what is attached to a version; `nil` = one may.
    private func refusal(
        of version: Mutation.NewVersion, _ space: EmbeddingSpace, _ modality: Modality, _ home: Home
    ) async throws -> String? {
        guard modality != .text, let attachment = version.fields.attachments.embedded(modality) else {
            return nil
        }
        if let refusal = version.refusals[space] { return refusal }
        do {
            _ = try await input(of: Medium(attachment, modality), home)
            return nil
        } catch let error as EngineError where Self.isRefusal(error) {
            // What an embedder was asked for was told then.
            warnOfRefusal(error.message, home.namespace)
            return error.message
        }
    }

    private static func lacks(
        _ space: EmbeddingSpace, _ modality: Modality, _ id: MemoryID, _ version: UInt32,
        in transaction: borrowing ReadTransaction
    ) throws -> Bool {
        guard let row = try Lookup.row(of: id, in: transaction),
            let record = try VersionRecord.read(row, version, in: transaction)
        else { return false }
        let state = try HomeState.read(in: transaction)
        let number = try SpaceRecord.open(in: transaction).first { $0.space == space }?.number
        if modality != .text, record.fields.attachments.embedded(modality) == nil { return false }
        for (part, range) in record.ranges.enumerated()
        where modality == .text ? !range.isEmpty : part == 0 {
            guard let number,
                try PassageReader.slot(record.firstPassage + UInt32(part), number, state, in: transaction)
                    != nil
            else { return true }
        }
        return false
    }
}
