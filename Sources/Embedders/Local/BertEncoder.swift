import CEncoder
import Foundation
import MemoryEngine

/// A model of the BERT family in memory: tokens in, vectors of length 1 out.
///
/// Weights of linear layers are packed for the kernels of this processor when the model is loaded; the table of words
/// stays in the file, mapped. Any number of threads may use it at once, each with scratch of its own.
///
/// Rows of tokens of several texts lie end to end: only attention knows where a text ends, so that short texts beside
/// long ones cost nothing for padding.
@safe
final class BertEncoder: @unchecked Sendable {
    let configuration: BertConfiguration
    let kernels: Kernels

    private let file: MappedFile
    private let words: Int
    private let positions: Int
    private let types: Int
    private let layers: [Layer]
    private let normGain: Int
    private let normShift: Int
    /// All that is copied out of the file; the numbers below and of layers are offsets into it, in bytes.
    private let memory: Memory
    private let scratches = Mutex<[Memory]>([])

    private struct Layer {
        var attention = Linear(), projection = Linear(), up = Linear(), down = Linear()
        var attentionGain = 0, attentionShift = 0, outputGain = 0, outputShift = 0
    }

    private struct Linear { var weights = 0, bias = 0 }

    /// Rows of a text beyond which the next one goes into a batch of its own: what a layer computes stays in the
    /// second cache of a core.
    static let batchTokenCount = 128

    /// - Throws: `EngineError` with code `corrupted`: a tensor is missing, or of another shape.
    init(_ configuration: BertConfiguration, file: MappedFile, kernels: Kernels) throws {
        self.configuration = configuration
        self.kernels = kernels
        self.file = file
        let head = try Safetensors.headByteCount(of: file.prefix(8), fileByteCount: file.byteCount)
        let source = Source(
            tensors: try Safetensors(head: file.prefix(head), fileByteCount: file.byteCount).tensors)
        let (hidden, wide) = (configuration.hidden, configuration.intermediate)
        words = try source.offset(
            "embeddings.word_embeddings.weight", [configuration.vocabularyCount, hidden])
        positions = try source.offset(
            "embeddings.position_embeddings.weight", [configuration.positionCount, hidden])
        types = try source.offset(
            "embeddings.token_type_embeddings.weight", [configuration.typeCount, hidden])

        // First where everything goes, then the copying.
        var plan = Plan(variant: kernels.variant)
        normGain = plan.vector(try source.offset("embeddings.LayerNorm.weight", [hidden]), hidden)
        normShift = plan.vector(try source.offset("embeddings.LayerNorm.bias", [hidden]), hidden)
        var layers: [Layer] = []
        for number in 0..<configuration.layerCount {
            let name = "encoder.layer.\(number)."
            func linear(_ parts: [String], _ outputs: Int, _ inputs: Int) throws -> Linear {
                let bias = try parts.map { try source.offset("\(name)\($0).bias", [outputs]) }
                let weights = try parts.map { try source.offset("\(name)\($0).weight", [outputs, inputs]) }
                return Linear(
                    weights: plan.matrix(weights, outputs, inputs), bias: plan.vectors(bias, outputs))
            }
            func vector(_ part: String) throws -> Int {
                plan.vector(try source.offset(name + part, [hidden]), hidden)
            }
            layers.append(
                Layer(
                    attention: try linear(
                        ["query", "key", "value"].map { "attention.self.\($0)" }, hidden, hidden),
                    projection: try linear(["attention.output.dense"], hidden, hidden),
                    up: try linear(["intermediate.dense"], wide, hidden),
                    down: try linear(["output.dense"], hidden, wide),
                    attentionGain: try vector("attention.output.LayerNorm.weight"),
                    attentionShift: try vector("attention.output.LayerNorm.bias"),
                    outputGain: try vector("output.LayerNorm.weight"),
                    outputShift: try vector("output.LayerNorm.bias")))
        }
        self.layers = layers
        memory = Memory(byteCount: plan.byteCount)
        plan.copy(from: file, to: memory)
    }

    /// Where a model's table of words begins in its file, a row of 32-bit floats for each token.
    ///
    /// - Throws: `EngineError` with code `corrupted`, or `embedder` for weights of another kind.
    static func wordsOffset(_ configuration: BertConfiguration, file: MappedFile) throws -> Int {
        let head = try Safetensors.headByteCount(of: file.prefix(8), fileByteCount: file.byteCount)
        let tensors = try Safetensors(head: file.prefix(head), fileByteCount: file.byteCount).tensors
        return try Source(tensors: tensors).offset(
            "embeddings.word_embeddings.weight", [configuration.vocabularyCount, configuration.hidden])
    }

