import ArgumentParser
import Embedders
import Foundation
import MemoryEngine

struct ModelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model",
        abstract: "Make what is made of a model: a table of its words.",
        discussion: """
              loci model distil --model all-MiniLM-L6-v2 --out words.safetensors
            """,
        subcommands: [DistilCommand.self])
}

struct DistilCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "distil",
        abstract: "Make a table of tokens from a model's input embeddings, for --embedder table.",
        usage:
            "loci model distil [--model <folder>] [--out <file>] [--dimension <count>] [--corpus <file>] [--json]",
        discussion: """
              loci model distil --model all-MiniLM-L6-v2 --out words.safetensors
              loci model distil --model all-MiniLM-L6-v2 --out words.safetensors --corpus notes.txt

            The table is a vector of eight-bit numbers for each token of the model, 8 MB for all-MiniLM-L6-v2. A text is the sum of \
            its tokens' vectors, the rare ones above the frequent ones: words of like meaning are near, and the \
            model is not needed for it. Written to where it is looked for, it serves new homes where there is no model; \
            LOCI_TOKEN_TABLE names another file.

            How rare a token is, is told by its place in the vocabulary, which is in the order of frequency. A corpus, a text a \
            line, is counted beside that: for texts like yours, thousands of them at least. Another table is another space, and \
            homes that have vectors of the old one need it still.
            """)

    @Option(
        help: ArgumentHelp(
            "The model's folder (by default where `make model` puts it).", valueName: "folder"),
        completion: .directory)
    var model: String?
    @Option(
        help: ArgumentHelp(
            "Where to write the table (by default where it is looked for).", valueName: "file"),
        completion: .file())
    var out: String?
    @Option(
        help: ArgumentHelp(
            "How many numbers a vector has (by default 256, or as many as the model's if these are fewer).",
            valueName: "count"),
        transform: Accept.count(1...EmbeddingSpace.maximumDimension, as: TokenTableMaker.dimension))
    var dimension: Int?
    @Option(
        help: ArgumentHelp("Texts to count tokens in, one a line; `-` is standard input.", valueName: "file"),
        completion: .file())
    var corpus: String?
    @Flag(help: "Print JSON, an object; errors and notes are JSON on standard error.")
    var json = false

    func run() async throws {
        let environment = Settings.current.values
        guard let model = model ?? AvailableEmbedders.modelPath(environment) else {
            throw ValidationError("say which model: --model FOLDER, or set \(AvailableEmbedders.variable)")
        }
        guard let path = out ?? AvailableEmbedders.newTablePath(environment) else {
            throw ValidationError("say where to: --out FILE, or set \(AvailableEmbedders.tableVariable)")
        }
        let start = ContinuousClock.now
        var maker = try TokenTableMaker(model: model)
        if let corpus { try count(linesOf: corpus, &maker.weights) }
        let written = try maker.write(to: path, dimension: dimension)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        if json {
            Terminal.printObject { json in
                json.member("path", path)
                json.member("space", written.space.name)
                json.member("tokens", written.tokenCount)
                json.member("bytes", written.byteCount)
                json.member("seconds", seconds)
            }
        } else {
            Terminal.print(
                "\(Visible.line(path)): \(Terminal.grouped(written.tokenCount)) tokens of \(written.space.name), "
                    + "\(Terminal.bytes(written.byteCount)), in \(Terminal.decimals(seconds, 1)) s")
        }
    }

    private func count(linesOf path: String, _ weights: inout TokenWeights) throws {
        var reader = LineReader(try ByteStream(path: path), maximumByteCount: 16 << 20)
        while let line = try reader.next() {
            if Signals.isInterrupted { throw CancellationError() }
            guard !line.isTooLong, let text = String(validating: line.bytes, as: UTF8.self) else {
                throw EngineError(
                    .invalid, "line \(line.number) of \(path) is not UTF-8, or longer than 16 MiB")
            }
            weights.count(text)
        }
    }
}
