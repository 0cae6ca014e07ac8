@testable import MemoryEngine
@testable import Store

/// Texts and images in one space, as SigLIP has them: an image shows what the byte behind it says.
final class SightEmbedder: Embedder {
    let space: EmbeddingSpace
    let modalities: Set<Modality>
    let limits: EmbedderLimits
    private let state = Mutex<
        (isOff: Bool, offCalls: Range<Int>, images: Int, refused: Int, texts: [String])
    >((false, 0..<0, 0, 0, []))

    static let dog: UInt8 = 1
    static let ship: UInt8 = 2
    /// What the service cannot read, though it begins as an image does.
    static let broken: UInt8 = 9

    private let refusal: EngineError.Code

    init(
        _ modalities: Set<Modality> = [.text, .image], model: String = "sight",
        refusing refusal: EngineError.Code = .invalid, batchCount: Int = 4
    ) {
        limits = EmbedderLimits(maximumBatchCount: batchCount)
        self.modalities = modalities
        self.refusal = refusal
        space = EmbeddingSpace(model: model, dimension: 3)
    }

    var isOff: Bool {
        get { state.withLock { $0.isOff } }
        set { state.withLock { $0.isOff = newValue } }
    }
    /// For the next calls.
    func turnOff(for calls: Int) { state.withLock { $0.offCalls = 0..<calls } }
    /// From the call behind so many on.
    func turnOff(after calls: Int) { state.withLock { $0.offCalls = calls..<Int.max } }
    var imageCount: Int { state.withLock { $0.images } }
    var refusedCount: Int { state.withLock { $0.refused } }
    var texts: [String] { state.withLock { $0.texts } }

    func embed(_ inputs: [EmbeddingInput], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        let fails = state.withLock { state in
            let off = state.offCalls
            state.offCalls =
                max(0, off.lowerBound - 1)..<(off.upperBound == .max ? .max : max(0, off.upperBound - 1))
            return state.isOff || off.contains(0)
        }
        if fails { throw EngineError(.embedder, "no worker is there") }
        return try inputs.map { input in
            switch input {
            case .text(let text):
                state.withLock { $0.texts.append(text) }
                return text.contains("animal") ? [1, 0, 0.1] : [0, 1, 0.1]
            case .image(let bytes), .video(let bytes):
                guard bytes.last != Self.broken else {
                    state.withLock { $0.refused += 1 }
                    throw EngineError(refusal, "bad_image")
                }
                state.withLock { $0.images += 1 }
                return bytes.last == Self.dog ? [1, 0, 0] : bytes.last == Self.ship ? [0, 1, 0] : [0, 0, 1]
            case .frames: return [0, 0, 1]
            }
        }
    }
}
