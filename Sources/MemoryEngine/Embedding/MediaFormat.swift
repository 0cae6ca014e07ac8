/// What a file of pixels is, told by its first bytes and never by its name.
public enum MediaFormat: String, Sendable, CaseIterable {
    case png, jpeg, webP
    case mp4, quickTime, matroska, webM, avi

    /// Reads the first bytes of a file; `nil` = it is none of these. O(1).
    public init?(of bytes: [UInt8]) {
        func has(_ signature: [UInt8], at place: Int = 0) -> Bool {
            bytes.count >= place + signature.count
                && bytes[place..<place + signature.count].elementsEqual(signature)
        }
        func says(_ text: String, at place: Int) -> Bool { has(Array(text.utf8), at: place) }

        if has([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else if has([0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if says("RIFF", at: 0), says("WEBP", at: 8) {
            self = .webP
        } else if says("RIFF", at: 0), says("AVI ", at: 8) {
            self = .avi
        } else if says("ftyp", at: 4) {
            // Images and sound lie in boxes of this kind too (HEIF, AVIF, M4A).
            let others = ["heic", "heix", "heim", "heis", "hevc", "mif1", "msf1", "avif", "avis", "M4A "]
            guard !others.contains(where: { says($0, at: 8) }) else { return nil }
            self = says("qt  ", at: 8) ? .quickTime : .mp4
        } else if has([0x1A, 0x45, 0xDF, 0xA3]) {
            // The name of the kind stands among the first elements.
            let head = bytes.prefix(64)
            let isWebM = head.indices.contains { says("webm", at: $0) }
            self = isWebM ? .webM : .matroska
        } else {
            return nil
        }
    }

    public var modality: Modality {
        switch self {
        case .png, .jpeg, .webP: .image
        case .mp4, .quickTime, .matroska, .webM, .avi: .video
        }
    }

    /// As it stands in HTTP and MIME.
    public var mediaType: String {
        switch self {
        case .png: "image/png"
        case .jpeg: "image/jpeg"
        case .webP: "image/webp"
        case .mp4: "video/mp4"
        case .quickTime: "video/quicktime"
        case .matroska: "video/x-matroska"
        case .webM: "video/webm"
        case .avi: "video/x-msvideo"
        }
    }
}

/// What the first bytes of an image say of it. Pixels are not looked at.
public struct ImageHeader: Sendable, Equatable {
    public let format: MediaFormat
    /// In pixels.
    public let width: Int
    public let height: Int

    /// Of a file, in bytes.
    public static let maximumByteCount = 10_000_000
    /// Width times height.
    public static let maximumPixelCount = 40_000_000

    /// Reads a PNG, JPEG or WebP, within the bounds.
    ///
    /// - Parameter name: how errors call it.
    /// - Throws: `EngineError`: `invalid` (none of these, or damaged), `tooLarge`.
    /// - Complexity: O(1), and O(bytes before the first frame) for a JPEG.
    public init(_ bytes: [UInt8], name: String = "the image") throws(EngineError) {
        guard let format = MediaFormat(of: bytes), format.modality == .image else {
            throw EngineError(.invalid, "\(name) is no PNG, JPEG or WebP; convert it to one of them")
        }
        guard bytes.count <= Self.maximumByteCount else {
            throw EngineError(
                .tooLarge,
                "\(name) has \(bytes.count) bytes; an image may have \(Self.maximumByteCount): scale it down")
        }
        let size =
            switch format {
            case .png: Self.sizeOfPNG(bytes)
            case .jpeg: Self.sizeOfJPEG(bytes)
            default: Self.sizeOfWebP(bytes)
            }
        guard let (width, height) = size, width > 0, height > 0 else {
            throw EngineError(.invalid, "\(name) is damaged: it does not say how large it is")
        }
        let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
        guard !overflow, pixels <= Self.maximumPixelCount else {
            throw EngineError(
                .tooLarge,
                "\(name) has \(width) × \(height) pixels; an image may have \(Self.maximumPixelCount) in all: scale it down"
            )
        }
        (self.format, self.width, self.height) = (format, width, height)
    }

    private typealias Size = (width: Int, height: Int)

    /// The header is the first chunk (PNG, 11.2.1).
    private static func sizeOfPNG(_ bytes: [UInt8]) -> Size? {
        guard bytes.count >= 33, bytes[12..<16].elementsEqual("IHDR".utf8) else { return nil }
        return (bigEndian(bytes, 16, 4), bigEndian(bytes, 20, 4))
    }

    /// Goes from segment to segment to the first that begins a frame (ITU T.81, B.2.2).
    private static func sizeOfJPEG(_ bytes: [UInt8]) -> Size? {
        var place = 2
        while place + 1 < bytes.count {
            guard bytes[place] == 0xFF else { return nil }
            let marker = bytes[place + 1]
            switch marker {
            // A byte that fills, and markers without a length.
            case 0xFF: place += 1
            case 0x01, 0xD0...0xD7: place += 2
            // Frames, but for the tables among these numbers.
            case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF:
                guard place + 9 <= bytes.count else { return nil }
                return (bigEndian(bytes, place + 7, 2), bigEndian(bytes, place + 5, 2))
            // The scan, or the end, before any frame.
            case 0xD8...0xDA: return nil
            default:
                guard place + 4 <= bytes.count else { return nil }
                let length = bigEndian(bytes, place + 2, 2)
                guard length >= 2 else { return nil }
                place += 2 + length
            }
        }
        return nil
    }

    /// The first chunk has it: lossy, lossless or extended (RFC 9649, 2.5 to 2.7).
    private static func sizeOfWebP(_ bytes: [UInt8]) -> Size? {
        guard bytes.count >= 30 else { return nil }
        switch String(decoding: bytes[12..<16], as: UTF8.self) {
        case "VP8 ":
            guard bytes[23..<26].elementsEqual([0x9D, 0x01, 0x2A]) else { return nil }
            return (littleEndian(bytes, 26, 2) & 0x3FFF, littleEndian(bytes, 28, 2) & 0x3FFF)
        case "VP8L":
            guard bytes[20] == 0x2F else { return nil }
            let bits = littleEndian(bytes, 21, 4)
            return (bits & 0x3FFF + 1, bits >> 14 & 0x3FFF + 1)
        case "VP8X": return (littleEndian(bytes, 24, 3) + 1, littleEndian(bytes, 27, 3) + 1)
        default: return nil
        }
    }

    private static func bigEndian(_ bytes: [UInt8], _ place: Int, _ count: Int) -> Int {
        bytes[place..<place + count].reduce(0) { $0 << 8 | Int($1) }
    }

    private static func littleEndian(_ bytes: [UInt8], _ place: Int, _ count: Int) -> Int {
        bytes[place..<place + count].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}

extension EmbeddingInput {
    /// The largest file of a video, in bytes.
    public static let maximumVideoByteCount = 20_000_000
    /// The most frames of a video that comes as frames.
    public static let maximumFrameCount = 4_096

    /// The bytes of an image or a video, told by what they are.
    ///
    /// - Parameter name: how errors call them.
    /// - Throws: `EngineError`: `invalid` (neither, or damaged), `tooLarge`.
    public init(media bytes: [UInt8], name: String = "the file") throws(EngineError) {
        switch MediaFormat(of: bytes)?.modality {
        case .image: self = .image(bytes)
        case .video: self = .video(bytes)
        case .text, nil:
            throw EngineError(
                .invalid,
                "\(name) is no image (PNG, JPEG, WebP) and no video (MP4, QuickTime, Matroska, WebM, AVI)")
        }
        try check(name)
    }

    public var modality: Modality {
        switch self {
        case .text: .text
        case .image: .image
        case .video, .frames: .video
        }
    }

    /// Looks at what an image or a video says of itself, before it is sent anywhere.
    ///
    /// - Parameter name: how errors call it.
    /// - Throws: `EngineError`: `invalid` (another kind of file, or damaged), `tooLarge`.
    public func check(_ name: String) throws(EngineError) {
        switch self {
        case .text: break
        case .image(let bytes): _ = try ImageHeader(bytes, name: name)
        case .video(let bytes):
            guard MediaFormat(of: bytes)?.modality == .video else {
                throw EngineError(
                    .invalid,
                    "\(name) is no MP4, QuickTime, Matroska, WebM or AVI; convert it, or give its frames")
            }
            guard bytes.count <= Self.maximumVideoByteCount else {
                throw EngineError(
                    .tooLarge,
                    "\(name) has \(bytes.count) bytes; a video may have \(Self.maximumVideoByteCount): cut it, or give frames "
                        + "of it")
            }
        case .frames(let frames):
            guard (1...Self.maximumFrameCount).contains(frames.count) else {
                throw EngineError(
                    .invalid, "\(name) has \(frames.count) frames; a video has 1 to \(Self.maximumFrameCount)"
                )
            }
            for (place, frame) in frames.enumerated() {
                _ = try ImageHeader(frame, name: "frame \(place + 1) of \(name)")
            }
        }
    }

    /// Which of `count` frames a model looks at: evenly spaced, the first and the last among them. Of fewer than are wanted
    /// some are looked at twice, as if the video were slower.
    ///
    /// - Precondition: `count` is not 0, and `wanted` is at least 2.
    public static func evenlySpaced(_ wanted: Int, of count: Int) -> [Int] {
        precondition(count > 0 && wanted > 1, "\(wanted) of \(count) frames")
        return (0..<wanted).map { (2 * $0 * (count - 1) + wanted - 1) / (2 * (wanted - 1)) }
    }
}
