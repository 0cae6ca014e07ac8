import HNSW

extension EmbeddingMetric {
    /// The metric as the index and the file know it.
    var stored: Metric {
        switch self {
        case .cosine: .cosine
        case .innerProduct: .innerProduct
        case .l2: .l2
        }
    }

    init?(stored value: UInt8) {
        switch Metric(rawValue: value) {
        case .cosine: self = .cosine
        case .innerProduct: self = .innerProduct
        case .l2: self = .l2
        case nil: return nil
        }
    }
}
