/// The walk over all trees of a file: first the tree of tables and every table in it, then the free
/// list, whose pages must be none of those.
///
/// What must stay true: a page is entered only if its bit in `isReached` was clear, and sets it. So the
/// walk ends, whatever the pages say. Its depth is that of the tree's record, at most 32.
struct PageWalker: ~Copyable {
    var report: FileCheck.Report
    let file: CheckedFile
    let meta: MetaPage
    /// Whether the free list must end with a record of the newest commit.
    let hasPrevious: Bool
    let pageByteCount: Int
    /// Pages that are whole in the file.
    let wholePages: UInt64
    /// The longest node that LMDB keeps in a page: two of them fit.
    let maximumNodeByteCount: Int
    let maximumProblems: Int
    let progress: ((Int, Int) -> Void)?

    var isReached: PageSet
    var isFree: PageSet
    /// Pages' worth of bytes that no level uses at the moment.
    var spareBuffers: [PageBuffer] = []
    /// One bit for each two bytes of a page: set where a node was found.
    var isOccupied: [UInt64]

    /// The tree that is being walked.
    var tree: Tree
    /// The transaction of the last record of the free list that was seen.
    var lastFreeTransaction: UInt64?
    /// Named tables, found in the tree of tables, to be walked when it is done.
    var pending: [Tree] = []

    struct Tree {
        enum Role {
            case main
            case table
            case freeList
        }
        let role: Role
        /// The name of a table; what people call the others.
        let name: String
        let record: TreeRecord
        var counts = FileCheck.TableCounts()

        init(_ role: Role, _ name: String, _ record: TreeRecord) {
            self.role = role
            self.name = name
            self.record = record
        }

        var title: String { role == .table ? "table `\(name)`" : name }
    }

    /// A node, by where its parts are in the page.
    struct Node {
        let start: Int
        /// In a leaf page, the flags; elsewhere, part of the child's number.
        let flags: UInt16
        let key: Range<Int>
        /// In a leaf page, the size of the value, which may lie elsewhere.
        let valueByteCount: Int
        /// What of the value, or of its page's number, lies in this page.
        let data: Range<Int>
        let child: UInt64
    }

    static let isBig: UInt16 = 0x01
    static let isTree: UInt16 = 0x02

    init(
        file: CheckedFile, meta: MetaPage, hasPrevious: Bool, report: FileCheck.Report, maximumProblems: Int,
        progress: ((Int, Int) -> Void)? = nil
    ) {
        self.file = file
        self.meta = meta
        self.hasPrevious = hasPrevious
        self.report = report
        self.maximumProblems = max(maximumProblems, 1)
        self.progress = progress
        pageByteCount = meta.pageByteCount
        wholePages = UInt64(report.fileByteCount / meta.pageByteCount)
        maximumNodeByteCount = (meta.pageByteCount - PageLayout.headerByteCount) / 2 / 2 * 2 - 2
        isReached = PageSet(lastPage: meta.lastPage)
        isFree = PageSet(lastPage: meta.lastPage)
        isOccupied = [UInt64](repeating: 0, count: meta.pageByteCount / 128)
        tree = Tree(.main, "tree of tables", meta.main)
        self.report.pageCount = Int(meta.lastPage) + 1
    }

    /// Walks everything, and fills the report.
    mutating func walkAll() {
        report.main = walk(tree)
        // The list is taken, not iterated in place: the walk of a table changes `self`.
        let tables = pending
        pending = []
        for table in tables where !isStopped { report.tables[table.name] = walk(table) }
        walkFreeList()
        report.lost = max(report.pageCount - 2 - report.reachable - report.free, 0)
        progress?(report.pageCount, report.pageCount)
    }

    /// Looks at the tree of tables if it is one page, at the root of each table in it, and at the free
    /// list, which must name none of them. A meta page that leads to an older root is caught here.
    mutating func walkRoots() {
        if meta.main.depth == 1 { _ = walk(tree) } else { checkRoot(tree) }
        for table in pending where !isStopped { checkRoot(table) }
        walkFreeList()
    }

    mutating func walkFreeList() {
        guard !isStopped else { return }
        let problemsBefore = report.problems.count
        report.freeList = walk(Tree(.freeList, "free list", meta.freeList))
        if report.problems.count == problemsBefore { checkLastFreeRecord() }
    }

    var isStopped: Bool { report.problems.count >= maximumProblems }

    mutating func note(_ problem: String) {
        if !isStopped { report.problems.append("\(tree.title): \(problem)") }
    }

    mutating func walk(_ next: Tree) -> FileCheck.TableCounts {
        tree = next
        let problemsBefore = report.problems.count
        let record = tree.record
        if let problem = record.problem(lastPage: meta.lastPage, pageByteCount: pageByteCount) {
            note("its record cannot be true: \(problem)")
            return tree.counts
        }
        tree.counts.depth = record.depth
        if record.depth > 0 {
            let none = RawSpan()
            visit(record.root, level: 0, from: none, below: none)
        }
        // After a problem pages are missing, which was said already.
        if report.problems.count == problemsBefore, tree.counts != record.counts {
            note("its record says \(record.counts), and there are \(tree.counts)")
        }
        return tree.counts
    }

    /// Checks that the record can be true, and that the root page is one.
    mutating func checkRoot(_ next: Tree) {
        tree = next
        let record = tree.record
        if let problem = record.problem(lastPage: meta.lastPage, pageByteCount: pageByteCount) {
            note("its record cannot be true: \(problem)")
            return
        }
        var buffer = PageBuffer()
        guard record.depth > 0, claim(record.root, count: 1, as: "its root"), read(&buffer, record.root)
        else {
            return
        }
        _ = checkLayout(buffer.bytes, record.root, record.depth == 1 ? .leaf : .branch)
    }

