import Testing

@testable import Store

@Suite struct `The hash of a password` {
    private let password = Array("correct horse".utf8)

    @Test func `is of that password and no other, and reads back`() throws {
        let hash = try PasswordHash(of: password)
        let read = try #require(PasswordHash(hash.text))
        #expect(read == hash)
        #expect(try read.matches(password))
        for other in ["correct hors", "correct horse ", "", "Correct horse"] {
            #expect(try !read.matches(Array(other.utf8)), "\(other)")
        }
        #expect(try PasswordHash(of: password) != hash)
    }

    /// RFC 7914, section 12: the third of its examples, of which 32 bytes are kept.
    @Test func `is scrypt`() throws {
        let hash = try #require(
            PasswordHash(
                "scrypt$14$8$1$536f6469756d43686c6f72696465$"
                    + "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"))
        #expect(try hash.matches(Array("pleaseletmein".utf8)))
    }

    @Test(arguments: [
        "", "scrypt", "bcrypt$14$8$1$00112233445566778899aabbccddeeff$00", "scrypt$14$8$1$0011$zz",
        "scrypt$21$8$1$0011223344556677$" + String(repeating: "0", count: 64),
        "scrypt$20$32$1$0011223344556677$" + String(repeating: "0", count: 64),
        "scrypt$14$8$1$0011223344556677$" + String(repeating: "0", count: 62),
    ])
    func `is nothing else, and costs no login too much`(text: String) {
        #expect(PasswordHash(text) == nil)
    }

    @Test func `is compared byte by byte`() {
        #expect(PasswordHash.areEqual([1, 2, 3], [1, 2, 3]))
        #expect(!PasswordHash.areEqual([1, 2, 3], [1, 2, 4]))
        #expect(!PasswordHash.areEqual([1, 2, 3], [1, 2]))
        #expect(PasswordHash.areEqual([], []))
    }
}