    /// One vector for each list of tokens.
    ///
    /// - Precondition: no list is empty or longer than the model's positions, and all tokens are of its vocabulary.
    /// - Throws: `EngineError` with code `corrupted` if a vector is not finite, as damaged weights make them.
    func vectors(of texts: [[Int32]]) throws -> [[Float]] {
        let tokens = texts.reduce(0) { $0 + $1.count }
        guard tokens > 0 else { return [] }
        precondition(texts.allSatisfy { (1...configuration.positionCount).contains($0.count) })
        precondition(
            texts.allSatisfy { $0.allSatisfy { $0 >= 0 && $0 < Int32(configuration.vocabularyCount) } })
        let areas = Areas(configuration, kernels, tokens: tokens, longest: texts.map(\.count).max() ?? 0)
        let scratch = takeScratch(areas.byteCount)
        defer { scratches.withLock { $0.append(scratch) } }
        // Safe because the area of rows is as large as all tokens need.
        unsafe embed(texts, scratch.floats(areas.x))
        for layer in layers { apply(layer, texts, areas, scratch) }
        return try unsafe pooled(texts, scratch.floats(areas.x))
    }

    /// Scratch that nobody else uses meanwhile.
    private func takeScratch(_ byteCount: Int) -> Memory {
        let kept = scratches.withLock { $0.popLast() }
        if let kept, kept.byteCount >= byteCount { return kept }
        return Memory(byteCount: max(byteCount, kept?.byteCount ?? 0))
    }

    private func embed(_ texts: [[Int32]], _ x: UnsafeMutablePointer<Float>) {
        let (hidden, rowBytes) = (configuration.hidden, configuration.hidden * 4)
        var row = 0
        for text in texts {
            for (position, token) in text.enumerated() {
                // Safe because the tables' shapes were checked, and tokens and positions are within them.
                unsafe encoder_add_rows(
                    file.address(of: words + Int(token) * rowBytes),
                    file.address(of: positions + position * rowBytes), file.address(of: types), hidden,
                    x + row * hidden)
                row += 1
            }
        }
        unsafe encoder_add_norm(
            kernels.variant, x, nil, row, hidden, memory.floats(normGain), memory.floats(normShift),
            configuration.epsilon)
    }

    private func apply(_ layer: Layer, _ texts: [[Int32]], _ areas: Areas, _ scratch: Memory) {
        let (hidden, variant) = (configuration.hidden, kernels.variant)
        // Safe because the areas are as large as these functions write, and lie side by side.
        let x = unsafe scratch.floats(areas.x)
        let qkv = unsafe scratch.floats(areas.wide)
        let attended = unsafe scratch.floats(areas.attended)
        let more = unsafe scratch.floats(areas.more)
        unsafe run(layer.attention, x, areas, hidden, 3 * hidden, scratch, qkv)
        var row = 0
        for text in texts {
            unsafe encoder_attention(
                variant, qkv + row * 3 * hidden, text.count, configuration.headCount, configuration.headWidth,
                scratch.bytes(areas.scratch), attended + row * hidden)
            row += text.count
        }
        unsafe run(layer.projection, attended, areas, hidden, hidden, scratch, more)
        unsafe encoder_add_norm(
            variant, x, more, row, hidden, memory.floats(layer.attentionGain),
            memory.floats(layer.attentionShift), configuration.epsilon)
        unsafe run(layer.up, x, areas, hidden, configuration.intermediate, scratch, qkv, hasGELU: true)
        unsafe run(layer.down, qkv, areas, configuration.intermediate, hidden, scratch, more)
        unsafe encoder_add_norm(
            variant, x, more, row, hidden, memory.floats(layer.outputGain), memory.floats(layer.outputShift),
            configuration.epsilon)
    }

    private func run(
        _ linear: Linear, _ x: UnsafePointer<Float>, _ areas: Areas, _ inputs: Int, _ outputs: Int,
        _ scratch: Memory, _ out: UnsafeMutablePointer<Float>, hasGELU: Bool = false
    ) {
        // Safe because `x` has `areas.tokens` rows of inputs, and `out` room for as many of outputs.
        unsafe encoder_linear(
            kernels.variant, x, areas.tokens, inputs, memory.bytes(linear.weights),
            memory.floats(linear.bias),
            outputs, hasGELU ? 1 : 0, scratch.bytes(areas.scratch), out)
    }

    private func pooled(_ texts: [[Int32]], _ x: UnsafePointer<Float>) throws -> [[Float]] {
        let hidden = configuration.hidden
        var row = 0
        return try texts.map { text in
            var vector = [Float](repeating: 0, count: hidden)
            let count = configuration.pooling == .mean ? text.count : 1
            // Safe because the rows are the text's, and the vector has room for one.
            guard unsafe encoder_unit_mean(x + row * hidden, count, hidden, &vector) == 1 else {
                throw EngineError(
                    .corrupted, "the model's weights are damaged: its vectors are no numbers; fetch it again")
            }
            row += text.count
            return vector
        }
    }

    /// Where in the scratch what lies, in bytes.
    private struct Areas {
        let tokens: Int
        let x = 0
        /// Queries, keys and values; later what the first layer of two computes.
        let wide: Int
        let attended: Int
        let more: Int
        let scratch: Int
        let byteCount: Int

