/// The 32-bit hash of a term. It goes into files, and so never changes: FNV-1a over the bytes (offset basis
/// 0x811C9DC5, prime 0x01000193), then the finalizer of MurmurHash3, which spreads the hashes of short words
/// over all 32 bits.
package enum TermHash {
    /// The hash of a term's bytes.
    ///
    /// - Complexity: O(n) in the bytes.
    package static func hash(_ term: Span<UInt8>) -> UInt32 {
        var hash: UInt32 = 0x811C_9DC5
        for index in term.indices { hash = (hash ^ UInt32(term[index])) &* 0x0100_0193 }
        return finalize(hash)
    }

    /// The hash of a term's bytes.
    package static func hash(_ term: [UInt8]) -> UInt32 { hash(term.span) }

    private static func finalize(_ value: UInt32) -> UInt32 {
        var hash = value
        hash ^= hash >> 16
        hash = hash &* 0x85EB_CA6B
        hash ^= hash >> 13
        hash = hash &* 0xC2B2_AE35
        hash ^= hash >> 16
        return hash
    }
}
