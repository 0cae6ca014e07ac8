import CKernels
import Store

/// Codes as a step of linking sees them: those of the snapshot, and those that it makes.
///
/// Safe because a page is copied whole before a code in it is written, the copies belong to the overlay, and codes are
/// written by different threads to different bytes.
@safe final class CodeOverlay {
    let book: CodeBook
    private let addresses: CodeAddresses
    /// The first page that the step writes.
    private let firstPage: Int
    private var copies: [UnsafeMutableRawPointer] = unsafe []

    var layout: UnsafePointer<kernels_codes> { unsafe UnsafePointer(addresses.layout) }

    /// - Parameters:
    ///   - linked: slots below it have codes.
    ///   - end: slots below it may get one.
    init(_ book: CodeBook, _ snapshot: CodeAddresses?, linked: UInt32, end: UInt32) {
        self.book = book
        let pages = book.pages
        firstPage = pages.divider.quotientAndRemainder(linked).quotient
        let count = pages.pageCount(Int(end))
        let list = AddressList(capacity: count)
        for page in 0..<count {
            let known = unsafe page < snapshot?.pages.count ?? 0 ? snapshot?.pages[page] : nil
            if let known = unsafe known, page < firstPage {
                unsafe list.append(known)
                continue
            }
            let copy = UnsafeMutableRawPointer.allocate(byteCount: pages.pageByteCount, alignment: 64)
            if let known = unsafe known {
                unsafe copy.copyMemory(from: known, byteCount: pages.pageByteCount)
            } else {
                unsafe copy.copyMemory(from: pages.empty(page), byteCount: pages.pageByteCount)
            }
            unsafe copies.append(copy)
            unsafe list.append(UnsafeRawPointer(copy))
        }
        addresses = CodeAddresses(list, pages)
    }

    deinit {
        for index in unsafe copies.indices { unsafe copies[index].deallocate() }
    }

    /// Where the code of a slot that the step links goes.
    func room(_ slot: UInt32) -> UnsafeMutableRawPointer {
        let page = book.pages.divider.quotientAndRemainder(slot).quotient
        return unsafe copies[page - firstPage] + book.pages.offset(slot)
    }

    /// The pages with codes of the slots from where the step began to `end`.
    func changedPages(to end: UInt32) -> [LinkBatch.Page] {
        (firstPage..<max(firstPage, book.pages.pageCount(Int(end)))).map { page in
            let bytes = unsafe UnsafeRawBufferPointer(
                start: copies[page - firstPage], count: book.pages.pageByteCount)
            return unsafe LinkBatch.Page(key: book.pages.key(page), payload: [UInt8](bytes))
        }
    }
}
