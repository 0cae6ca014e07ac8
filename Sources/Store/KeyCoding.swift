/// A key of a table: bytes that sort as the values put into it do.
///
/// Integers are big-endian, so that LMDB's order by bytes is the order of the numbers. A key has at
/// most 511 bytes (LMDB's limit).
package struct Key: Hashable, Sendable {
    package static let maximumByteCount = 511

    package private(set) var bytes: [UInt8]

    package init() {
        bytes = []
        bytes.reserveCapacity(24)
    }

    package init(prefix: UInt8) {
        self.init()
        bytes.append(prefix)
    }

    package init(bytes: [UInt8]) { self.bytes = bytes }

    package consuming func u8(_ value: UInt8) -> Key {
        bytes.append(value)
        return self
    }

    package consuming func u16(_ value: UInt16) -> Key {
        bytes.append(UInt8(truncatingIfNeeded: value >> 8))
        bytes.append(UInt8(truncatingIfNeeded: value))
        return self
    }

    package consuming func u32(_ value: UInt32) -> Key {
        for shift in stride(from: UInt32(24), through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
        return self
    }

    package consuming func u64(_ value: UInt64) -> Key {
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
        return self
    }

    /// A signed number, biased so that negative ones sort first.
    package consuming func i64(_ value: Int64) -> Key { u64(UInt64(bitPattern: value) ^ (1 << 63)) }

    package consuming func u128(_ value: UInt128) -> Key {
        u64(UInt64(truncatingIfNeeded: value >> 64)).u64(UInt64(truncatingIfNeeded: value))
    }

    /// Bytes as they are; only the last part of a key may have a variable length.
    package consuming func raw(_ value: some Sequence<UInt8>) -> Key {
        bytes.append(contentsOf: value)
        return self
    }
}

extension RawSpan {
    /// Big-endian numbers, as `Key` writes them. Traps when they are out of bounds.
    package func keyU16(at offset: Int) -> UInt16 { UInt16(bigEndian: load(at: offset)) }
    package func keyU32(at offset: Int) -> UInt32 { UInt32(bigEndian: load(at: offset)) }
    package func keyU64(at offset: Int) -> UInt64 { UInt64(bigEndian: load(at: offset)) }
    package func keyI64(at offset: Int) -> Int64 { Int64(bitPattern: keyU64(at: offset) ^ (1 << 63)) }
    package func keyU128(at offset: Int) -> UInt128 {
        UInt128(keyU64(at: offset)) << 64 | UInt128(keyU64(at: offset + 8))
    }
}
