import Store

/// What must be true of codes after every commit.
extension HNSWIndex {
    /// Codes every linked row anew, and compares.
    ///
    /// - Complexity: O(linked slots × dimension); some 10 µs a row of 384.
    func checkCodes(
        _ state: IndexState, _ extent: VectorSegments.Extent, _ passages: [UInt32], _ check: inout IndexCheck,
        in transaction: borrowing ReadTransaction
    ) throws {
        let codes = codePages
        let pageCount = codes.pageCount(Int(state.linkedSlots))
        try table.scan(prefix: codes.prefix, from: codes.key(pageCount), in: transaction, isVerified: false) {
            _, _ in
            check.add("there are more pages of codes than slots need")
            return false
        }
        guard state.linkedSlots > 0 else { return }
        do {
            let table = try pointers.table(state, extent, self, in: transaction)
            guard let book = table.book else { return }
            let graph = table.graph(state, segments)
            let scratch = scratches.take()
            defer { scratches.giveBack(scratch) }
            for page in 0..<pageCount {
                let payload = try codes.page(page, in: transaction)
                for place in 0..<codes.codesPerPage {
                    let slot = UInt32(page * codes.codesPerPage + place)
                    var expected = [UInt8](repeating: 0, count: codes.strideBytes)
                    if slot < state.linkedSlots, passages[Int(slot)] != VectorSegments.noPassage {
                        // Safe because the slot has a row, and there is room for a code.
                        unsafe expected.withUnsafeMutableBytes { bytes in
                            guard let base = bytes.baseAddress else { return }
                            unsafe book.encode(
                                graph.row(slot), auxiliary: graph.auxiliary(slot), scratch: scratch,
                                into: base)
                        }
                    }
                    let start = codes.offset(slot)
                    if payload[start..<start + codes.strideBytes] != expected[...] {
                        check.add("the code of slot \(slot) is not that of its row")
                    }
                }
            }
            withExtendedLifetime(table) {}
        } catch let error as StoreError {
            check.add("the codes: \(error.message)")
        }
    }
}
