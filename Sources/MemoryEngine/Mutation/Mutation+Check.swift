import HNSW

extension Mutation.NewVector {
    /// Refuses a vector that does not fit into its space, by name.
    static func check(_ vector: Mutation.NewVector) throws(EngineError) {
        do {
            try Distance.check(
                vector.vector, dimension: vector.space.dimension, metric: vector.space.metric.stored)
        } catch {
            throw EngineError(.invalidVector, "\(error.message) (space \(vector.space.name))")
        }
    }
}
