import CKernels
import Store

/// The short codes of an index's linked rows, by slot, as many in a value as one page of the file holds.
///
/// A code has two bits for each component of the rotated row, and two numbers behind them with which its inner product
/// with a query becomes an estimate of the score (`CodeBook`). The code of an erased row, and of one that is not
/// linked, is zeros. Every page has all its codes, used or not, so that it fills a page of its own and has a stable
/// address.
struct CodePages: Sendable, Equatable {
    /// Payload bytes before the codes, so that these begin at a multiple of 64 bytes in the file.
    static let headerByteCount = LinkPages.headerByteCount
    /// What a query is in: 8 bits a component. More bits for a row's would not tell more.
    static let bits = 2

    let table: Table
    let space: UInt16
    let dimension: Int

    /// Components of what is coded: the rotation and the kernels want whole blocks.
    var codedDimension: Int {
        (dimension + Self.componentsPerBlock - 1) / Self.componentsPerBlock * Self.componentsPerBlock
    }
    private static let componentsPerBlock = 256 / bits
    var blockCount: Int { codedDimension / Self.componentsPerBlock }
    /// Bytes of a code, without what fills it up to the next.
    var codeByteCount: Int { blockCount * 32 + 8 }

    /// Bytes from code to code: cache lines where that is two at most, as each line is a wait for memory.
    var strideBytes: Int {
        codeByteCount <= 128 ? (codeByteCount + 63) / 64 * 64 : (codeByteCount + 15) / 16 * 16
    }
    var codesPerPage: Int { (Table.pagePayloadByteCount - Self.headerByteCount) / strideBytes }
    var pageByteCount: Int { Self.headerByteCount + codesPerPage * strideBytes }
    var divider: Divider { Divider(by: codesPerPage) }

    /// Whether codes of so many components fit a page.
    static func canCode(dimension: Int) -> Bool {
        // A page must be filled by more than half, or it would share one.
        let pages = CodePages(table: Table(name: "", index: 0), space: 0, dimension: dimension)
        return pages.codesPerPage >= 2
    }

    var prefix: Key { Key(prefix: LinkPages.Kind.code.rawValue).u16(space) }
    func key(_ page: Int) -> Key { prefix.u32(UInt32(page)) }
    var centerKey: Key { Key(prefix: LinkPages.Kind.center.rawValue).u16(space) }

    /// Pages that hold `slots` codes.
    func pageCount(_ slots: Int) -> Int { (slots + codesPerPage - 1) / codesPerPage }

    /// Where a code begins in the payload of its page.
    func offset(_ slot: UInt32) -> Int {
        Self.headerByteCount + divider.quotientAndRemainder(slot).remainder * strideBytes
    }

    /// A page of codes of nothing.
    func empty(_ page: Int) -> [UInt8] {
        var writer = ByteWriter(capacity: pageByteCount)
        writer.u32(UInt32(page * codesPerPage))
        writer.u32(UInt32(codesPerPage))
        writer.u32(UInt32(codeByteCount))
        writer.raw(repeatElement(0, count: pageByteCount - 12))
        return writer.bytes
    }

    /// Whether a payload is page `page` of these codes, by its size and header.
    func isPage(_ page: Int, _ payload: RawSpan) -> Bool {
        payload.byteCount == pageByteCount && payload.u32(at: 0) == UInt32(page * codesPerPage)
            && payload.u32(at: 4) == UInt32(codesPerPage) && payload.u32(at: 8) == UInt32(codeByteCount)
    }

    /// A page as it is, verified.
    ///
    /// - Throws: `StoreError.corrupted`.
    func page(_ page: Int, in transaction: borrowing ReadTransaction) throws -> [UInt8] {
        guard let payload = try table.get(key(page), in: transaction), isPage(page, payload) else {
            throw StoreError(.corrupted, "page \(page) of the codes of space \(space) is missing or damaged")
        }
        return payload.array
    }

    /// Makes the code of an erased slot zeros.
    func erase(_ slot: UInt32, in transaction: borrowing WriteTransaction) throws {
        let number = divider.quotientAndRemainder(slot).quotient
        var payload = try page(number, in: transaction.snapshot)
        let start = offset(slot)
        for byte in start..<start + codeByteCount { payload[byte] = 0 }
        try table.put(key(number), payload, in: transaction)
    }
}
