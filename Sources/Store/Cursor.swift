import CLMDB

/// Walks the entries of a table in the order of their keys. Lent by `Table.withCursor`.
@safe package struct Cursor: ~Copyable {
    private let handle: OpaquePointer
    private let table: Table
    private var currentKey = unsafe MDB_val()
    private var currentValue = unsafe MDB_val()

    fileprivate init(_ table: Table, _ transaction: borrowing ReadTransaction) throws {
        var handle: OpaquePointer?
        try unsafe check(
            mdb_cursor_open(transaction.handle, transaction.tables[table.index], &handle),
            "opening a cursor on table `\(table.name)`")
        guard let handle = unsafe handle else {
            throw StoreError(.io, "LMDB opened no cursor on table `\(table.name)`")
        }
        unsafe self.handle = handle
        self.table = table
    }

    deinit { unsafe mdb_cursor_close(handle) }

    /// Goes to the first key that is not below `key`. Returns whether there is one.
    package mutating func seek(_ key: Key) throws -> Bool {
        if key.bytes.isEmpty { return try move(MDB_FIRST) }
        // Safe because LMDB replaces the key by its own bytes before the closure returns, or finds none.
        return try unsafe key.bytes.withUnsafeBytes { bytes in
            unsafe currentKey = MDB_val(
                mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
            return try move(MDB_SET_RANGE)
        }
    }

    package mutating func next() throws -> Bool { try move(MDB_NEXT) }
    package mutating func previous() throws -> Bool { try move(MDB_PREV) }
    package mutating func last() throws -> Bool { try move(MDB_LAST) }

    /// The key that the cursor is on. Valid until it moves.
    package var key: RawSpan {
        @_lifetime(borrow self)
        borrowing get {
            // Safe because the bytes live in the snapshot, which outlives the cursor.
            let span = unsafe RawSpan(_unsafeStart: currentKey.mv_data, byteCount: currentKey.mv_size)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The payload that the cursor is on, not verified. Valid until it moves.
    package var unverifiedValue: RawSpan {
        @_lifetime(borrow self)
        borrowing get {
            let payload = stored.extracting(Table.checksumByteCount...)
            return unsafe _overrideLifetime(payload, borrowing: self)
        }
    }

    /// Throws if the value that the cursor is on does not agree with its checksum.
    package func verify() throws { try table.verify(key, stored) }

    /// As `verify`, unless the value is long and was verified since the file was opened (`Table.verifyOnce`). To compare
    /// a short one takes no longer than to ask.
    fileprivate func verifyOnce(map: UInt64) throws {
        guard stored.byteCount >= 512 else { return try verify() }
        try table.verifyOnce(key, stored, map: map)
    }

    private var stored: RawSpan {
        @_lifetime(borrow self)
        borrowing get {
            // Safe because the bytes live in the snapshot, which outlives the cursor.
            let span = unsafe RawSpan(_unsafeStart: currentValue.mv_data, byteCount: currentValue.mv_size)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    private mutating func move(_ operation: MDB_cursor_op) throws -> Bool {
        let status = unsafe mdb_cursor_get(handle, &currentKey, &currentValue, operation)
        if status == MDB_NOTFOUND { return false }
        try check(status, "walking table `\(table.name)`")
        guard unsafe currentValue.mv_size >= Table.checksumByteCount else {
            throw StoreError(.corrupted, "a value of table `\(table.name)` is too short for its checksum")
        }
        return true
    }
}

extension Table {
    package func withCursor<Result>(
        in transaction: borrowing ReadTransaction, _ body: (inout Cursor) throws -> Result
    ) throws -> Result {
        var cursor = try Cursor(self, transaction)
        return try body(&cursor)
    }

    /// Lends every entry whose key begins with `prefix`, from `start` on (or from the first), to `body`,
    /// verified, until it returns false.
    ///
    /// - Parameter isVerifiedOnce: a long value is not verified again that was since the file was opened.
    /// - Complexity: O(log n) plus the entries visited.
    package func scan(
        prefix: Key, from start: Key? = nil, in transaction: borrowing ReadTransaction,
        isVerified: Bool = true, isVerifiedOnce: Bool = false, _ body: (RawSpan, RawSpan) throws -> Bool
    ) throws {
        var cursor = try Cursor(self, transaction)
        var isThere = try cursor.seek(start ?? prefix)
        while isThere {
            guard cursor.key.hasPrefix(prefix.bytes) else { return }
            if isVerified {
                if isVerifiedOnce, !transaction.isInsideWrite {
                    try cursor.verifyOnce(map: transaction.map)
                } else {
                    try cursor.verify()
                }
            }
            try transaction.checkAge()
            guard try body(cursor.key, cursor.unverifiedValue) else { return }
            isThere = try cursor.next()
        }
    }

    /// The same backwards: from the last key that begins with `prefix` and is below `end` (if given).
    package func scanBackwards(
        prefix: Key, below end: Key? = nil, in transaction: borrowing ReadTransaction,
        _ body: (RawSpan, RawSpan) throws -> Bool
    ) throws {
        var cursor = try Cursor(self, transaction)
        var isThere: Bool
        if let bound = end ?? prefix.successor {
            isThere = try cursor.seek(bound) ? try cursor.previous() : try cursor.last()
        } else {
            isThere = try cursor.last()
        }
        while isThere {
            guard cursor.key.hasPrefix(prefix.bytes) else { return }
            try cursor.verify()
            try transaction.checkAge()
            guard try body(cursor.key, cursor.unverifiedValue) else { return }
            isThere = try cursor.previous()
        }
    }
}

extension Key {
    /// The least key above all that begin with this one; `nil` if there is none.
    package var successor: Key? {
        var bytes = bytes
        while let last = bytes.popLast() {
            if last < 255 {
                bytes.append(last + 1)
                return Key(bytes: bytes)
            }
        }
        return nil
    }
}
