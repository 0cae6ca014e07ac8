import CChecksum
import CLMDB
import Glibc

/// One named database of a home's file.
///
/// Every value starts with four bytes of our own: the CRC32C of its key and of what follows. `put`
/// writes them, `get` verifies them, and `check` verifies them for all values, whatever they hold.
package struct Table: Sendable, Hashable {
    /// Bytes before the payload of each value.
    package static let checksumByteCount = 4
    /// The longest payload that LMDB keeps in one page of its own (4,080 bytes with the checksum). A
    /// caller's path writes nothing longer: a longer value searches the free list for a run of pages.
    package static let pagePayloadByteCount = 4_076

    package let name: String
    let index: Int

    package init(name: String, index: Int) {
        precondition(index < TableHandles.capacity, "at most \(TableHandles.capacity) tables")
        self.name = name
        self.index = index
    }

    // MARK: Reading

    /// The payload of `key`, verified; `nil` if there is none.
    ///
    /// - Throws: `StoreError.corrupted` if the checksum does not agree.
    /// - Complexity: O(log n), and one pass over the value.
    @_lifetime(borrow transaction)
    package func get(_ key: Key, in transaction: borrowing ReadTransaction) throws -> RawSpan? {
        guard let value = unsafe try rawValue(key, in: transaction) else { return nil }
        let span = unsafe RawSpan(_unsafeBytes: value)
        unsafe try verify(key.bytes.span.bytes, span)
        let payload = span.extracting(Self.checksumByteCount...)
        return unsafe _overrideLifetime(payload, borrowing: transaction)
    }

    /// The payload of `key` without the pass over its bytes, for hot paths whose bytes are checked by
    /// other means. The first four bytes, the checksum, are left out.
    @_lifetime(borrow transaction)
    package func unverified(_ key: Key, in transaction: borrowing ReadTransaction) throws -> RawSpan? {
        guard let value = unsafe try rawValue(key, in: transaction) else { return nil }
        let payload = unsafe RawSpan(_unsafeBytes: value).extracting(Self.checksumByteCount...)
        return unsafe _overrideLifetime(payload, borrowing: transaction)
    }

    package func contains(_ key: Key, in transaction: borrowing ReadTransaction) throws -> Bool {
        try unsafe rawValue(key, in: transaction) != nil
    }

    /// How many entries the table has.
    package func count(in transaction: borrowing ReadTransaction) throws -> Int {
        try statistics(in: transaction).ms_entries
    }

    /// Pages and depth of the table's tree.
    package func size(in transaction: borrowing ReadTransaction) throws -> TableSize {
        let stat = try statistics(in: transaction)
        return TableSize(
            entryCount: stat.ms_entries, depth: Int(stat.ms_depth), branchPageCount: stat.ms_branch_pages,
            leafPageCount: stat.ms_leaf_pages, overflowPageCount: stat.ms_overflow_pages)
    }

    // MARK: Writing

    /// Sets the value of `key`.
    ///
    /// - Parameter isAppend: the key sorts behind all keys of the table. Pages then fill up whole; a
    ///   key that does not is put the slow way.
    package func put(
        _ key: Key, _ payload: borrowing RawSpan, in transaction: borrowing WriteTransaction,
        isAppend: Bool = false
    ) throws {
        try put(key, byteCount: payload.byteCount, in: transaction, isAppend: isAppend) { target in
            // Safe because both are valid for the call and as long as each other.
            unsafe payload.withUnsafeBytes { source in
                unsafe target.withUnsafeMutableBytes { unsafe $0.copyMemory(from: source) }
            }
        }
    }

    package func put(
        _ key: Key, _ payload: [UInt8], in transaction: borrowing WriteTransaction, isAppend: Bool = false
    ) throws {
        unsafe try put(key, payload.span.bytes, in: transaction, isAppend: isAppend)
    }

    /// Sets the value of `key` to `byteCount` bytes that `fill` writes in place; what it leaves is
    /// undefined, so it must write all.
    package func put(
        _ key: Key, byteCount: Int, in transaction: borrowing WriteTransaction, isAppend: Bool = false,
        fill: (inout MutableRawSpan) throws -> Void
    ) throws {
        guard key.bytes.count <= Key.maximumByteCount, !key.bytes.isEmpty else {
            throw StoreError(
                .invalid, "a key of \(key.bytes.count) bytes; 1 to \(Key.maximumByteCount) are allowed")
        }
        transaction.effects.putCount += 1
        transaction.effects.byteCount += byteCount
        let size = byteCount + Self.checksumByteCount
        // Safe because LMDB copies the key, and the reserved bytes are ours until the next put.
        try unsafe key.bytes.withUnsafeBytes { keyBytes in
            var mdbKey = unsafe MDB_val(
                mv_size: keyBytes.count, mv_data: UnsafeMutableRawPointer(mutating: keyBytes.baseAddress))
            var value = unsafe MDB_val(mv_size: size, mv_data: nil)
            let flags = UInt32(MDB_RESERVE) | (isAppend ? UInt32(MDB_APPEND) : 0)
            let handle = unsafe transaction.snapshot.handle
            let table = transaction.snapshot.tables[self.index]
            var status = unsafe mdb_put(handle, table, &mdbKey, &value, flags)
            if status == MDB_KEYEXIST, isAppend {
                unsafe value = unsafe MDB_val(mv_size: size, mv_data: nil)
                status = unsafe mdb_put(handle, table, &mdbKey, &value, UInt32(MDB_RESERVE))
            }
            try check(status, "writing to table `\(self.name)`")
            let bytes = unsafe UnsafeMutableRawBufferPointer(start: value.mv_data, count: size)
            var payload = unsafe MutableRawSpan(
                _unsafeBytes: UnsafeMutableRawBufferPointer(rebasing: bytes[Self.checksumByteCount...]))
            try fill(&payload)
            let checksum = unsafe Self.checksum(
                key: keyBytes, payload: UnsafeRawBufferPointer(rebasing: bytes[Self.checksumByteCount...]))
            unsafe bytes.storeBytes(of: checksum.littleEndian, as: UInt32.self)
        }
    }

    /// Removes `key`. Returns whether it was there.
    @discardableResult
    package func remove(_ key: Key, in transaction: borrowing WriteTransaction) throws -> Bool {
        // Safe because LMDB only reads the key.
        let status = unsafe key.bytes.withUnsafeBytes { keyBytes in
            var mdbKey = unsafe MDB_val(
                mv_size: keyBytes.count, mv_data: UnsafeMutableRawPointer(mutating: keyBytes.baseAddress))
            return unsafe mdb_del(
                transaction.snapshot.handle, transaction.snapshot.tables[self.index], &mdbKey, nil)
        }
        if status == MDB_NOTFOUND { return false }
        transaction.effects.putCount += 1
        try check(status, "removing from table `\(name)`")
        return true
    }

    /// Removes every key that begins with `prefix`. Returns how many there were.
    @discardableResult
    package func removeAll(prefix: Key, in transaction: borrowing WriteTransaction) throws -> Int {
        var count = 0
        while true {
            var keys: [Key] = []
            // What goes need not be right.
            try scan(prefix: prefix, in: transaction.snapshot, isVerified: false) { key, _ in
                keys.append(Key(bytes: key.array))
                return keys.count < 1_024
            }
            if keys.isEmpty { return count }
            for key in keys { try remove(key, in: transaction) }
            count += keys.count
        }
    }

    /// Removes everything.
    package func clear(in transaction: borrowing WriteTransaction) throws {
        transaction.effects.putCount += 1
        try check(
            unsafe mdb_drop(transaction.snapshot.handle, transaction.snapshot.tables[index], 0),
            "emptying table `\(name)`")
    }

    // MARK: Helpers

    /// Compares the checksum of `value`, whole with its first four bytes, with what it covers.
    func verify(_ key: RawSpan, _ value: RawSpan) throws {
        // Safe because both spans are valid for the call.
        let isRight = unsafe key.withUnsafeBytes { keyBytes in
            unsafe value.withUnsafeBytes { bytes in
                guard bytes.count >= Self.checksumByteCount else { return false }
                let stored = unsafe UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
                return unsafe stored
                    == Self.checksum(
                        key: keyBytes,
                        payload: UnsafeRawBufferPointer(rebasing: bytes[Self.checksumByteCount...]))
            }
        }
        guard isRight else {
            throw StoreError(
                .corrupted,
                "a value of table `\(name)` does not agree with its checksum (key \(hexadecimal(key))); "
                    + "run `loci check`, then restore a snapshot")
        }
    }

    /// As `verify`, unless these bytes of the file were verified before since it was opened: for what is read over and
    /// over. `check` and copies do not ask.
    ///
    /// - Precondition: `value` lies in the file's map, and not inside a write.
    func verifyOnce(_ key: RawSpan, _ value: RawSpan, map: UInt64) throws {
        // The key is part of the name: a damaged page may lead from another one to the same bytes.
        let place = unsafe key.withUnsafeBytes { bytes in
            unsafe map ^ UInt64(checksum_crc32c(0, bytes.baseAddress, bytes.count)) << 32
        }
        // Safe because the span is valid for the call; the address is only a name.
        let isKnown = unsafe value.withUnsafeBytes { bytes in
            guard bytes.count >= Self.checksumByteCount else { return false }
            let stored = unsafe UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
            return unsafe checksum_is_known(place, bytes.baseAddress, stored) != 0
        }
        if isKnown { return }
        try verify(key, value)
        unsafe value.withUnsafeBytes { bytes in
            let stored = unsafe UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
            unsafe checksum_note_known(place, bytes.baseAddress, stored)
        }
    }

    private static func checksum(key: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer) -> UInt32 {
        // Safe because both buffers are valid for the call.
        unsafe checksum_crc32c(
            checksum_crc32c(0, key.baseAddress, key.count), payload.baseAddress, payload.count)
    }

    private func rawValue(
        _ key: Key, in transaction: borrowing ReadTransaction
    ) throws -> UnsafeRawBufferPointer? {
        try transaction.checkAge()
        // Safe because LMDB only reads the key; the value lives as long as the transaction.
        return try unsafe key.bytes.withUnsafeBytes { keyBytes in
            var mdbKey = unsafe MDB_val(
                mv_size: keyBytes.count, mv_data: UnsafeMutableRawPointer(mutating: keyBytes.baseAddress))
            var value = unsafe MDB_val()
            let status = unsafe mdb_get(transaction.handle, transaction.tables[self.index], &mdbKey, &value)
            if status == MDB_NOTFOUND { return nil }
            try check(status, "reading table `\(self.name)`")
            let bytes = unsafe UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size)
            guard bytes.count >= Self.checksumByteCount else {
                throw StoreError(.corrupted, "a value of table `\(self.name)` has only \(bytes.count) bytes")
            }
            return unsafe bytes
        }
    }

    private func statistics(in transaction: borrowing ReadTransaction) throws -> MDB_stat {
        var stat = MDB_stat()
        try unsafe check(
            mdb_stat(transaction.handle, transaction.tables[index], &stat), "measuring table `\(name)`")
        return stat
    }
}

