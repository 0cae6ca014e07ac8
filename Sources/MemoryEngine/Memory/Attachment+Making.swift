import Foundation
import Store

extension Attachment {
    /// The bytes of a file, to be stored with a memory.
    ///
    /// - Parameter mediaType: by default that of an image or a video told by its first bytes, else told from the name.
    /// - Throws: `EngineError`: `notFound`, `tooLarge` (over 64 MiB: keep it outside, by its address).
    public static func file(_ path: String, mediaType: String? = nil) throws -> Attachment {
        guard let size = fileSize(path) else { throw EngineError(.notFound, "there is no file \(path)") }
        guard size <= DraftPreparation.maximumAttachmentByteCount else {
            throw EngineError(
                .tooLarge,
                "\(path) has \(size) bytes; at most \(DraftPreparation.maximumAttachmentByteCount) are stored: keep it "
                    + "outside, by its address")
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw EngineError(.io, "cannot read \(path)")
        }
        return .data([UInt8](data), name: URL(fileURLWithPath: path).lastPathComponent, mediaType: mediaType)
    }

    /// Bytes to be stored with a memory.
    ///
    /// - Parameter mediaType: by default that of an image or a video told by its first bytes, else told from the name.
    public static func data(_ bytes: [UInt8], name: String, mediaType: String? = nil) -> Attachment {
        Attachment(
            name: name, mediaType: mediaType ?? MediaFormat(of: bytes)?.mediaType ?? Self.mediaType(of: name),
            digest: SHA256.digest(of: bytes),
            byteCount: UInt64(bytes.count), address: nil, data: bytes)
    }

    /// Something that stays where it is.
    ///
    /// - Parameter digest: the SHA-256 of its bytes.
    public static func external(
        _ address: String, name: String, digest: [UInt8], byteCount: UInt64, mediaType: String? = nil
    ) -> Attachment {
        Attachment(
            name: name, mediaType: mediaType ?? Self.mediaType(of: name), digest: digest,
            byteCount: byteCount,
            address: address)
    }

    /// Whether it is an image, a video or neither, by its media type.
    var modality: Modality? {
        mediaType.utf8.starts(with: "image/".utf8)
            ? .image : mediaType.utf8.starts(with: "video/".utf8) ? .video : nil
    }

    private static func mediaType(of name: String) -> String {
        switch name.split(separator: ".").last.map({ $0.lowercased() }) {
        case "txt", "log": "text/plain"
        case "md": "text/markdown"
        case "html", "htm": "text/html"
        case "json": "application/json"
        case "pdf": "application/pdf"
        case "png": "image/png"
        case "jpg", "jpeg": "image/jpeg"
        case "webp": "image/webp"
        case "mp4": "video/mp4"
        default: "application/octet-stream"
        }
    }
}

extension [Attachment] {
    /// The one of a kind that has a vector: the first whose bytes are in the store.
    func embedded(_ modality: Modality) -> Attachment? {
        first { $0.modality == modality && $0.address == nil }
    }
}
