import Foundation
import Testing

@testable import loci

@Suite struct `The verb user` {
    @Test func `keeps users in a file, with hashes that only its owner can read`() throws {
        try Shell.run { shell in
            let file = shell.folder + "/users.txt"
            func user(_ arguments: String) throws -> Int32 {
                try shell.bash("umask 022; echo 'correct horse' | loci user \(arguments) --users users.txt")
                    .status
            }
            func lines() throws -> [Substring] {
                try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
            }
            func names() throws -> [Substring] { try lines().map { $0.prefix { $0 != " " } } }
            #expect(try user("ada --grant write:user/ada") == 0)
            #expect(try user("ops --grant admin:*") == 0)
            #expect(try names() == ["ada", "ops"])
            let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            #expect(try !lines().contains { $0.contains("horse") })

            #expect(try user("ada --grant read:@acme --grant read:user/ada") == 0)
            #expect(try lines()[0].hasSuffix(" read:@acme read:user/ada"))
            #expect(try user("ada --remove") == 0)
            #expect(try names() == ["ops"])
            #expect(try user("ada --remove") == ExitStatus.notFound)
            #expect(try user("ada --grant fly:user/ada") == ExitStatus.usage)
            #expect(try user("ada") == ExitStatus.usage)
            #expect(try names() == ["ops"])
        }
    }
}
