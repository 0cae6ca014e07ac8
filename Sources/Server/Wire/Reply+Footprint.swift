extension Reply {
    /// About how many bytes of memory it takes.
    ///
    /// - Complexity: O(values in it).
    var footprint: Int {
        // What is not in the value itself lies in a block of its own.
        let (own, block) = (40, 48)
        switch self {
        case .simple(let text), .error(let text), .verbatim(let text), .text(let text):
            let count = text.utf8.count
            return own + (count > 15 ? block + count : 0)
        case .bulk(let bytes): return own + block + bytes.count
        case .array(let replies): return replies.reduce(own + block) { $0 + $1.footprint }
        case .map(let entries), .flattened(let entries):
            return entries.reduce(own + block) { $0 + $1.key.footprint + $1.value.footprint }
        default: return own
        }
    }
}
