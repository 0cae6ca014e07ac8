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
        case .hit(let hit, _): return Self.byteCount(hit.memory) + hit.passage.text.utf8.count
        default: return own
        }
    }

    /// Most of it is what it says: the rest is a few names and numbers.
    private static func byteCount(_ memory: Memory) -> Int {
        let lists = [memory.tags, memory.keywords, Array(memory.attributes.keys)]
        return 1_500 + memory.content.utf8.count
            + lists.reduce(0) { $0 + $1.reduce(0) { $0 + 60 + $1.utf8.count } }
    }
}
