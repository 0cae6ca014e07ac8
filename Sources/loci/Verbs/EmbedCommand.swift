import ArgumentParser
import Embedders
import Foundation
import MemoryEngine

struct EmbedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed",
        abstract: "Print the vectors of texts.",
        usage: "loci embed (<text> ... | --lines <path>) [--query] [--embedder <embedder>] [--json]",
        discussion: """
              loci embed "The deploy failed."
              loci embed "Why did the deploy fail?" --query --json
              loci embed --lines notes.txt --json > vectors.jsonl    # an array for each line

            Each text is a line of output: its numbers, or with --json an array of them, of 32-bit floats with the fewest digits \
            that read back to the same bits. Some models embed questions in another way than what answers them: --query. \
            Nothing is stored; loci reembed gives vectors to what is.
            """)

    @Argument(help: "What to embed; `-` is standard input, whole.")
    var texts: [String] = []
    @Option(
        help: ArgumentHelp("Embed each line of this file; `-` is standard input.", valueName: "path"),
        completion: .file())
    var lines: String?
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
        guard texts.isEmpty != (lines == nil) else {
            throw ValidationError("say what to embed: texts, or --lines PATH")
        }
        guard embedder != AvailableEmbedders.Preference.none else {
            throw ValidationError("--embedder none makes no vectors")
        }
    }

    func run() async throws {
        guard let embedder = try Settings.current.embedders(embedder ?? .auto).embedder else { return }
        if let lines { return try await embed(linesOf: lines, embedder) }
        var inputs: [String] = []
        for (index, text) in texts.enumerated() {
            let said = text == "-" ? try Self.standardInput(embedder.limits) : text
            try Self.check(said, embedder.limits, "text \(index + 1)")
            inputs.append(said)
        }
        try await embed(inputs, embedder)
    }

    private func embed(linesOf path: String, _ embedder: any Embedder) async throws {
        let stream = try ByteStream(path: path)
        var reader = LineReader(stream, maximumByteCount: embedder.limits.maximumInputByteCount)
        let count = max(1, min(embedder.limits.maximumBatchCount, embedder.preferredBatchCount))
        try await Progress("embedding", isBytes: true, isSilent: json).during { progress in
            var batch: [String] = []
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
                batch.append(said)
                if batch.count == count {
                    try await embed(batch, embedder)
                    batch = []
                    progress.update(stream.progress.done, of: stream.progress.total)
                }
            }
            try await embed(batch, embedder)
        }
    }

    private func embed(_ texts: [String], _ embedder: any Embedder) async throws {
        guard !texts.isEmpty else { return }
        let vectors = try await embedder.embed(texts.map { .text($0) }, for: query ? .query : .passage)
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
