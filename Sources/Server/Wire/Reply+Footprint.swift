import MemoryEngine

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
        case .memory(let memory): return Self.byteCount(memory)
        case .hit(let hit, _): return Self.byteCount(hit.value.memory) + hit.value.passage.text.utf8.count
        default: return own
        }
    }

    /// Most of it is what it says: the rest is a few names and numbers.
    private static func byteCount(_ memory: Memory) -> Int {
        var count = 1_500 + memory.content.utf8.count
        for tag in memory.tags { count += 60 + tag.utf8.count }
        for keyword in memory.keywords { count += 60 + keyword.utf8.count }
        for name in memory.attributes.keys { count += 60 + name.utf8.count }
        return count
    }
}
