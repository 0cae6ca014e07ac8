import Embedders
import Foundation
import MemoryEngine

/// Files that are to be embedded, named on the command line.
enum MediaArgument {
    /// A text, an image or a video, whichever the bytes are.
    ///
    /// - Throws: `EngineError`: `notFound`, `tooLarge`, `invalid` (none of these, or damaged).
    static func read(_ path: String, _ limits: EmbedderLimits) throws -> EmbeddingInput {
        let bytes = try bytes(path)
        if MediaFormat(of: bytes) != nil { return try EmbeddingInput(media: bytes, name: path) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw EngineError(
                .invalid,
                "\(path) is no text in UTF-8, no image (PNG, JPEG, WebP) and no video (MP4, QuickTime, Matroska, WebM, AVI)"
            )
        }
        guard bytes.count <= limits.maximumInputByteCount else {
            throw EngineError(
                .tooLarge,
                "\(path) has \(Terminal.grouped(bytes.count)) bytes, and \(Terminal.grouped(limits.maximumInputByteCount)) of a "
                    + "text are taken: `--lines` embeds it line by line")
        }
        return .text(text)
    }

    /// An image or a video, whichever the bytes are.
    ///
    /// - Throws: `EngineError`: `notFound`, `tooLarge`, `invalid` (neither, or damaged).
    static func shown(_ path: String) throws -> EmbeddingInput {
        try EmbeddingInput(media: try bytes(path), name: path)
    }

    /// An image or a video.
    ///
    /// - Throws: `EngineError`: `notFound`, `tooLarge`, `invalid` (something else, or damaged).
    static func read(_ path: String, as modality: Modality) throws -> EmbeddingInput {
        let bytes = try bytes(path)
        let input: EmbeddingInput = modality == .image ? .image(bytes) : .video(bytes)
        try input.check(path)
        return input
    }

    /// A video that comes as frames.
    ///
    /// - Throws: `EngineError`, as for an image.
    static func frames(_ paths: [String]) throws -> EmbeddingInput {
        let input = EmbeddingInput.frames(
            try paths.map { path in
                let bytes = try bytes(path)
                _ = try ImageHeader(bytes, name: path)
                return bytes
            })
        try input.check("the video")
        return input
    }

    /// - Throws: `EngineError.invalid`, which says what would take it.
    static func check(_ modality: Modality, isTakenBy embedder: any Embedder) throws {
        guard !embedder.modalities.contains(modality) else { return }
        let taken = Modality.allCases.filter(embedder.modalities.contains).map(\.rawValue)
        let others = ServiceSettings.services(of: modality).map { "--embedder \($0.rawValue)" }
        throw EngineError(
            .invalid,
            "\(embedder.space.name) embeds \(taken.joined(separator: " and ")), and no \(modality.rawValue)"
                + (modality == .text ? "" : ": say \(others.joined(separator: " or "))"))
    }

    /// The bytes of a file, and one more than is taken of one that is too large.
    private static func bytes(_ path: String) throws -> [UInt8] {
        guard !path.isEmpty else { throw EngineError(.invalid, "the name of a file is empty") }
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            throw EngineError(.invalid, "\(path) is a folder: name a file in it")
        }
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw EngineError(.notFound, "there is no file \(path), or it cannot be read")
        }
        defer { try? file.close() }
        do {
            return [UInt8](try file.read(upToCount: EmbeddingInput.maximumVideoByteCount + 1) ?? Data())
        } catch {
            throw EngineError(.io, "cannot read \(path): \(error.localizedDescription)")
        }
    }
}
