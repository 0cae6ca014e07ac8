import CKernels
import Store

/// Where the codes of an index are in a snapshot.
///
/// Safe because the layout points into an address list that it keeps, and belongs to it.
@safe final class CodeAddresses: @unchecked Sendable {
    let pages: AddressList
    let layout: UnsafeMutablePointer<kernels_codes>

    init(_ addresses: AddressList, _ codes: CodePages) {
        pages = addresses
        let divider = codes.divider
        unsafe layout = .allocate(capacity: 1)
        // Safe because the list keeps the memory, and whoever uses the layout keeps this.
        unsafe layout.initialize(
            to: kernels_codes(
                pages: UnsafePointer(addresses.base), codes_per_page: divider.divisor,
                reciprocal: divider.reciprocal, first_code: CodePages.headerByteCount,
                stride: codes.strideBytes, blocks: codes.blockCount, bits: UInt32(CodePages.bits),
                is_one_page: 0))
    }

    deinit { unsafe layout.deallocate() }

    var isStable: Bool { pages.isStable }
}

extension HNSWIndex {
    /// The codes of an index; its rows and links lie in pages of other kinds.
    var codePages: CodePages {
        CodePages(table: table, space: segments.space, dimension: segments.dimension)
    }

    func collectCodes(
        _ state: IndexState, in transaction: borrowing ReadTransaction
    ) throws -> CodeAddresses {
        let codes = codePages
        return CodeAddresses(
            try AddressList.collect(
                table, prefix: codes.prefix, count: codes.pageCount(Int(state.linkedSlots)),
                byteCount: codes.pageByteCount, what: "page of codes of space \(segments.space)",
                in: transaction), codes)
    }

    /// How the rows of a graph were coded.
    ///
    /// - Throws: `StoreError.corrupted`.
    func readBook(_ state: IndexState, in transaction: borrowing ReadTransaction) throws -> CodeBook {
        let codes = codePages
        guard let value = try table.get(codes.centerKey, in: transaction),
            value.byteCount == segments.dimension * 4
        else {
            throw StoreError(
                .corrupted, "the center of the codes of space \(segments.space) is missing or damaged")
        }
        let center = value.floats(at: 0, count: segments.dimension)
        guard center.allSatisfy(\.isFinite) else {
            throw StoreError(.corrupted, "the center of the codes of space \(segments.space) is damaged")
        }
        return CodeBook(codes, segments.metric, center: center, seed: state.seed)
    }
}
