import Foundation
import MemoryEngine

/// Inputs of one kind that go to a worker in one job: `{"type": "text", "texts": […], "encoding": "base64"}`, or with
/// `image` and `images`, or `video` and `videos`, whose files and frames are base64.
struct RunPodBatch: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case text
        case image
        case video

        /// What our workers take in one job, unless they are told otherwise.
        var maximumCount: Int {
            switch self {
            case .text: 1_024
            case .image: 64
            case .video: 8
            }
        }
    }

    let kind: Kind
    /// Places of its inputs among those of the call.
    private(set) var places: [Int] = []
    /// The bytes of its inputs as JSON.
    private(set) var byteCount = 0

    /// What a body has besides its inputs, at most.
    static let frameByteCount = 500

    /// Puts inputs of one kind together, in their order, as many as a job may have.
    ///
    /// - Parameters:
    ///   - count: how many inputs a batch may have.
    ///   - byteCount: how many bytes the body of a job may have.
    /// - Throws: `RunPodError`: `tooLarge` for an input that no body holds.
    static func batches(
        of inputs: [(kind: Kind, byteCount: Int)], atMost count: Int, byteCount limit: Int
    ) throws -> [RunPodBatch] {
        var done: [RunPodBatch] = []
        for kind in Kind.allCases {
            let count = min(max(1, count), kind.maximumCount)
            var batch = RunPodBatch(kind: kind)
            for (place, input) in inputs.enumerated() where input.kind == kind {
                // With its comma.
                let needed = input.byteCount + 1
                guard needed + frameByteCount <= limit else {
                    throw RunPodError(
                        .tooLarge,
                        "input \(place) takes \(input.byteCount) bytes as JSON, and a job may have \(limit) with all; make it "
                            + "smaller")
                }
                if batch.places.count >= count
                    || batch.byteCount + needed + frameByteCount > limit
                {
                    done.append(batch)
                    batch = RunPodBatch(kind: kind)
                }
                batch.places.append(place)
                batch.byteCount += needed
            }
            if !batch.places.isEmpty { done.append(batch) }
        }
        return done
    }

    /// How many bytes a text in UTF-8 has as JSON, at most, with its quotation marks. O(n).
    static func byteCount(ofText text: some Collection<UInt8>) -> Int {
        text.reduce(2) { count, byte in
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), 0x08, 0x09, 0x0A, 0x0C, 0x0D: count + 2
            case 0..<0x20, 0x7F: count + 6
            default: count + 1
            }
        }
    }

    /// How many bytes a file has as a string of base64.
    static func byteCount(ofFile byteCount: Int) -> Int { (byteCount + 2) / 3 * 4 + 2 }

    /// An input as it is sent.
    struct Item: Sendable {
        let kind: Kind
        /// A text, the bytes of a file, or those of each frame of a video.
        private let parts: [[UInt8]]
        private let isFrames: Bool

        init(_ kind: Kind, _ bytes: [UInt8]) { (self.kind, parts, isFrames) = (kind, [bytes], false) }
        init(frames: [[UInt8]]) { (kind, parts, isFrames) = (.video, frames, true) }

        /// As JSON, at most.
        var byteCount: Int {
            switch kind {
            case .text: RunPodBatch.byteCount(ofText: parts[0])
            case .image: RunPodBatch.byteCount(ofFile: parts[0].count)
            case .video:
                #"{"frames":[]}"#.utf8.count
                    + parts.reduce(0) { $0 + RunPodBatch.byteCount(ofFile: $1.count) + 1 }
            }
        }

        fileprivate var string: String {
            kind == .text ? String(decoding: parts[0], as: UTF8.self) : Data(parts[0]).base64EncodedString()
        }

        fileprivate var video: Video {
            let parts = parts.map { Data($0).base64EncodedString() }
            return isFrames ? Video(frames: parts) : Video(file: parts[0])
        }
    }

    fileprivate struct Video: Encodable {
        var file: String?
        var frames: [String]?
    }

    private struct Input: Encodable {
        let type: String
        var texts: [String]?
        var images: [String]?
        var videos: [Video]?
        let encoding = "base64"
    }

    /// The input of a job with items of one kind, as JSON.
    static func input(_ kind: Kind, _ items: [Item]) throws -> [UInt8] {
        var input = Input(type: kind.rawValue)
        switch kind {
        case .text: input.texts = items.map(\.string)
        case .image: input.images = items.map(\.string)
        case .video: input.videos = items.map(\.video)
        }
        let encoder = JSONEncoder()
        // Equal inputs are equal bytes, and are asked once; and base64 has many slashes.
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(input))
    }
}
