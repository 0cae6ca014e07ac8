import TestSupport
import Testing

@testable import MemoryEngine

@Suite struct `A file of pixels` {
    @Test func `says what it is and how large, whatever wrote it`() throws {
        for (bytes, format) in [
            (MediaFiles.png, MediaFormat.png), (MediaFiles.progressiveJPEG, .jpeg),
            (MediaFiles.lossyWebP, .webP),
            (MediaFiles.losslessWebP, .webP), (MediaFiles.extendedWebP, .webP),
        ] {
            let header = try ImageHeader(bytes)
            #expect(header.format == format && header.width == 5 && header.height == 3)
            #expect(try EmbeddingInput(media: bytes).modality == .image)
        }
    }

    @Test(
        arguments: [
            (Array("\0\0\0\u{10}ftypqt  ".utf8), MediaFormat.quickTime), (MediaFiles.mp4, .mp4),
            ([0x1A, 0x45, 0xDF, 0xA3] + Array("\u{1}B webm".utf8), .webM),
            ([0x1A, 0x45, 0xDF, 0xA3] + Array("\u{1}B matroska".utf8), .matroska),
            (Array("RIFF\0\0\0\0AVI LIST".utf8), .avi),
        ] as [([UInt8], MediaFormat)])
    func `is a video by its first bytes`(bytes: [UInt8], format: MediaFormat) throws {
        #expect(MediaFormat(of: bytes) == format)
        #expect(try EmbeddingInput(media: bytes).modality == .video)
    }

    @Test(
        arguments: [
            [], Array("GIF89a".utf8), Array("a text".utf8), Array("\0\0\0\u{10}ftypheic".utf8),
            Array("\0\0\0\u{10}ftypM4A ".utf8), Array("#EXTM3U\nhttp://host/a.ts".utf8), [0xFF, 0xD8],
        ] as [[UInt8]])
    func `of another kind is refused by its name`(bytes: [UInt8]) {
        #expect(MediaFormat(of: bytes) == nil)
        let errors = [
            #expect(throws: EngineError.self) { try EmbeddingInput(media: bytes, name: "a.png") },
            #expect(throws: EngineError.self) { try EmbeddingInput.image(bytes).check("a.png") },
            #expect(throws: EngineError.self) { try EmbeddingInput.video(bytes).check("a.png") },
            #expect(throws: EngineError.self) { try EmbeddingInput.frames([bytes]).check("a.png") },
        ]
        for error in errors { #expect(error?.code == .invalid && error?.message.contains("a.png") == true) }
    }

    @Test func `that is cut is damaged, and no byte beyond its end is read`() {
        for bytes in [
            MediaFiles.png, MediaFiles.progressiveJPEG, MediaFiles.lossyWebP, MediaFiles.losslessWebP,
            MediaFiles.extendedWebP,
        ] {
            for count in 0..<min(bytes.count, 400) {
                guard let header = try? ImageHeader(Array(bytes[..<count])) else { continue }
                #expect(header.width == 5 && header.height == 3)
            }
            #expect(throws: EngineError.self) { try ImageHeader(Array(bytes[..<20])) }
        }
    }

    @Test func `whose bytes are changed at any place gives a size or an error`() {
        for bytes in [
            MediaFiles.png, MediaFiles.progressiveJPEG, MediaFiles.lossyWebP, MediaFiles.losslessWebP,
            MediaFiles.extendedWebP,
        ] {
            for place in bytes.indices {
                for value in [0, 0x7F, 0xC0, 0xD8, 0xFF] as [UInt8] {
                    var changed = bytes
                    changed[place] = value
                    guard let header = try? ImageHeader(changed) else { continue }
                    #expect(header.width > 0 && header.height > 0)
                    #expect(header.width * header.height <= ImageHeader.maximumPixelCount)
                }
            }
        }
    }

    @Test func `that is too large is refused before it is sent, with the limit`() {
        for (width, height) in [(40_000, 1_001), (0xFFFF_FFFF, 0xFFFF_FFFF)] {
            let error = #expect(throws: EngineError.self) {
                try ImageHeader(MediaFiles.png(width: width, height: height), name: "wide.png")
            }
            #expect(error?.code == .tooLarge && error?.message.contains("40000000") == true)
        }
        #expect(throws: Never.self) { try ImageHeader(MediaFiles.png(width: 40_000, height: 1_000)) }
        #expect(throws: EngineError.self) { try ImageHeader(MediaFiles.png(width: 0, height: 3)) }
        let long = MediaFiles.png + [UInt8](repeating: 0, count: ImageHeader.maximumByteCount)
        let film = MediaFiles.mp4 + [UInt8](repeating: 0, count: EmbeddingInput.maximumVideoByteCount)
        for bytes in [long, film] {
            let error = #expect(throws: EngineError.self) { try EmbeddingInput(media: bytes, name: "it") }
            #expect(error?.code == .tooLarge)
        }
    }

    @Test func `of a video is looked at 16 times, the first and the last frame among them`() {
        #expect(EmbeddingInput.evenlySpaced(16, of: 16) == Array(0..<16))
        #expect(EmbeddingInput.evenlySpaced(16, of: 1) == [Int](repeating: 0, count: 16))
        // As the worker's `sampled` has it.
        #expect(
            EmbeddingInput.evenlySpaced(16, of: 100)
                == [0, 7, 13, 20, 26, 33, 40, 46, 53, 59, 66, 73, 79, 86, 92, 99])
        #expect(EmbeddingInput.evenlySpaced(4, of: 2) == [0, 0, 1, 1])
    }
}