/// What a table's tree takes.
package struct TableSize: Sendable, Equatable {
    package let entryCount: Int
    package let depth: Int
    package let branchPageCount: Int
    package let leafPageCount: Int
    package let overflowPageCount: Int

    package var pageCount: Int { branchPageCount + leafPageCount + overflowPageCount }
}

func hexadecimal(_ bytes: RawSpan) -> String {
    var text = ""
    for index in 0..<Swift.min(bytes.byteCount, 32) {
        let digits = String(bytes.u8(at: index), radix: 16)
        text += digits.count == 1 ? "0" + digits : digits
    }
    return bytes.byteCount > 32 ? text + "…" : text
}

extension Table {
    /// Copies every entry of the table from a snapshot into another environment, in the order of keys and in
    /// bounded transactions, verifying checksums. Returns `done` plus how many.
    package func copyAll(
        from source: borrowing ReadTransaction, to target: Environment, done: Int, progress: (Int) -> Void
    ) throws -> Int {
        var done = done
        var next = Key()
        var hasMore = true
        while hasMore {
            (next, hasMore, done) = try copyPart(from: source, to: target, from: next, done)
            progress(done)
        }
        return done
    }

    private func copyPart(
        from source: borrowing ReadTransaction, to target: Environment, from start: Key, _ done: Int
    ) throws -> (Key, Bool, Int) {
        var cursorKey = start
        var count = 0
        var byteCount = 0
        var isEnd = true
        var batch: [(Key, [UInt8])] = []
        try scan(prefix: Key(), from: start, in: source) { key, value in
            if byteCount > 16 << 20 {
                cursorKey = Key(bytes: key.array)
                isEnd = false
                return false
            }
            batch.append((Key(bytes: key.array), value.array))
            byteCount += value.byteCount
            count += 1
            return true
        }
        try target.write { transaction in
            for (key, value) in batch { try self.put(key, value, in: transaction, isAppend: true) }
        }
        return (cursorKey, !isEnd, done + count)
    }
}

/// Puts a finished file in the place of another, so that after a crash there is the one or the other.
package func replaceFile(at path: String, by replacement: String) throws {
    let file = unsafe open(replacement, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw StoreError(.io, "cannot open \(replacement)") }
    let isSynced = fsync(file) == 0
    close(file)
    // Safe because both are strings of Swift's.
    guard isSynced, unsafe rename(replacement, path) == 0 else {
        throw StoreError(.io, "cannot put \(replacement) in the place of \(path)")
    }
    let directory = unsafe open(
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ".", O_RDONLY | O_CLOEXEC)
    if directory >= 0 {
        fsync(directory)
        close(directory)
    }
}
