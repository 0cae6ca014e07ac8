/// Looks over a home's file page by page, by `pread`, before LMDB sees it.
///
/// LMDB's pages have no checksum, and LMDB believes what it reads: a damaged page number, offset or
/// count ends the process (SIGSEGV, SIGBUS or an assertion). So this walk believes nothing. Every
/// number is compared with its bounds before it is used, and every page is entered at most once, so
/// that any bytes at all give a report, in time proportional to the file.
///
/// What it sees is the structure: meta pages, trees, overflow runs and the free list, as LMDB 0.9
/// writes them on a 64-bit little-endian machine for tables without flags (keys in byte order, no
/// duplicates). It does not see the bytes of values: checksums of ours cover those. Damage in bytes
/// that LMDB does not read (free pages, gaps inside pages, the older meta page's roots) is no problem.
///
/// A file may be looked over while others read it. While another process writes it, `quick` still
/// answers right; `full` needs a read transaction held by the caller from before to after, so that the
/// pages of its snapshot are not used again.
package struct FileCheck {
    /// What a tree of the file holds.
    package struct TableCounts: Sendable, Equatable, CustomStringConvertible {
        package var entries = 0
        package var branchPages = 0
        package var leafPages = 0
        package var overflowPages = 0
        /// Levels of the tree; 0 if it is empty.
        package var depth = 0

        package init(
            entries: Int = 0, branchPages: Int = 0, leafPages: Int = 0, overflowPages: Int = 0, depth: Int = 0
        ) {
            self.entries = entries
            self.branchPages = branchPages
            self.leafPages = leafPages
            self.overflowPages = overflowPages
            self.depth = depth
        }

        /// Pages of all three kinds.
        package var pageCount: Int { branchPages + leafPages + overflowPages }

        package var description: String {
            "\(entries) entries in \(branchPages) branch, \(leafPages) leaf and \(overflowPages) overflow pages "
                + "of \(depth) levels"
        }
    }

    /// What one look over a file found. The counts are those of the pages seen; when there are problems,
    /// pages behind the damage are missing from them.
    package struct Report: Sendable {
        /// One sentence each; empty if the file is clean.
        package var problems: [String] = []
        package var pageByteCount = 0
        package var fileByteCount = 0
        /// Pages that the file has, or will have once its last free pages are used; with both meta pages.
        package var pageCount = 0
        /// Pages that the trees lead to, the free list's own tree included, meta pages not.
        package var reachable = 0
        /// Pages that the free list names.
        package var free = 0
        /// Pages that are neither. LMDB leaks some after very large transactions. They are harmless,
        /// except that LMDB's own compacting copy refuses a file that has any.
        package var lost = 0
        /// The number of the commit that was looked at.
        package var lastTransaction: UInt64 = 0
        /// The tree of tables, whose entries are the named tables.
        package var main = TableCounts()
        /// The tree of the free list.
        package var freeList = TableCounts()
        /// The named tables.
        package var tables: [String: TableCounts] = [:]
    }

    /// Looks at what LMDB believes on opening and on the first write: both meta pages, the tree of
    /// tables, the root of each table, the free list, and whether all pages are in the file (reading one
    /// that is not is a SIGBUS).
    ///
    /// A file may be shorter than its meta page says if what is missing is free. Then, and only then,
    /// all its trees are walked.
    ///
    /// - Returns: the problems, one sentence each. An empty file is a problem too, as LMDB would take it
    ///   for a new one: a caller who creates files looks at the size first.
    /// - Throws: `missing` if there is no such file, `io` if it cannot be opened or read.
    /// - Complexity: O(tables + free pages / 500); O(pages) for a file that is shorter than its meta page says.
    package static func quick(path: String) throws -> [String] {
        let file = try CheckedFile(path: path)
        var problems: [String] = []
        var metas = try MetaPages(of: file)
        // A writer may commit between two reads. Then what looked wrong is looked at again.
        for _ in 0..<16 {
            problems = try quickProblems(of: file, metas)
            if problems.isEmpty { break }
            let again = try MetaPages(of: file)
            if again == metas { break }
            metas = again
        }
        return problems
    }

    /// Walks every page of every tree of the newest commit, and the free list.
    ///
    /// - Parameters:
    ///   - maximumProblems: the walk ends when it has found so many.
    ///   - progress: called now and then with the pages seen and the pages of the file.
    /// - Throws: `missing` if there is no such file, `io` if it cannot be opened, or its size or meta
    ///   pages not be read. A page that the disk refuses to read is a problem of the report.
    /// - Complexity: O(pages), one `pread` each, of overflow runs only the header. Memory: two bits a
    ///   page, and one page a level.
    package static func full(
        path: String, maximumProblems: Int = 100, progress: ((Int, Int) -> Void)? = nil
    ) throws -> Report {
        let file = try CheckedFile(path: path)
        let metas = try MetaPages(of: file)
        return try walk(file, metas, maximumProblems: maximumProblems, progress: progress)
    }

    private static func walk(
        _ file: CheckedFile, _ metas: MetaPages, maximumProblems: Int, progress: ((Int, Int) -> Void)? = nil
    ) throws -> Report {
        var report = Report()
        report.fileByteCount = try file.byteCount()
        report.problems = Array(metas.problems.prefix(max(maximumProblems, 1)))
        guard let meta = metas.newest else { return report }
        report.pageByteCount = meta.pageByteCount
        report.lastTransaction = meta.transaction
        let problems = meta.problems(inFileOf: report.fileByteCount)
        report.problems += problems
        guard problems.isEmpty else { return report }
        var walker = PageWalker(
            file: file, meta: meta, hasPrevious: metas.hasPrevious, report: report,
            maximumProblems: maximumProblems, progress: progress)
        walker.walkAll()
        return walker.report
    }

    private static func quickProblems(of file: CheckedFile, _ metas: MetaPages) throws -> [String] {
        guard let meta = metas.newest, metas.problems.isEmpty else { return metas.problems }
        var report = Report()
        // The size is asked after the meta pages were read: pages are written before the meta page is.
        report.fileByteCount = try file.byteCount()
        let problems = meta.problems(inFileOf: report.fileByteCount)
        guard problems.isEmpty else { return problems }
        var walker = PageWalker(
            file: file, meta: meta, hasPrevious: metas.hasPrevious, report: report, maximumProblems: 10)
        walker.walkRoots()
        if walker.report.problems.isEmpty, report.fileByteCount / meta.pageByteCount <= Int(meta.lastPage) {
            return try walk(file, metas, maximumProblems: 10).problems
        }
        return walker.report.problems
    }
}
