/// An undamaged home's file, taken apart: where its pages and nodes are, and where the bytes lie whose
/// change must be noticed. The format written down a second time, without any of the care that the walk
/// takes, because it is only used on files of our own.
struct FileAnatomy {
    struct Page {
        /// The table's name; empty for the tree of tables, `nil` for the free list.
        let tree: String?
        let isLeaf: Bool
        let start: Int
        /// Where each node begins in the file.
        let nodes: [Int]
        var lastNode: Int { nodes[nodes.count - 1] }
    }

    let file: [UInt8]
    /// Page numbers, flags, offsets, counts and lengths.
    private(set) var isStructure: [Bool]
    private(set) var reachedPages: Set<Int> = []
    private(set) var pages: [Page] = []
    /// Where the newest meta page begins in the file, and the other one.
    let newestMeta: Int
    var olderMeta: Int { CheckedHome.pageByteCount - newestMeta }

    init(_ file: [UInt8]) {
        self.file = file
        isStructure = [Bool](repeating: false, count: file.count)
        let size = CheckedHome.pageByteCount
        newestMeta = Self.number(file, size + 144) > Self.number(file, 144) ? size : 0
        for meta in [0, size] {
            // Number, flags, magic number, version, page size, transaction.
            for range in [0..<8, 10..<12, 16..<24, 40..<44, 144..<152] { mark(meta, range) }
        }
        for range in [46..<88, 92..<144] { mark(newestMeta, range) }
        addTree(at: newestMeta + 88, "")
        addTree(at: newestMeta + 40, nil)
    }

    var lastReachedPage: Int { reachedPages.max() ?? 1 }

    func leaves(of tree: String?) -> [Page] { pages.filter { $0.tree == tree && $0.isLeaf } }
    func branches(of tree: String?) -> [Page] { pages.filter { $0.tree == tree && !$0.isLeaf } }

    /// Where the data of a leaf's node begins.
    func data(of node: Int) -> Int { node + 8 + number(node + 6, 2) }

    func isBig(_ node: Int) -> Bool { number(node + 4, 2) == 1 }

    /// Where the record of the table `name` begins.
    func record(of name: String) -> Int {
        let nodes = leaves(of: "").flatMap(\.nodes)
        return data(of: nodes.filter { String(decoding: key(of: $0), as: UTF8.self) == name }[0])
    }

    func number(_ offset: Int, _ count: Int = 8) -> Int { Self.number(file, offset, count) }

    private static func number(_ file: [UInt8], _ offset: Int, _ count: Int = 8) -> Int {
        (0..<count).reduce(0) { $0 | Int(file[offset + $1]) << (8 * $1) }
    }

    private func key(of node: Int) -> ArraySlice<UInt8> { file[node + 8..<data(of: node)] }

    private mutating func mark(_ base: Int, _ range: Range<Int>) {
        for offset in range { isStructure[base + offset] = true }
    }

    private mutating func addTree(at record: Int, _ name: String?) {
        if number(record + 6, 2) > 0 { addPage(number(record + 40), name) }
    }

    private mutating func addPage(_ page: Int, _ tree: String?) {
        reachedPages.insert(page)
        let start = page * CheckedHome.pageByteCount
        let end = number(start + 12, 2)
        let isLeaf = number(start + 10, 2) == 2
        let nodes = stride(from: start + 16, to: start + end, by: 2).map { start + number($0, 2) }
        pages.append(Page(tree: tree, isLeaf: isLeaf, start: start, nodes: nodes))
        mark(start, 0..<8)
        mark(start, 10..<end)
        for node in nodes {
            // A key or value may change its length by one within its padding: the values' checksums see it.
            mark(node, 7..<8)
            if isLeaf {
                addLeafNode(node, tree)
            } else {
                mark(node, 0..<6)
                addPage(number(node, 6), tree)
            }
        }
    }

    private mutating func addLeafNode(_ node: Int, _ tree: String?) {
        let data = data(of: node)
        mark(node, 4..<6)
        if isBig(node) {
            mark(data, 0..<8)
            let run = number(data)
            let start = run * CheckedHome.pageByteCount
            mark(start, 0..<8)
            mark(start, 10..<16)
            reachedPages.formUnion(run..<run + number(start + 12, 4))
            if tree == nil { mark(start, 16..<16 + number(node, 4)) }
        } else {
            mark(node, 1..<4)
            if tree == nil { mark(data, 0..<number(node, 4)) }
        }
        if number(node + 4, 2) == 2 {
            mark(data, 4..<48)
            addTree(at: data, String(decoding: key(of: node), as: UTF8.self))
        }
    }
}
