/// A run of signs of a script without spaces, as it is read: its last sign and the one before it, each
/// with its marks. No more is kept of it, however long it is.
struct UnspacedRun {
    private var bytes: [UInt8] = []
    private var lastStart = 0
    private var lastScalar: UInt32 = 0
    private var lastHasMark = false
    private var signCount = 0

    /// Whether the run has but one sign.
    var isSingle: Bool { signCount == 1 }

    /// Adds a sign. If that ends a pair, writes it to `pair` and returns true.
    mutating func append(_ scalar: UInt32, completing pair: inout WordBuffer) -> Bool {
        if signCount > 0, !lastHasMark,
            let composed = UnspacedScripts.composition(of: lastScalar, and: scalar)
        {
            bytes.removeLast(bytes.count - lastStart)
            write(composed)
            return false
        }
        let isPair = signCount > 1
        if isPair {
            pair.assign(bytes, bytes.indices)
            bytes.removeSubrange(0..<lastStart)
        }
        lastStart = bytes.count
        lastHasMark = false
        signCount += 1
        write(scalar)
        return isPair
    }

    mutating func appendMark(_ scalar: UInt32) {
        lastHasMark = true
        appendScalar(scalar, to: &bytes)
    }

    /// Writes the last pair, or the only sign, and forgets the run.
    mutating func finish(into pair: inout WordBuffer) {
        pair.assign(bytes, bytes.indices)
        bytes.removeAll(keepingCapacity: true)
        signCount = 0
    }

    private mutating func write(_ scalar: UInt32) {
        lastScalar = scalar
        appendScalar(scalar, to: &bytes)
    }
}

/// Writes a scalar in UTF-8.
@inline(__always)
func appendScalar(_ value: UInt32, to bytes: inout [UInt8]) {
    func tail(_ shift: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: value >> shift & 0x3F) | 0x80 }
    switch value {
    case ..<0x80:
        bytes.append(UInt8(truncatingIfNeeded: value))
    case ..<0x800:
        bytes.append(UInt8(truncatingIfNeeded: value >> 6) | 0xC0)
        bytes.append(tail(0))
    case ..<0x10000:
        bytes.append(UInt8(truncatingIfNeeded: value >> 12) | 0xE0)
        bytes.append(tail(6))
        bytes.append(tail(0))
    default:
        bytes.append(UInt8(truncatingIfNeeded: value >> 18) | 0xF0)
        bytes.append(tail(12))
        bytes.append(tail(6))
        bytes.append(tail(0))
    }
}
