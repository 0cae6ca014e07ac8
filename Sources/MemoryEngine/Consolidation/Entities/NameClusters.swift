/// Which names are one thing's so far (union-find), and which must stay apart.
struct NameClusters {
    /// A thing has at most so many names by conclusions; what would be called by more is a mistake.
    static let maximumCount = 16

    private var parents: [Int]
    private var members: [Int: [Int]] = [:]
    private var apart: [Int: Set<Int>] = [:]

    init(count: Int) { parents = Array(0..<count) }

    func root(_ index: Int) -> Int {
        var index = index
        while parents[index] != index { index = parents[index] }
        return index
    }

    func members(_ index: Int) -> [Int] {
        let root = root(index)
        return members[root] ?? [root]
    }

    /// Keeps two apart, whatever is concluded of others.
    mutating func keepApart(_ a: Int, _ b: Int) {
        apart[a, default: []].insert(b)
        apart[b, default: []].insert(a)
    }

    /// Whether nothing keeps the names of both from being one thing's.
    func mayJoin(_ a: Int, _ b: Int) -> Bool {
        let (first, second) = (members(a), members(b))
        guard first.count + second.count <= Self.maximumCount else { return false }
        return first.allSatisfy { name in
            guard let others = apart[name] else { return true }
            return second.allSatisfy { !others.contains($0) }
        }
    }

    /// Puts the names of both together. Returns whether they were apart.
    ///
    /// - Complexity: O(log names), as the smaller goes to the larger.
    @discardableResult
    mutating func join(_ a: Int, _ b: Int) -> Bool {
        var (a, b) = (root(a), root(b))
        guard a != b else { return false }
        if members(a).count < members(b).count { swap(&a, &b) }
        members[a] = members(a) + members(b)
        members[b] = nil
        parents[b] = a
        return true
    }
}
