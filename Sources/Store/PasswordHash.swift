import CCrypto

/// A password as it is kept: `scrypt$14$8$1$SALT$KEY`, with the binary logarithm of the cost, the block size, the
/// parallelism, and salt and key in hexadecimal digits (Percival, "Stronger key derivation via sequential memory-hard
/// functions", 2009; RFC 7914).
package struct PasswordHash: Sendable, Equatable {
    private let logCost: Int
    private let blockSize: Int
    private let parallelism: Int
    private let salt: [UInt8]
    private let key: [UInt8]

    /// Hashes a password with 16 random bytes of salt. Takes some 50 ms and 16 MiB.
    ///
    /// - Throws: `StoreError.io` if the system has no random bytes or no memory.
    package init(of password: [UInt8]) throws {
        var salt = [UInt8](repeating: 0, count: 16)
        // Safe because OpenSSL writes as many bytes as it is told, during the call.
        let status = unsafe salt.withUnsafeMutableBufferPointer {
            unsafe RAND_bytes($0.baseAddress, Int32($0.count))
        }
        guard status == 1 else { throw StoreError(.io, "the system gave no random bytes") }
        (logCost, blockSize, parallelism) = (14, 8, 1)
        self.salt = salt
        key = try Self.derive(
            password, salt, logCost: logCost, blockSize: blockSize, parallelism: parallelism)
    }

    /// Reads one; `nil` for anything else, and for costs that no login should have to pay (above 1 GiB or 2^20).
    package init?(_ text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "scrypt", let logCost = Int(parts[1]),
            let blockSize = Int(parts[2]),
            let parallelism = Int(parts[3]), (1...20).contains(logCost), (1...32).contains(blockSize),
            (1...16).contains(parallelism), 128 * blockSize << logCost <= 1 << 30,
            let salt = Self.bytes(parts[4]), let key = Self.bytes(parts[5]), (8...32).contains(salt.count),
            key.count == Self.keyByteCount
        else { return nil }
        self.logCost = logCost
        self.blockSize = blockSize
        self.parallelism = parallelism
        self.salt = salt
        self.key = key
    }

    package var text: String {
        // Safe because bytes have no padding.
        let (salt, key) = unsafe (hexadecimal(salt.span.bytes), hexadecimal(key.span.bytes))
        return "scrypt$\(logCost)$\(blockSize)$\(parallelism)$\(salt)$\(key)"
    }

    /// Whether it is of this password; the time that it takes does not depend on how much of it is right.
    package func matches(_ password: [UInt8]) throws -> Bool {
        let other = try Self.derive(
            password, salt, logCost: logCost, blockSize: blockSize, parallelism: parallelism)
        return Self.areEqual(key, other)
    }

    /// A digest that is fast to make, for a password that was verified before: it is good for as long as the key is secret.
    package static func digest(of password: [UInt8], under key: [UInt8]) -> [UInt8] {
        SHA256.digest(of: key + password)
    }

    /// Compares bytes in a time that depends on their number only.
    package static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        // Safe because both have as many bytes as are compared.
        return unsafe a.withUnsafeBytes { a in
            unsafe b.withUnsafeBytes { b in unsafe CRYPTO_memcmp(a.baseAddress, b.baseAddress, a.count) == 0 }
        }
    }

    private static let keyByteCount = 32

    private static func derive(
        _ password: [UInt8], _ salt: [UInt8], logCost: Int, blockSize: Int, parallelism: Int
    ) throws -> [UInt8] {
        var key = [UInt8](repeating: 0, count: keyByteCount)
        let memory =
            UInt64(128 * blockSize << logCost) + UInt64(128 * blockSize * (parallelism + 2)) + 1 << 20
        // Safe because OpenSSL reads and writes as many bytes as it is told, during the call.
        let status = unsafe password.withUnsafeBytes { password in
            unsafe salt.withUnsafeBufferPointer { salt in
                unsafe key.withUnsafeMutableBufferPointer { key in
                    unsafe EVP_PBE_scrypt(
                        password.baseAddress?.assumingMemoryBound(to: CChar.self), password.count,
                        salt.baseAddress, salt.count, UInt64(1) << UInt64(logCost), UInt64(blockSize),
                        UInt64(parallelism), memory, key.baseAddress, key.count)
                }
            }
        }
        guard status == 1 else {
            throw StoreError(.io, "a password could not be hashed; is there memory left?")
        }
        return key
    }

    private static func bytes(_ digits: Substring) -> [UInt8]? {
        let values = digits.utf8.map { Character(UnicodeScalar($0)).hexDigitValue }
        guard values.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for place in stride(from: 0, to: values.count, by: 2) {
            guard let high = values[place], let low = values[place + 1] else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        return bytes
    }
}
