import Store

/// How files of older formats become those of the newest, one format at a time.
///
/// All steps that a file needs run in one transaction, and the header is written last, so that a file is of the format
/// that its header names, whatever happens. A new format comes with its step here, a store of the version before in
/// `Tests/Fixtures`, and its lines in `docs/file-format.md`.
package struct FormatLadder: Sendable {
    /// From one format to the next.
    package struct Step: Sendable {
        let from: UInt16
        /// Changes all that differs but the header. It calls no clock and no random source.
        let run: @Sendable (borrowing WriteTransaction) throws -> Void
    }

    /// The format that is written.
    let newest: UInt16
    let steps: [Step]

    package static let current = FormatLadder(
        newest: Schema.formatVersion,
        steps: [toFormat2, toFormat3, toFormat4, toFormat5, toFormat6, toFormat7])

    /// The formats that can be read, or can be made readable.
    var known: ClosedRange<UInt16> {
        var oldest = newest
        while oldest > 0, steps.contains(where: { $0.from == oldest - 1 }) { oldest -= 1 }
        return oldest...newest
    }

    /// Brings a file to the newest format, unless another process was faster.
    ///
    /// - Throws: what a step throws; the file is as it was then.
    func climb(in transaction: borrowing WriteTransaction) throws -> HomeHeader {
        guard let bytes = try Schema.shared.get(Schema.Shared.header.key, in: transaction.snapshot) else {
            throw StoreError(.foreign, "the file has no header; it is not a home of Loci")
        }
        var header = try HomeHeader(decoding: bytes, of: self)
        while header.formatVersion < newest {
            guard let step = steps.first(where: { $0.from == header.formatVersion }) else {
                throw StoreError(.foreign, "there is no way from format \(header.formatVersion)")
            }
            try step.run(transaction)
            header.formatVersion += 1
        }
        try Schema.shared.put(Schema.Shared.header.key, header.encode(), in: transaction)
        return header
    }
}