    // MARK: Pages

    /// Checks one page and all below it, whose keys lie at or after `lower` and before `upper`; an empty
    /// bound is none.
    mutating func visit(_ number: UInt64, level: Int, from lower: RawSpan, below upper: RawSpan) {
        guard !isStopped, claim(number, count: 1, as: "a page") else { return }
        var buffer = spareBuffers.popLast() ?? PageBuffer(byteCount: pageByteCount)
        defer { spareBuffers.append(buffer) }
        guard read(&buffer, number) else { return }
        let page = buffer.bytes
        let kind: PageLayout.Kind = level == tree.record.depth - 1 ? .leaf : .branch
        guard let count = checkLayout(page, number, kind), checkKeys(page, number, kind, count, lower, upper)
        else { return }
        if kind == .leaf {
            tree.counts.leafPages += 1
            tree.counts.entries += count
            for index in 0..<count where !isStopped { checkValue(node(page, index, .leaf), page, number) }
            return
        }
        tree.counts.branchPages += 1
        for index in 0..<count where !isStopped {
            let child = node(page, index, .branch)
            // The first child holds what is before the second's key; its own key is not used.
            let from = index == 0 ? lower : page.extracting(child.key)
            if index + 1 < count {
                visit(
                    child.child, level: level + 1, from: from,
                    below: page.extracting(node(page, index + 1, .branch).key))
            } else {
                visit(child.child, level: level + 1, from: from, below: upper)
            }
        }
    }

    /// Counts pages as reached. Returns `false`, and notes why, if they are out of bounds, not in the
    /// file, or reached before.
    mutating func claim(_ first: UInt64, count: UInt64, as what: String) -> Bool {
        guard first >= 2, first <= meta.lastPage, count >= 1, count <= meta.lastPage - first + 1 else {
            note("\(what) has number \(first), with \(count) in a row, of pages 2 to \(meta.lastPage)")
            return false
        }
        guard first + count <= wholePages else {
            note("\(what), number \(first), with \(count) in a row, lies beyond the end of the file")
            return false
        }
        for number in first..<first + count {
            guard isReached.insert(number) else {
                note("page \(number) is used twice")
                return false
            }
            guard !isFree.contains(number) else {
                note("page \(number) is in use, and the free list names it")
                return false
            }
            report.reachable += 1
        }
        if let progress, report.reachable & 0x3FF < Int(clamping: count) {
            progress(report.reachable, report.pageCount)
        }
        return true
    }

    mutating func read(_ buffer: inout PageBuffer, _ number: UInt64) -> Bool {
        read(&buffer, count: pageByteCount, at: Int(number) * pageByteCount, page: number)
    }

    mutating func read(_ buffer: inout PageBuffer, count: Int, at offset: Int, page: UInt64) -> Bool {
        do {
            if try file.read(&buffer, count: count, at: offset) { return true }
            note("page \(page) lies beyond the end of the file")
        } catch {
            note("page \(page) cannot be read: \(error)")
        }
        return false
    }

    // MARK: Values

    mutating func checkValue(_ node: Node, _ page: RawSpan, _ number: UInt64) {
        var runStart: UInt64?
        if node.flags == Self.isBig {
            let start = page.u64(at: node.data.lowerBound)
            guard claimRun(start, valueByteCount: node.valueByteCount) else { return }
            runStart = start
        }
        switch tree.role {
        case .table: break
        case .main where node.flags == Self.isTree:
            let bytes = page.extracting(node.key).array
            guard let name = String(validating: bytes, as: UTF8.self) else {
                note("page \(number) names a table in bytes that are not UTF-8")
                return
            }
            let record = TreeRecord(page.extracting(node.data))
            guard record.flags == 0 else {
                note("table `\(name)` has flags \(record.flags), which no table of ours has")
                return
            }
            pending.append(Tree(.table, name, record))
        case .main: break
        case .freeList:
            let transaction = page.u64(at: node.key.lowerBound)
            guard transaction >= 1, transaction <= meta.transaction else {
                note("it has a record of transaction \(transaction); the last one is \(meta.transaction)")
                return
            }
            lastFreeTransaction = transaction
            if let runStart {
                checkFreeRun(at: runStart, byteCount: node.valueByteCount)
            } else {
                checkFreePages(page.extracting(node.data))
            }
        }
    }

    /// Checks the header of an overflow run, and counts its pages as reached.
    mutating func claimRun(_ start: UInt64, valueByteCount: Int) -> Bool {
        guard claim(start, count: 1, as: "an overflow page") else { return false }
        var buffer = PageBuffer()
        let offset = Int(start) * pageByteCount
        guard read(&buffer, count: PageLayout.headerByteCount, at: offset, page: start) else { return false }
        let header = PageHeader(buffer.bytes)
        let needed = (PageLayout.headerByteCount - 1 + valueByteCount) / pageByteCount + 1
        guard header.number == start, header.flags == PageLayout.Kind.overflow.rawValue else {
            note("page \(start) is not an overflow page with that number")
            return false
        }
        guard header.runLength >= UInt64(needed) else {
            note("page \(start) begins a run of \(header.runLength) pages; its value needs \(needed)")
            return false
        }
        if header.runLength > 1 {
            guard claim(start + 1, count: header.runLength - 1, as: "an overflow page") else { return false }
        }
        tree.counts.overflowPages += Int(header.runLength)
        return true
    }
}