        init(_ shape: BertConfiguration, _ kernels: Kernels, tokens: Int, longest: Int) {
            self.tokens = tokens
            let row = Memory.rounded(tokens * shape.hidden * 4)
            wide = row
            attended = wide + Memory.rounded(tokens * max(3 * shape.hidden, shape.intermediate) * 4)
            more = attended + row
            scratch = more + row
            byteCount =
                scratch
                + max(
                    encoder_attention_scratch_bytes(kernels.variant, longest, shape.headWidth),
                    encoder_linear_scratch_bytes(
                        kernels.variant, tokens, max(shape.hidden, shape.intermediate)))
        }
    }

    /// Takes tensors by their names.
    private struct Source {
        let tensors: [String: Safetensors.Tensor]

        /// Where the numbers of a tensor begin, which is of 32-bit floats and has this shape.
        func offset(_ name: String, _ shape: [Int]) throws -> Int {
            guard let tensor = tensors[name] ?? tensors["bert." + name] else {
                throw EngineError(.corrupted, "damaged: the tensor \(name) is missing")
            }
            guard tensor.type == "F32" else {
                throw EngineError(
                    .embedder,
                    "of another kind: the tensor \(name) has the type \(tensor.type); convert the weights to F32"
                )
            }
            guard tensor.shape == shape else {
                throw EngineError(
                    .corrupted, "damaged: the tensor \(name) has the shape \(tensor.shape), not \(shape)")
            }
            return tensor.bytes.lowerBound
        }
    }

    /// What is copied from where to where.
    private struct Plan {
        let variant: Int32
        private(set) var byteCount = 0
        private var vectors: [(from: Int, to: Int, count: Int)] = []
        private var matrices: [(from: [Int], to: Int, outputs: Int, inputs: Int)] = []

        init(variant: Int32) { self.variant = variant }

        private mutating func room(_ byteCount: Int) -> Int {
            defer { self.byteCount += Memory.rounded(byteCount) }
            return self.byteCount
        }

        mutating func vector(_ from: Int, _ count: Int) -> Int { vectors([from], count) }

        /// Several vectors behind each other.
        mutating func vectors(_ from: [Int], _ count: Int) -> Int {
            let to = room(from.count * count * 4)
            for (place, offset) in from.enumerated() {
                vectors.append((offset, to + place * count * 4, count))
            }
            return to
        }

        /// Matrices of which the rows lie under each other, packed.
        mutating func matrix(_ from: [Int], _ outputs: Int, _ inputs: Int) -> Int {
            let to = room(encoder_packed_bytes(variant, from.count * outputs, inputs))
            matrices.append((from, to, outputs, inputs))
            return to
        }

        func copy(from file: MappedFile, to memory: Memory) {
            // Safe because tensors lie within the file, and room was planned for each.
            for (from, to, count) in vectors {
                unsafe memory.bytes(to).copyMemory(from: file.address(of: from), byteCount: count * 4)
            }
            for (from, to, outputs, inputs) in matrices {
                guard from.count > 1 else {
                    unsafe encoder_pack(variant, file.address(of: from[0]), outputs, inputs, memory.bytes(to))
                    continue
                }
                let byteCount = outputs * inputs * 4
                let rows = Memory(byteCount: from.count * byteCount)
                for (place, offset) in from.enumerated() {
                    unsafe rows.bytes(place * byteCount)
                        .copyMemory(from: file.address(of: offset), byteCount: byteCount)
                }
                unsafe encoder_pack(
                    variant, rows.bytes(0), from.count * outputs, inputs, memory.bytes(to))
            }
        }
    }
}

/// Memory that is aligned as kernels want it, and freed with its last user.
@safe
final class Memory: @unchecked Sendable {
    let byteCount: Int
    private let base: UnsafeMutableRawPointer

    init(byteCount: Int) {
        self.byteCount = byteCount
        // Safe because it is freed in `deinit` only.
        unsafe base = .allocate(byteCount: max(64, byteCount), alignment: byteCount >= 4 << 20 ? 2 << 20 : 64)
        #if os(Linux)
            // Weights are read once for each text; in large pages the processor finds them faster.
            if byteCount >= 4 << 20 { _ = unsafe madvise(base, byteCount, Self.hugePages) }
        #endif
    }

    deinit { unsafe base.deallocate() }

    /// `MADV_HUGEPAGE` of Linux.
    private static let hugePages: Int32 = 14

    static func rounded(_ byteCount: Int) -> Int { (byteCount + 63) / 64 * 64 }

    func bytes(_ offset: Int) -> UnsafeMutableRawPointer { unsafe base + offset }

    func floats(_ offset: Int) -> UnsafeMutablePointer<Float> {
        unsafe (base + offset).assumingMemoryBound(to: Float.self)
    }
}
