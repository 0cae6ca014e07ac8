import ArgumentParser
import Embedders
import Foundation
import MemoryEngine

struct EmbedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed",
        abstract: "Print the vectors of texts, images and videos.",
        usage:
            "loci embed (<text> ... | --lines <path> | --file <path> ...) [--query] [--embedder <embedder>] [--json]",
        discussion: """
              loci embed "The deploy failed."
              loci embed "Why did the deploy fail?" --query --json
              loci embed --lines notes.txt --json > vectors.jsonl    # an array for each line
              loci embed --file notes.txt
              loci embed --image photo.png --embedder runpod-siglip --json
              loci embed "a dog in the snow" --embedder runpod-siglip    # in the space of its images
              loci embed --video clip.mp4 --embedder runpod-vl-jepa
              loci embed --frame 1.png --frame 2.png --embedder runpod-vl-jepa

            Each text, image or video is a line of output, texts first, then files, images, videos, and the video that the \
            frames make: its numbers, or with --json an array of them, of 32-bit floats with the fewest digits \
            that read back to the same bits. Some models embed questions in another way than what answers them: --query. \
            What a file is its bytes tell: an image (PNG, JPEG, WebP; 10 MB and 40 million pixels at most), a video (MP4, \
            QuickTime, Matroska, WebM, AVI; 20 MB) or a text in UTF-8. Of a video 16 evenly spaced frames are looked at. \
            Nothing is stored; loci reembed gives vectors to what is.
            """)

    @Argument(help: "What to embed; `-` is standard input, whole.")
    var texts: [String] = []
    @Option(
        help: ArgumentHelp("Embed each line of this file; `-` is standard input.", valueName: "path"),
        completion: .file())
    var lines: String?
    @Option(
        help: ArgumentHelp(
            "Embed this file: a text, an image or a video; may be given again.", valueName: "path"),
        completion: .file())
    var file: [String] = []
    @Option(
        help: ArgumentHelp("Embed this image; may be given again.", valueName: "path"), completion: .file())
    var image: [String] = []
    @Option(
        help: ArgumentHelp("Embed this video; may be given again.", valueName: "path"), completion: .file())
    var video: [String] = []
    @Option(
        help: ArgumentHelp(
            "Embed the video that these images make, in their order; given once for each.", valueName: "path"
        ), completion: .file())
    var frame: [String] = []
    @Flag(help: "They are questions.")
    var query = false
    @Option(
        help: ArgumentHelp(
            "What makes the vectors: local, table, hash, auto (by default: what new homes use), or a service "
                + "(`loci help embedders`).",
            valueName: "embedder"))
    var embedder: AvailableEmbedders.Preference?
    @Flag(help: "Print JSON, an array a line; errors and notes are JSON on standard error.")
    var json = false

    func validate() throws {
        let hasInputs = ![texts, file, image, video, frame].allSatisfy(\.isEmpty)
        guard hasInputs == (lines == nil) else {
            throw ValidationError(
                "say what to embed: texts, files (--file, --image, --video, --frame), or --lines PATH")
        }
        guard embedder != AvailableEmbedders.Preference.none else {
            throw ValidationError("--embedder none makes no vectors")
        }
    }

    func run() async throws {
        guard let embedder = try Settings.current.embedders(embedder ?? .auto).embedder else { return }
        if let lines { return try await embed(linesOf: lines, embedder) }
        var inputs: [EmbeddingInput] = []
        for (index, text) in texts.enumerated() {
            let said = text == "-" ? try Self.standardInput(embedder.limits) : text
            try Self.check(said, embedder.limits, "text \(index + 1)")
            inputs.append(.text(said))
        }
        for path in file { inputs.append(try MediaArgument.read(path, embedder.limits)) }
        for path in image { inputs.append(try MediaArgument.read(path, as: .image)) }
        for path in video { inputs.append(try MediaArgument.read(path, as: .video)) }
        if !frame.isEmpty { inputs.append(try MediaArgument.frames(frame)) }
        for input in inputs {
            if case .text(let text) = input { try Self.check(text, embedder.limits, "the text") }
            try MediaArgument.check(input.modality, isTakenBy: embedder)
        }
        try await embed(inputs, embedder)
    }

    private func embed(linesOf path: String, _ embedder: any Embedder) async throws {
        let stream = try ByteStream(path: path)
        var reader = LineReader(stream, maximumByteCount: embedder.limits.maximumInputByteCount)
        let count = max(1, min(embedder.limits.maximumBatchCount, embedder.preferredBatchCount))
        try await Progress("embedding", isBytes: true, isSilent: json).during { progress in
            var batch: [EmbeddingInput] = []
            while let line = try reader.next() {
                if Signals.isInterrupted { break }
                guard !line.isTooLong else {
                    throw EngineError(
                        .tooLarge,
                        "line \(line.number) of \(path) is longer than the "
                            + "\(Terminal.grouped(reader.maximumByteCount)) bytes that \(embedder.space.name) takes"
                    )
                }
                guard let text = String(validating: line.bytes, as: UTF8.self) else {
                    throw EngineError(.invalid, "line \(line.number) of \(path) is not UTF-8")
                }
                let said = text.hasSuffix("\r") ? String(text.dropLast()) : text
                try Self.check(said, embedder.limits, "line \(line.number) of \(path)")
                batch.append(.text(said))
                if batch.count == count {
                    try await embed(batch, embedder)
                    batch = []
                    progress.update(stream.progress.done, of: stream.progress.total)
                }
            }
            try await embed(batch, embedder)
        }
    }

    private func embed(_ inputs: [EmbeddingInput], _ embedder: any Embedder) async throws {
        guard !inputs.isEmpty else { return }
        let vectors = try await embedder.embed(inputs, for: query ? .query : .passage)
        for vector in vectors {
            guard json else {
                Terminal.print(vector.map { $0.description }.joined(separator: " "))
                continue
            }
            var writer = JSONWriter()
            writer.beginArray()
            for number in vector { writer.write(number) }
            writer.endArray()
            Terminal.print(writer.text)
        }
    }

    /// A text without a letter has no meaning, and hashed words of none have no length.
    private static func check(_ text: String, _ limits: EmbedderLimits, _ name: String) throws {
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw EngineError(.invalid, "\(name) is empty")
        }
        guard text.utf8.count <= limits.maximumInputByteCount else {
            throw EngineError(
                .tooLarge,
                "\(name) has \(Terminal.grouped(text.utf8.count)) bytes, and \(Terminal.grouped(limits.maximumInputByteCount)) "
                    + "are taken")
        }
    }

    private static func standardInput(_ limits: EmbedderLimits) throws -> String {
        let data = try FileHandle.standardInput.read(upToCount: limits.maximumInputByteCount + 1) ?? Data()
        guard let text = String(validating: data, as: UTF8.self) else {
            throw EngineError(.invalid, "standard input is not UTF-8")
        }
        return text
    }
}
