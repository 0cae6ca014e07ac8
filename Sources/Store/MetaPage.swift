/// Sizes and flags of LMDB's pages (data format 1, 64-bit, little-endian).
enum PageLayout {
    enum Kind: UInt16 {
        case branch = 0x01
        case leaf = 0x02
        case overflow = 0x04
        case meta = 0x08
    }

    /// Page number (8), padding (2), flags (2), then lower and upper bound of the gap between node
    /// offsets and nodes (2 + 2), or the pages of an overflow run (4).
    static let headerByteCount = 16
    /// Low and high half of the data's size (2 + 2), flags (2), key size (2). In a branch page the first
    /// three hold the child's page number (48 bits).
    static let nodeHeaderByteCount = 8
    /// A tree's record: padding (4), flags (2), depth (2), branch, leaf and overflow pages, entries and
    /// root (8 each).
    static let treeByteCount = 48
    /// Header, magic number (4), version (4), address (8), map size (8), records of the free list and
    /// the tree of tables (48 each), last page (8), transaction (8).
    static let metaByteCount = 152
    static let magic: UInt32 = 0xBEEF_C0DE
    static let version: UInt32 = 1
    /// The root of an empty tree.
    static let noPage = UInt64.max
    static let maximumKeyByteCount = 511
    /// As deep as LMDB's cursors go.
    static let maximumDepth = 32
    /// Size of LMDB's pages in what we write, and the smallest and largest that it ever uses.
    static let pageByteCounts = 4_096...32_768
    /// Flags in the free list's record: its keys are integers, always; a fixed address and a file without
    /// a directory may be noted there too.
    static let integerKeys: UInt16 = 0x08
    static let freeListFlags: UInt16 = 0x4009
}

/// The header that all pages begin with.
struct PageHeader {
    let number: UInt64
    let flags: UInt16
    let lower: Int
    let upper: Int
    let runLength: UInt64

    init(_ page: RawSpan) {
        number = page.u64(at: 0)
        flags = page.u16(at: 10)
        lower = Int(page.u16(at: 12))
        upper = Int(page.u16(at: 14))
        runLength = UInt64(page.u32(at: 12))
    }
}

/// What a meta page, or a named table's entry in the tree of tables, says about a tree.
struct TreeRecord: Equatable {
    let flags: UInt16
    let depth: Int
    let branchPages: UInt64
    let leafPages: UInt64
    let overflowPages: UInt64
    let entries: UInt64
    let root: UInt64

    init(_ bytes: RawSpan) {
        flags = bytes.u16(at: 4)
        depth = Int(bytes.u16(at: 6))
        branchPages = bytes.u64(at: 8)
        leafPages = bytes.u64(at: 16)
        overflowPages = bytes.u64(at: 24)
        entries = bytes.u64(at: 32)
        root = bytes.u64(at: 40)
    }

    /// Why the record cannot be true in a file that ends with `lastPage`; `nil` if it can.
    func problem(lastPage: UInt64, pageByteCount: Int) -> String? {
        if depth > PageLayout.maximumDepth { return "a depth of \(depth)" }
        if depth == 0 || root == PageLayout.noPage {
            let isEmpty = depth == 0 && root == PageLayout.noPage && entries == 0
            let hasPages = branchPages != 0 || leafPages != 0 || overflowPages != 0
            return isEmpty && !hasPages ? nil : "an empty tree with a root, a depth, entries or pages"
        }
        if root < 2 || root > lastPage { return "root page \(root) of 2 to \(lastPage)" }
        for count in [branchPages, leafPages, overflowPages] where count >= lastPage {
            return "\(count) pages in a file of \(lastPage &+ 1)"
        }
        // Each of the three is below `lastPage`, which is below 2^48: no sum overflows.
        if branchPages + leafPages + overflowPages >= lastPage { return "more pages than the file has" }
        if leafPages == 0 || branchPages < UInt64(depth - 1) || (depth == 1) != (branchPages == 0) {
            return "\(branchPages) branch and \(leafPages) leaf pages at a depth of \(depth)"
        }
        // A leaf page has at least one entry; each takes two bytes of offset, a header and a key.
        let mostEntries = leafPages * UInt64(pageByteCount / (PageLayout.nodeHeaderByteCount + 3))
        if entries < leafPages || entries > mostEntries {
            return "\(entries) entries in \(leafPages) leaf pages"
        }
        return nil
    }

    var counts: FileCheck.TableCounts {
        FileCheck.TableCounts(
            entries: Int(clamping: entries), branchPages: Int(clamping: branchPages),
            leafPages: Int(clamping: leafPages), overflowPages: Int(clamping: overflowPages), depth: depth)
    }
}

/// A meta page: where one commit's trees begin.
struct MetaPage: Equatable {
    let pageByteCount: Int
    let transaction: UInt64
    let lastPage: UInt64
    let freeList: TreeRecord
    let main: TreeRecord

