import MemoryEngine

extension Embedder {
    /// The text of an input, for an embedder that takes nothing else.
    ///
    /// - Throws: `EngineError` with code `embedder` for an image or a video.
    func text(of input: EmbeddingInput) throws -> String {
        guard case .text(let text) = input else {
            throw EngineError(
                .embedder, "\(space.name) embeds text only; give images and videos a vector")
        }
        return text
    }
}
