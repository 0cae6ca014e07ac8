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
    private let now: @Sendable () -> ContinuousClock.Instant
    private let gate = Mutex(LoginGate())

    /// What came of a login.
    enum Login: Equatable, Sendable {
        case user(User)
        case wrong
        /// Not looked at, as too many were wrong before.
        case tooSoon(wait: Duration)

        var isRefused: Bool {
            if case .user = self { false } else { true }
        }
    }

    /// - Throws: `EngineError.invalid` where two have the same name; `io`.
    public convenience init(_ users: [User]) throws { try self.init(users) { .now } }

    /// - Parameter now: the clock by which tries are counted.
    init(_ users: [User], now: @escaping @Sendable () -> ContinuousClock.Instant) throws {
        self.now = now
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
    ///
    /// - Parameter address: from where, as `LoginGate` counts.
    func verify(_ name: String, _ password: [UInt8], from address: String) async throws -> Login {
        if let known = answer(name, password, address) { return known }
        return try await withCheckedThrowingContinuation { continuation in
            // One after another, off the threads that serve. What came before may have answered it.
            queue.async { [self] in
                continuation.resume(
                    with: Result { try answer(name, password, address) ?? hashed(name, password, address) })
            }
        }
    }

    /// What is known without hashing the password.
    private func answer(_ name: String, _ password: [UInt8], _ address: String) -> Login? {
        let wait = gate.withLock { $0.wait(for: name, from: address, at: now()) }
        if let wait { return .tooSoon(wait: wait) }
        guard let user = users[name], let digest = known.withLock({ $0[name] }) else { return nil }
        return PasswordHash.areEqual(digest, PasswordHash.digest(of: password, under: key))
            ? .user(user) : nil
    }

    private func hashed(_ name: String, _ password: [UInt8], _ address: String) throws -> Login {
        let user = users[name]
        let hash = user?.password ?? nobody
        if password.count <= User.longestPassword, try hash.matches(password), let user {
            let digest = PasswordHash.digest(of: password, under: key)
            known.withLock { $0[name] = digest }
            return .user(user)
        }
        gate.withLock { $0.noteWrong(name, from: address, at: now()) }
        return .wrong
    }
}
