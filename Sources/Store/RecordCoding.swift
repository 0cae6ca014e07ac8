/// Writes the fields of a record one after another: numbers little-endian at any alignment,
/// strings and bytes behind their length as a `UInt32`. Inlinable, because a commit writes a hundred fields.
/// (What is inlinable of a type is only inlined if the type is usable from inline code.)
@usableFromInline package struct ByteWriter: Sendable {
    @usableFromInline package internal(set) var bytes: [UInt8] = []

    @inlinable package init(capacity: Int = 128) { bytes.reserveCapacity(capacity) }

    @inlinable package var count: Int { bytes.count }

    @inlinable package mutating func u8(_ value: UInt8) { bytes.append(value) }
    @inlinable package mutating func bool(_ value: Bool) { bytes.append(value ? 1 : 0) }
    @inlinable package mutating func u16(_ value: UInt16) { fixed(value) }
    @inlinable package mutating func u32(_ value: UInt32) { fixed(value) }
    @inlinable package mutating func u64(_ value: UInt64) { fixed(value) }
    @inlinable package mutating func i64(_ value: Int64) { fixed(value) }
    @inlinable package mutating func f32(_ value: Float) { u32(value.bitPattern) }
    @inlinable package mutating func f64(_ value: Double) { u64(value.bitPattern) }
    @inlinable package mutating func u128(_ value: UInt128) {
        u64(UInt64(truncatingIfNeeded: value))
        u64(UInt64(truncatingIfNeeded: value >> 64))
    }

    @inlinable package mutating func string(_ value: String) {
        u32(UInt32(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    @inlinable package mutating func blob(_ value: some Collection<UInt8>) {
        u32(UInt32(value.count))
        bytes.append(contentsOf: value)
    }

    /// Bytes without their length: what follows knows it.
    @inlinable package mutating func raw(_ value: some Sequence<UInt8>) { bytes.append(contentsOf: value) }

    @inlinable package mutating func floats(_ value: [Float]) {
        u32(UInt32(value.count))
        for number in value { f32(number) }
    }

    @inlinable package mutating func list<Element>(
        _ values: some Collection<Element>, _ write: (inout ByteWriter, Element) throws -> Void
    ) rethrows {
        u32(UInt32(values.count))
        for value in values { try write(&self, value) }
    }

    @inlinable package mutating func optional<Value>(
        _ value: Value?, _ write: (inout ByteWriter, Value) throws -> Void
    ) rethrows {
        bool(value != nil)
        if let value { try write(&self, value) }
    }

    @inlinable mutating func fixed(_ value: some FixedWidthInteger) {
        // Safe because an integer has no padding, and its bytes are copied.
        unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
    }
}

/// Reads what `ByteWriter` wrote. Any bytes at all give values or an error: nothing is read out of
/// bounds, and no length is believed before it is compared with what is left.
@usableFromInline package struct ByteReader: ~Escapable {
    @usableFromInline let span: RawSpan
    @usableFromInline package internal(set) var offset: Int

    @inlinable @_lifetime(copy span)
    package init(_ span: RawSpan, at offset: Int = 0) {
        self.span = span
        self.offset = offset
    }

    @inlinable package var remaining: Int { span.byteCount - offset }

    @inlinable package mutating func u8() throws -> UInt8 { try number() }
    @inlinable package mutating func u16() throws -> UInt16 { UInt16(littleEndian: try number()) }
    @inlinable package mutating func u32() throws -> UInt32 { UInt32(littleEndian: try number()) }
    @inlinable package mutating func u64() throws -> UInt64 { UInt64(littleEndian: try number()) }
    @inlinable package mutating func i64() throws -> Int64 { Int64(littleEndian: try number()) }
    @inlinable package mutating func f32() throws -> Float { Float(bitPattern: try u32()) }
    @inlinable package mutating func f64() throws -> Double { Double(bitPattern: try u64()) }
    @inlinable package mutating func u128() throws -> UInt128 {
        let low = try u64()
        return UInt128(try u64()) << 64 | UInt128(low)
    }

    @usableFromInline package mutating func bool() throws -> Bool {
        switch try u8() {
        case 0: false
        case 1: true
        case let other: throw StoreError(.corrupted, "a truth value is \(other)")
        }
    }

    package mutating func string() throws -> String {
        let bytes = try blob()
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw StoreError(.corrupted, "a string of a record is not valid UTF-8")
        }
        return text
    }

    package mutating func blob() throws -> [UInt8] { try raw(Int(try u32())) }

    package mutating func raw(_ count: Int) throws -> [UInt8] {
        guard count >= 0, count <= remaining else {
            throw StoreError(
                .corrupted, "a record of \(span.byteCount) bytes ends \(count - remaining) too early")
        }
        defer { offset += count }
        return span.copy(offset..<offset + count)
    }

    /// Passes over bytes.
    package mutating func skip(_ count: Int) throws {
        guard count >= 0, count <= remaining else {
            throw StoreError(
                .corrupted, "a record of \(span.byteCount) bytes ends \(count - remaining) too early")
        }
        offset += count
    }

    package mutating func floats() throws -> [Float] {
        let count = Int(try u32())
        guard count <= remaining / 4 else {
            throw StoreError(.corrupted, "a record is too short for its \(count) numbers")
        }
        defer { offset += count * 4 }
        return span.floats(at: offset, count: count)
    }

    @inlinable package mutating func list<Element>(
        _ read: (inout ByteReader) throws -> Element
    ) throws -> [Element] {
        let count = Int(try u32())
        // An element takes at least one byte, so that a damaged count cannot make a huge array.
        guard count <= remaining else {
            throw Self.tooShort(forListOf: count)
        }
        var values: [Element] = []
        values.reserveCapacity(Swift.min(count, 4_096))
        for _ in 0..<count { values.append(try read(&self)) }
        return values
    }

    @inlinable package mutating func optional<Value>(
        _ read: (inout ByteReader) throws -> Value
    ) throws -> Value? {
        try bool() ? try read(&self) : nil
    }

    /// Refuses bytes behind the last field.
    package func finish() throws {
        guard remaining == 0 else {
            throw StoreError(.corrupted, "a record has \(remaining) bytes behind its end")
        }
    }

    @inlinable mutating func number<Number: FixedWidthInteger & BitwiseCopyable>() throws -> Number {
        let size = MemoryLayout<Number>.size
        guard remaining >= size else {
            throw Self.tooShort(span.byteCount)
        }
        defer { offset += size }
        return span.load(at: offset)
    }

    @usableFromInline static func tooShort(_ byteCount: Int) -> any Error {
        StoreError(.corrupted, "a record of \(byteCount) bytes ends too early")
    }

    @usableFromInline static func tooShort(forListOf count: Int) -> any Error {
        StoreError(.corrupted, "a record is too short for a list of \(count)")
    }
}

extension RawSpan {
    /// Little-endian numbers at any alignment. Traps when they are out of bounds.
    @inlinable package func u8(at offset: Int) -> UInt8 { load(at: offset) }
    @inlinable package func u16(at offset: Int) -> UInt16 { UInt16(littleEndian: load(at: offset)) }
    @inlinable package func u32(at offset: Int) -> UInt32 { UInt32(littleEndian: load(at: offset)) }
    @inlinable package func u64(at offset: Int) -> UInt64 { UInt64(littleEndian: load(at: offset)) }
    @inlinable package func i64(at offset: Int) -> Int64 { Int64(bitPattern: u64(at: offset)) }
    @inlinable package func f32(at offset: Int) -> Float { Float(bitPattern: u32(at: offset)) }

    /// A copy of `count` 32-bit floats from `offset` on, at any alignment.
    package func floats(at offset: Int, count: Int) -> [Float] {
        precondition(offset >= 0 && count >= 0 && offset + count * 4 <= byteCount)
        // Swift would note the count of no floats in the one empty array that all threads share.
        if count == 0 { return [] }
        return unsafe withUnsafeBytes { bytes in
            // Safe because the bounds were compared above, and exactly `count` floats are written.
            unsafe [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
                unsafe UnsafeMutableRawBufferPointer(buffer).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count * 4]))
                initialized = count
            }
        }
    }

    /// A copy of all bytes.
    package var array: [UInt8] { copy(0..<byteCount) }

    /// A copy of the bytes in `range`. Traps when it is out of bounds.
    package func copy(_ range: Range<Int>) -> [UInt8] {
        let part = extracting(range)
        // Safe because the span is valid for the call, and the array copies it.
        return unsafe part.withUnsafeBytes { unsafe [UInt8]($0) }
    }

    /// Whether both hold the same bytes.
    package func isEqual(to other: [UInt8]) -> Bool {
        guard byteCount == other.count else { return false }
        for index in 0..<other.count where u8(at: index) != other[index] { return false }
        return true
    }

    package func hasPrefix(_ prefix: [UInt8]) -> Bool {
        guard byteCount >= prefix.count else { return false }
        for index in 0..<prefix.count where u8(at: index) != prefix[index] { return false }
        return true
    }

    @inlinable package func load<Number: FixedWidthInteger & BitwiseCopyable>(at offset: Int) -> Number {
        // Safe because every bit pattern is an integer; `unsafeLoadUnaligned` checks the bounds.
        unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: Number.self)
    }
}