    /// - Throws: `Problem` if LMDB would refuse or misread the page.
    init(_ bytes: RawSpan, index: Int) throws(Problem) {
        let header = PageHeader(bytes)
        let magic = bytes.u32(at: 16)
        let version = bytes.u32(at: 20)
        guard magic == PageLayout.magic else {
            throw Problem("meta page \(index) has not LMDB's magic number")
        }
        guard version == PageLayout.version else {
            throw Problem("meta page \(index) is of data format \(version), not \(PageLayout.version)")
        }
        guard header.number == UInt64(index), header.flags == PageLayout.Kind.meta.rawValue else {
            throw Problem("meta page \(index) has a header of page \(header.number), flags \(header.flags)")
        }
        let size = bytes.u32(at: 40)
        guard PageLayout.pageByteCounts.contains(Int(size)), size.nonzeroBitCount == 1 else {
            throw Problem("meta page \(index) says that a page has \(size) bytes")
        }
        pageByteCount = Int(size)
        freeList = TreeRecord(bytes.extracting(40..<88))
        main = TreeRecord(bytes.extracting(88..<136))
        lastPage = bytes.u64(at: 136)
        transaction = bytes.u64(at: 144)
        guard freeList.flags & ~PageLayout.freeListFlags == 0, freeList.flags & PageLayout.integerKeys != 0,
            main.flags == 0
        else {
            throw Problem("meta page \(index) has flags \(freeList.flags) and \(main.flags) of trees")
        }
        guard freeList.depth <= PageLayout.maximumDepth, main.depth <= PageLayout.maximumDepth else {
            throw Problem("meta page \(index) has trees of depth \(freeList.depth) and \(main.depth)")
        }
        // A page number has 48 bits in a branch page.
        guard lastPage >= 1, lastPage < 1 << 48 else {
            throw Problem("meta page \(index) says that the last page is \(lastPage)")
        }
        // LMDB finds the page of a commit by its number's last bit.
        guard transaction == 0 || transaction & 1 == UInt64(index) else {
            throw Problem("meta page \(index) is of transaction \(transaction), which belongs to the other")
        }
    }

    /// Problems of the newest meta page in a file of `byteCount`.
    func problems(inFileOf byteCount: Int) -> [String] {
        // Pages beyond the end are free, so the file names each of them in 8 bytes, or were lost by one of
        // LMDB's leaks. This also bounds the memory of the walk.
        let wholePages = byteCount / pageByteCount
        guard lastPage < UInt64(wholePages + byteCount / 8 + 4_096) else {
            return ["the file ends after \(wholePages) pages, and its meta page says \(lastPage + 1)"]
        }
        var problems: [String] = []
        for (tree, name) in [(freeList, "free list"), (main, "tree of tables")] {
            if let problem = tree.problem(lastPage: lastPage, pageByteCount: pageByteCount) {
                problems.append("the meta page's record of the \(name) cannot be true: \(problem)")
            }
        }
        return problems
    }
}

/// What is wrong with a page.
struct Problem: Error, Equatable {
    let text: String
    init(_ text: String) { self.text = text }
}

/// Both meta pages as they were at one moment.
struct MetaPages: Equatable {
    /// The one that LMDB takes: the later of those that can be read.
    private(set) var newest: MetaPage?
    /// Whether the commit before the newest had a tree of tables. Then the newest one freed its root at
    /// least, and the free list ends with a record of it.
    private(set) var hasPrevious = false
    private(set) var problems: [String] = []

    init(of file: CheckedFile) throws {
        // A writer may be at it: believe what was read twice alike. A commit takes longer than a read.
        self = try Self.readOnce(file)
        for _ in 0..<16 {
            let again = try Self.readOnce(file)
            if again == self { return }
            self = again
        }
    }

    private init() {}

    private static func readOnce(_ file: CheckedFile) throws -> MetaPages {
        var result = MetaPages()
        let byteCount = try file.byteCount()
        guard byteCount > 0 else {
            result.problems = ["the file is empty"]
            return result
        }
        var metas: [MetaPage?] = [nil, nil]
        for index in 0..<2 {
            // LMDB looks for the second page where the first one's page size puts it.
            let pageByteCount = metas[0]?.pageByteCount ?? PageLayout.pageByteCounts.lowerBound
            var buffer = PageBuffer()
            guard try file.read(&buffer, count: PageLayout.metaByteCount, at: index * pageByteCount) else {
                result.problems.append(
                    "the file ends after \(byteCount) bytes, before meta page \(index) does")
                continue
            }
            do throws(Problem) {
                metas[index] = try MetaPage(buffer.bytes, index: index)
            } catch {
                result.problems.append(error.text)
            }
        }
        guard let first = metas[0], let second = metas[1] else {
            result.newest = metas[0] ?? metas[1]
            return result
        }
        let isSecondNewer = first.transaction < second.transaction
        let (older, newer) = isSecondNewer ? (first, second) : (second, first)
        result.newest = newer
        result.hasPrevious = newer.transaction >= 2 && older.main.root != PageLayout.noPage
        if first.pageByteCount != second.pageByteCount {
            result.problems.append(
                "the meta pages disagree on the size of a page: \(first.pageByteCount), \(second.pageByteCount)"
            )
        }
        // Every commit writes the page of the commit before the last. Both are 0 in a new file.
        if newer.transaction - older.transaction > 1
            || (newer.transaction == older.transaction && first != second)
        {
            result.problems.append(
                "the meta pages are of transactions \(older.transaction) and \(newer.transaction), not of "
                    + "two that follow each other")
        }
        if older.lastPage > newer.lastPage {
            result.problems.append(
                "the file had \(older.lastPage + 1) pages and now has \(newer.lastPage + 1)")
        }
        return result
    }
}
