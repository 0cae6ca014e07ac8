import Store

/// Which embedding spaces a home uses. All are settings of the home.
struct SpaceRoles: Equatable, Sendable {
    /// What texts and questions are embedded in; `nil` = nobody chose, and the engine's embedder tells.
    var current: EmbeddingSpace?
    /// What a re-embedding is filling: what is remembered meanwhile gets its vectors there too.
    var next: EmbeddingSpace?
    /// What attached images, and what attached videos, have their vectors in: each belongs to the first passage of its
    /// memory. `nil` = nothing was embedded there yet.
    var images: EmbeddingSpace?
    var videos: EmbeddingSpace?

    static let currentName = "space.current"
    static let nextName = "space.next"
    static let imagesName = "space.images"
    static let videosName = "space.videos"

    static func read(in transaction: borrowing ReadTransaction) throws -> SpaceRoles {
        SpaceRoles(
            current: try space(currentName, in: transaction), next: try space(nextName, in: transaction),
            images: try space(imagesName, in: transaction), videos: try space(videosName, in: transaction))
    }

    private static func space(
        _ name: String, in transaction: borrowing ReadTransaction
    ) throws -> EmbeddingSpace? {
        // What names no space is as good as none.
        try Settings.value(name, in: transaction).flatMap { EmbeddingSpace(name: $0) }
    }

    func write(in transaction: borrowing WriteTransaction) throws {
        try Settings.set(Self.currentName, current?.name, in: transaction)
        try Settings.set(Self.nextName, next?.name, in: transaction)
        try Settings.set(Self.imagesName, images?.name, in: transaction)
        try Settings.set(Self.videosName, videos?.name, in: transaction)
    }

    /// What is attached has its vectors there; `nil` = texts have, or nothing.
    func modality(of space: EmbeddingSpace) -> Modality? {
        space == images ? .image : space == videos ? .video : nil
    }

    /// Where a kind of attachments has its vectors.
    subscript(modality: Modality) -> EmbeddingSpace? {
        get { modality == .image ? images : modality == .video ? videos : current }
        set {
            switch modality {
            case .text: current = newValue
            case .image: images = newValue
            case .video: videos = newValue
            }
        }
    }

    /// Whether a version that follows another goes on with a vector that this one has: a text's where the words are the same,
    /// an image's where the image is.
    func keeps(
        _ space: EmbeddingSpace, part: UInt32, isSameContent: Bool, from old: [Attachment],
        to new: [Attachment]
    ) -> Bool {
        guard let modality = modality(of: space) else { return isSameContent }
        let first = new.embedded(modality)
        guard first?.digest == old.embedded(modality)?.digest else { return false }
        return isSameContent || first != nil && part == 0
    }
}
