/// How two vectors of a space are compared. The raw value is stored with the space; it never changes.
///
/// Whatever the metric, a score is better the larger it is (`Distance.score`).
package enum Metric: UInt8, CaseIterable, Hashable, Sendable {
    /// Cosine of the angle between them, from -1 to 1. Length plays no part, so zero has no place.
    case cosine = 0
    /// Inner product, as it is.
    case innerProduct = 1
    /// Euclidean distance. A score is its square, negative.
    case l2 = 2
}
