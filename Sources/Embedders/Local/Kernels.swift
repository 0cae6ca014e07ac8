import CEncoder

/// The C functions of the encoder, for one variant. What they need of their arguments is checked here.
@safe
struct Kernels: Sendable {
    let variant: Int32

    /// The fastest that this processor can run; those of 32-bit floats only, unless `allowsRounding`.
    init(allowsRounding: Bool) { variant = encoder_variant_best(allowsRounding ? 1 : 0) }

    /// Those of a name, if this processor can run them.
    init?(name: String) {
        guard let kernels = Self.supported.first(where: { $0.name == name }) else { return nil }
        self = kernels
    }

    private init(variant: Int32) { self.variant = variant }

    /// All that this processor can run, the fastest first; the last is plain C.
    static var supported: [Kernels] {
        (0..<encoder_variant_count()).filter { encoder_variant_supported($0) == 1 }.map {
            Kernels(variant: $0)
        }
    }

    var name: String {
        // Safe because the name is a constant.
        unsafe String(cString: encoder_variant_name(variant))
    }
    /// Whether linear layers round what they multiply, to bfloat16 or whole numbers.
    var rounds: Bool { encoder_variant_rounds(variant) == 1 }

    /// 32 hexadecimal digits that tell these bytes from others.
    static func digest(of bytes: UnsafeRawBufferPointer) -> String {
        var halves: [UInt64] = [0, 0]
        // Safe because no more is read than there is; no byte is read where there is none.
        unsafe encoder_digest(bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 64), bytes.count, &halves)
        return halves.map { half in
            let digits = String(half, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
