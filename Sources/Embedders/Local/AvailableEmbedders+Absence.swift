import MemoryEngine

/// Why nothing makes vectors in a space: of what is there, named or configured, only what concerns that space.
extension AvailableEmbedders {
    /// What of this process made the vectors of a space, by its name.
    private enum Origin { case model, table }

    /// Both have a revision, which services have not; `nil` = neither.
    private static func origin(of space: EmbeddingSpace) -> Origin? {
        guard !space.revision.isEmpty, space.model != HashEmbedder().space.model else { return nil }
        return space.model.hasSuffix(TokenTableMaker.modelSuffix) ? .table : .model
    }

    /// Why what is there or named cannot make vectors in a space, or (`nil`) those of new homes.
    package func fault(of space: EmbeddingSpace?) -> EngineError? {
        guard let space else { return fault }
        return switch Self.origin(of: space) {
        case .model: modelFault
        case .table: tableFault
        case nil: nil
        }
    }

    /// Why none of them makes vectors in a space, and the way out; `nil` = that is not known.
    package func absence(of space: EmbeddingSpace) -> String? {
        for service in ServiceSettings.Service.allCases where services.space(of: service) == space {
            do { _ = try services.embedder(of: service) } catch {
                return (error as? EngineError)?.message ?? "\(error)"
            }
            let option = ServiceSettings.ofMedia.contains(service) ? "--media" : "--embedder"
            return "say \(option) \(service.rawValue)"
        }
        if preference == .none { return "--embedder none makes no vectors" }
        if let fault = fault(of: space) { return fault.message }
        switch Self.origin(of: space) {
        case .model:
            guard let local else {
                return
                    "no model is there that makes them: run `make model`, or set \(Self.variable) to its folder"
            }
            return Self.difference(space, local.space, "model in \(local.folder)", Self.variable) {
                try local.load()
            }
        case .table:
            guard let table else {
                return "no table of tokens is there that makes them: run `loci model distil`, or set "
                    + "\(Self.tableVariable) to it"
            }
            return Self.difference(space, table.space, "table \(table.path)", Self.tableVariable) {
                try table.load()
            }
        case nil: return services.difference(ofServerFrom: space)
        }
    }

    /// How what is there differs from what made a space; where it is damaged, that is why.
    private static func difference(
        _ space: EmbeddingSpace, _ other: EmbeddingSpace, _ name: String, _ variable: String,
        _ load: () throws -> Void
    ) -> String {
        guard other.model == space.model else {
            return
                "the \(name) is another: its space is \(other.name); set \(variable) to that of \(space.model)"
        }
        do { try load() } catch { return (error as? EngineError)?.message ?? "\(error)" }
        return "the \(space.model) that is there has other weights: its space is \(other.name)"
    }

    /// What is configured, and wrong, in words: a model, a table, services that lack no setting.
    package var wrong: [String] {
        let faults = [modelFault, tableFault].compactMap { $0?.message }
        if let problem = services.problem { return faults + [problem] }
        return faults
            + ServiceSettings.Service.allCases.filter { services.missing(of: $0).isEmpty }.compactMap {
                do {
                    _ = try services.embedder(of: $0)
                    return nil
                } catch {
                    return (error as? EngineError)?.message ?? "\(error)"
                }
            }
    }
}
