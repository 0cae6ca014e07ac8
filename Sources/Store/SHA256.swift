import CCrypto

/// SHA-256 (FIPS 180-4) by OpenSSL.
@safe package struct SHA256: ~Copyable {
    private let context: OpaquePointer

    package init() {
        // Safe because the context is made here, used by this value alone, and freed with it.
        unsafe context = EVP_MD_CTX_new()
        unsafe _ = EVP_DigestInit_ex(context, EVP_sha256(), nil)
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    package mutating func update(_ bytes: [UInt8]) {
        // Safe because OpenSSL only reads the bytes, during the call.
        unsafe bytes.withUnsafeBytes { unsafe _ = EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
    }

    /// The 32 bytes of the digest.
    package consuming func finish() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        // Safe because a SHA-256 digest has 32 bytes.
        unsafe digest.withUnsafeMutableBufferPointer {
            unsafe _ = EVP_DigestFinal_ex(context, $0.baseAddress, nil)
        }
        return digest
    }

    package static func digest(of bytes: [UInt8]) -> [UInt8] {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finish()
    }
}
