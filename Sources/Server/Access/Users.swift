import Dispatch
import Foundation
import MemoryEngine

/// The users of a server, and their passwords' verification.
///
/// A password is hashed for some 50 ms, so few are verified at once, and one that was right is known again for as long as
/// the process lives, by a digest under a key of the process.
public final class Users: Sendable {
    private let users: [String: User]
    /// The hash of a password that nobody has, so that an unknown name takes as long as a wrong password.
    private let nobody: PasswordHash
    private let known = Mutex<[String: [UInt8]]>([:])
    private let key: [UInt8]
    private let queue = DispatchQueue(label: "loci.passwords")

    /// - Throws: `EngineError.invalid` where two have the same name; `io`.
    public init(_ users: [User]) throws {
        var byName: [String: User] = [:]
        for user in users {
            guard byName.updateValue(user, forKey: user.name) == nil else {
                throw EngineError(.invalid, "there are two users `\(user.name)`")
            }
        }
        self.users = byName
        key = (0..<32).map { _ in UInt8.random(in: 0...255) }
        nobody = try PasswordHash(of: key)
    }

    /// Reads a file with a user in each line; empty lines, and those that begin with `#`, say nothing.
    ///
    /// - Throws: `EngineError`: `notFound`, `forbidden` (others than its owner can read it), `invalid` with the line.
    public convenience init(contentsOf path: String) throws {
        try self.init(Self.read(path))
    }

    /// The users of a file.
    public static func read(_ path: String) throws -> [User] {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
            let data = FileManager.default.contents(atPath: path)
        else { throw EngineError(.notFound, "there is no file of users at \(path), or it cannot be read") }
        if let mode = attributes[.posixPermissions] as? Int, mode & 0o077 != 0 {
            throw EngineError(
                .forbidden, "others can read the file of users \(path); say: chmod 600 \(path)")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw EngineError(.invalid, "the file of users \(path) is not UTF-8")
        }
        var users: [User] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.trimmingCharacters(in: .whitespaces)
            if words.isEmpty || words.hasPrefix("#") { continue }
            do {
                users.append(try User(line: words))
            } catch let error as EngineError {
                throw EngineError(error.code, "\(path):\(number + 1): \(error.message)")
            }
        }
        return users
    }

    /// The user with that name, if the password is theirs.
    func verify(_ name: String, _ password: [UInt8]) async throws -> User? {
        guard password.count <= User.longestPassword else { return nil }
        let digest = PasswordHash.digest(of: password, under: key)
        let user = users[name]
        if let user, let known = known.withLock({ $0[name] }),
            PasswordHash.areEqual(known, digest)
        {
            return user
        }
        let hash = user?.password ?? nobody
        guard try await verify(password, hash), let user else { return nil }
        known.withLock { $0[name] = digest }
        return user
    }

    /// Hashes one password after another, off the threads that serve.
    private func verify(_ password: [UInt8], _ hash: PasswordHash) async throws -> Bool {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try hash.matches(password) }) }
        }
    }
}
