import CKernels
import Glibc
import Store

/// Codes copied from a file's pages into one array in memory of large pages, where a walk finds them sooner: a code in a
/// page of the file costs a look-up of its page's address by the processor, which cannot keep as many as there are.
///
/// Nobody waits for the copy. A search that would read codes of the file copies some hundred of them, until all are
/// there; searches from then on read the copy. Linking only adds codes behind those that were there, so the copy serves
/// every snapshot with the same `generations`, each reading what lies below its own bound, while others add. Where
/// a row was erased, or a graph was made anew, another copy is begun.
///
/// Safe because the memory is its own, as long as `capacity` slots need, and each slot is written once, by who holds the
/// turn, before `copied` counts it.
@safe final class CodeArena: @unchecked Sendable {
    /// What must be equal for a code to be the same.
    struct Generations: Equatable {
        let map: UInt64
        let segments: UInt64
        let codes: UInt64

        func isBefore(_ other: Generations) -> Bool {
            codes != other.codes ? codes < other.codes : segments < other.segments
        }
    }

    let generations: Generations
    /// Slots that there is room for.
    let capacity: UInt32
    let layout: UnsafeMutablePointer<kernels_codes>
    private let base: UnsafeMutableRawPointer
    private let pages: UnsafeMutablePointer<UnsafeRawPointer?>
    private let byteCount: Int
    private let codes: CodePages
    /// How many slots are there, whether somebody is copying more, and whether that was all at some time.
    private let progress = Mutex((copied: UInt32(0), isTaken: false, isComplete: false))

    var isComplete: Bool { progress.withLock { $0.isComplete } }

    /// Searches of the same codes before a copy is begun.
    static let searchesBefore = 64
    /// Bytes that one search copies: some 10 µs.
    static let bytesPerSearch = 64 << 10
    /// The most bytes of codes that are copied; what is larger is read from the file.
    static let largestByteCount = 1 << 30

    /// Makes an empty one, with room for a third more than there are. `nil` where there is no memory for it, or too much
    /// would be needed.
    init?(_ generations: Generations, _ codes: CodePages, slots: UInt32) {
        let room = Int(slots) + Int(slots) / 3 + 1
        let length = room * codes.strideBytes
        guard length <= Self.largestByteCount else { return nil }
        self.generations = generations
        self.codes = codes
        capacity = UInt32(room)
        byteCount = (length + Self.largePage - 1) / Self.largePage * Self.largePage
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        guard let memory = unsafe mmap(nil, byteCount + Self.largePage, PROT_READ | PROT_WRITE, flags, -1, 0),
            unsafe memory != MAP_FAILED
        else { return nil }
        // Begins at a multiple of a large page; what is before and behind is given back.
        let lead = (Self.largePage - Int(bitPattern: memory) % Self.largePage) % Self.largePage
        unsafe base = memory + lead
        if lead > 0 { _ = unsafe munmap(memory, lead) }
        _ = unsafe munmap(base + byteCount, Self.largePage - lead)
        _ = unsafe madvise(base, byteCount, Int32(MADV_HUGEPAGE))
        unsafe pages = .allocate(capacity: 1)
        unsafe pages.initialize(to: UnsafeRawPointer(base))
        // One page holds them all.
        let divider = Divider(by: Int(UInt32(1) << 31))
        unsafe layout = .allocate(capacity: 1)
        unsafe layout.initialize(
            to: kernels_codes(
                pages: UnsafePointer(pages), codes_per_page: divider.divisor, reciprocal: divider.reciprocal,
                first_code: 0, stride: codes.strideBytes, blocks: codes.blockCount,
                bits: UInt32(CodePages.bits), is_one_page: 1))
    }

    deinit {
        _ = unsafe munmap(base, byteCount)
        unsafe layout.deallocate()
        unsafe pages.deallocate()
    }

    private static let largePage = 2 << 20

    /// Whether the codes of all slots below `bound` are there; if not, and nobody else is at it, copies some more.
    func isReady(below bound: UInt32, from addresses: CodeAddresses) -> Bool {
        guard bound <= capacity else { return false }
        let from = progress.withLock { progress -> UInt32? in
            if progress.copied >= bound || progress.isTaken { return nil }
            progress.isTaken = true
            return progress.copied
        }
        if let from {
            let end = min(bound, from + UInt32(max(1, Self.bytesPerSearch / codes.strideBytes)))
            copy(from..<end, addresses)
            progress.withLock { $0 = (end, false, $0.isComplete || end == bound) }
        }
        return progress.withLock { $0.copied >= bound }
    }

    private func copy(_ slots: Range<UInt32>, _ addresses: CodeAddresses) {
        let stride = codes.strideBytes
        var slot = slots.lowerBound
        while slot < slots.upperBound {
            let (page, place) = codes.divider.quotientAndRemainder(slot)
            let count = min(codes.codesPerPage - place, Int(slots.upperBound - slot))
            // Safe because a page has as many codes, and there is room for `capacity` slots.
            unsafe (base + Int(slot) * stride).copyMemory(
                from: addresses.pages[page] + CodePages.headerByteCount + place * stride,
                byteCount: count * stride)
            slot += UInt32(count)
        }
    }
}
