/// A key of a table: bytes that sort as the values put into it do.
///
/// Integers are big-endian, so that LMDB's order by bytes is the order of the numbers. A key has at
/// most 511 bytes (LMDB's limit).
@usableFromInline package struct Key: Hashable, Sendable {
    package static let maximumByteCount = 511

    @usableFromInline package internal(set) var bytes: [UInt8]

    @inlinable package init() {
        bytes = []
        bytes.reserveCapacity(24)
    }

    @inlinable package init(prefix: UInt8) {
        self.init()
        bytes.append(prefix)
    }

    @inlinable package init(bytes: [UInt8]) { self.bytes = bytes }

    @inlinable package consuming func u8(_ value: UInt8) -> Key { bigEndian(value) }
    @inlinable package consuming func u16(_ value: UInt16) -> Key { bigEndian(value) }
    @inlinable package consuming func u32(_ value: UInt32) -> Key { bigEndian(value) }
    @inlinable package consuming func u64(_ value: UInt64) -> Key { bigEndian(value) }

    /// A signed number, biased so that negative ones sort first.
    @inlinable package consuming func i64(_ value: Int64) -> Key {
        u64(UInt64(bitPattern: value) ^ (1 << 63))
    }

    @inlinable package consuming func u128(_ value: UInt128) -> Key {
        u64(UInt64(truncatingIfNeeded: value >> 64)).u64(UInt64(truncatingIfNeeded: value))
    }

    /// Bytes as they are; only the last part of a key may have a variable length.
    @inlinable package consuming func raw(_ value: some Sequence<UInt8>) -> Key {
        bytes.append(contentsOf: value)
        return self
    }

    @inlinable consuming func bigEndian(_ value: some FixedWidthInteger) -> Key {
        // Safe because an integer has no padding, and its bytes are copied.
        unsafe withUnsafeBytes(of: value.bigEndian) { unsafe bytes.append(contentsOf: $0) }
        return self
    }
}

extension RawSpan {
    /// Big-endian numbers, as `Key` writes them. Traps when they are out of bounds.
    @inlinable package func keyU16(at offset: Int) -> UInt16 { UInt16(bigEndian: load(at: offset)) }
    @inlinable package func keyU32(at offset: Int) -> UInt32 { UInt32(bigEndian: load(at: offset)) }
    @inlinable package func keyU64(at offset: Int) -> UInt64 { UInt64(bigEndian: load(at: offset)) }
    @inlinable package func keyI64(at offset: Int) -> Int64 {
        Int64(bitPattern: keyU64(at: offset) ^ (1 << 63))
    }
    @inlinable package func keyU128(at offset: Int) -> UInt128 {
        UInt128(keyU64(at: offset)) << 64 | UInt128(keyU64(at: offset + 8))
    }
}
