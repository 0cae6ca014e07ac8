import CChecksum

/// Where the values of the keys `prefix` + 0, 1, 2, … (`u32`) lie in one snapshot: for reading many of them, again and
/// again, without a descent of the table's tree for each.
///
/// A value is verified when it is read first, unless it was since the file was opened (`Table.verifyOnce`). For one
/// thread.
///
/// Safe because addresses are read only with the snapshot that they are from, which the commit and the map tell, and
/// never inside a write, where values move; and because numbers are compared with the count of values, whose memory
/// belongs to the directory.
@safe package final class ValueDirectory {
    @unsafe private struct Value {
        var address: UnsafeRawPointer?
        /// With the checksum.
        var byteCount: Int
        var isVerified = false
    }

    /// How far ahead of a value that is read the next ones are asked for.
    private static let prefetchDistance = 4

    private let table: Table
    private let prefix: Key
    private let map: UInt64
    private let commit: UInt64
    private let values: UnsafeMutableBufferPointer<Value>

    /// - Parameter count: numbers from it on are left out.
    /// - Throws: `StoreError.corrupted` where a key is none.
    /// - Complexity: O(values), some 20 ns each.
    /// - Precondition: the snapshot is not one inside a write.
    package init(
        _ table: Table, prefix: Key, below count: Int, in transaction: borrowing ReadTransaction
    ) throws {
        precondition(!transaction.isInsideWrite, "values move inside a write")
        self.table = table
        self.prefix = prefix
        map = transaction.map
        commit = transaction.commit
        var found = unsafe [Value]()
        let keyByteCount = prefix.bytes.count + 4
        // Safe because the addresses are kept for this snapshot, and nothing is read.
        unsafe try table.forEachAddress(prefix: prefix, in: transaction) { key, value in
            guard key.byteCount == keyByteCount else {
                throw StoreError(.corrupted, "a key of table `\(table.name)` is not one")
            }
            let number = Int(key.keyU32(at: keyByteCount - 4))
            guard number < count else { return false }
            guard unsafe number >= found.count else {
                throw StoreError(
                    .corrupted, "the keys of table `\(table.name)` are not in order; run `loci check`")
            }
            while unsafe found.count < number { unsafe found.append(Value(address: nil, byteCount: 0)) }
            unsafe found.append(
                Value(
                    address: value.payload.baseAddress.map { unsafe $0 - Table.checksumByteCount },
                    byteCount: value.payload.count + Table.checksumByteCount))
            return true
        }
        unsafe values = .allocate(capacity: found.count)
        unsafe _ = values.initialize(from: found)
    }

    deinit { unsafe values.deallocate() }

    /// The payload of a number; `nil` if there is none.
    ///
    /// - Throws: `StoreError.corrupted` if the checksum does not agree.
    /// - Precondition: the snapshot is the one that the directory was made in.
    @_lifetime(borrow transaction)
    package func value(_ number: Int, in transaction: borrowing ReadTransaction) throws -> RawSpan? {
        precondition(
            transaction.commit == commit && transaction.map == map && !transaction.isInsideWrite,
            "a directory of another snapshot")
        guard unsafe values.indices.contains(number), let address = unsafe values[number].address else {
            return nil
        }
        // As a rule values are read one after another, and each lies in a page that has to be found.
        let ahead = number + Self.prefetchDistance
        if unsafe values.indices.contains(ahead) {
            // Safe because nothing is read.
            unsafe checksum_prefetch(values[ahead].address)
        }
        let stored = unsafe RawSpan(_unsafeStart: address, byteCount: values[number].byteCount)
        if unsafe !values[number].isVerified {
            let key = prefix.u32(UInt32(number))
            unsafe try table.verifyOnce(key.bytes.span.bytes, stored, map: map)
            unsafe values[number].isVerified = true
        }
        let payload = stored.extracting(Table.checksumByteCount...)
        return unsafe _overrideLifetime(payload, borrowing: transaction)
    }

    /// One more than the greatest number.
    package var endNumber: Int { unsafe values.count }
}
