import Foundation
import Logging
import MemoryEngine
import NIOSSL

/// What a server shows its clients over TLS, and by whom theirs must be signed.
public struct TLSIdentity: Sendable {
    let context: NIOSSLContext
    fileprivate let files: [String]
    /// What the files were when they were read.
    fileprivate let stamps: [Stamp?]

    /// Reads files in PEM. A server reads them anew for its next connections when they change.
    ///
    /// - Parameters:
    ///   - certificate: the server's, and behind it those that lead to one that clients know.
    ///   - key: the private key of the first, without a passphrase.
    ///   - clientAuthority: certificates, one of which must have signed what a client shows; `nil` = clients show nothing.
    /// - Throws: `EngineError`: `notFound`, `invalid` (no PEM, or a key that is not the certificate's).
    public init(certificate: String, key: String, clientAuthority: String? = nil) throws {
        files = [certificate, key] + [clientAuthority].compactMap { $0 }
        stamps = files.map(Stamp.init)
        let chain = try Self.certificates(certificate)
        let keyBytes = try Self.bytes(key)
        guard let privateKey = try? NIOSSLPrivateKey(bytes: keyBytes, format: .pem) else {
            throw EngineError(
                .invalid,
                "\(key) has no private key in PEM, or one behind a passphrase, which nobody is asked for")
        }
        let sources = chain.map { NIOSSLCertificateSource.certificate($0) }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: sources, privateKey: .privateKey(privateKey))
        configuration.minimumTLSVersion = .tlsv12
        // Clients that lie in a pool do not answer the farewell.
        configuration.shutdownTimeout = .seconds(1)
        if let clientAuthority {
            configuration.trustRoots = .certificates(try Self.certificates(clientAuthority))
            // The name in a client's certificate says nothing of where it is.
            configuration.certificateVerification = .noHostnameVerification
        }
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw EngineError(
                .invalid, "the key in \(key) is not that of the first certificate in \(certificate)")
        }
    }

    /// The certificates of a file in PEM.
    static func certificates(_ path: String) throws -> [NIOSSLCertificate] {
        let bytes = try bytes(path)
        guard let found = try? NIOSSLCertificate.fromPEMBytes(bytes), !found.isEmpty else {
            throw EngineError(.invalid, "\(path) has no certificate in PEM")
        }
        return found
    }

    private static func bytes(_ path: String) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw EngineError(.notFound, "there is no file \(path), or it cannot be read")
        }
        return [UInt8](data)
    }
}

/// By what a file that changes is known.
private struct Stamp: Equatable {
    let path: String
    let modified: Date?
    let number: Int?
    let permissions: Int?

    /// - Parameter path: also of a link, as some programs renew certificates by these.
    init?(_ path: String) {
        self.path = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        guard let found = try? FileManager.default.attributesOfItem(atPath: self.path) else { return nil }
        modified = found[.modificationDate] as? Date
        number = found[.systemFileNumber] as? Int
        permissions = found[.posixPermissions] as? Int
    }
}

/// The identity that is shown now: read anew when its files change. Where they do not fit, the one before stays.
final class RenewedIdentity: Sendable {
    private struct State {
        var identity: TLSIdentity
        var stamps: [Stamp?]
        var lookedAt: ContinuousClock.Instant
    }

    private let state: Mutex<State>
    private let logger: Logger
    /// How often files are looked at.
    static let interval = Duration.seconds(1)

    init(_ identity: TLSIdentity, at now: ContinuousClock.Instant = .now, logger: Logger) {
        state = Mutex(State(identity: identity, stamps: identity.stamps, lookedAt: now))
        self.logger = logger
    }

    /// What a connection that begins now is shown.
    func context(at now: ContinuousClock.Instant = .now) -> NIOSSLContext {
        let (identity, known): (TLSIdentity, [Stamp?]?) = state.withLock { state in
            guard now - state.lookedAt >= Self.interval else { return (state.identity, nil) }
            state.lookedAt = now
            return (state.identity, state.stamps)
        }
        // Looked at by one connection, while others go on with what is there.
        guard let known, case let stamps = identity.files.map(Stamp.init), stamps != known else {
            return identity.context
        }
        state.withLock { $0.stamps = stamps }
        do {
            let files = identity.files
            let renewed = try TLSIdentity(
                certificate: files[0], key: files[1], clientAuthority: files.count > 2 ? files[2] : nil)
            state.withLock { $0.identity = renewed }
            logger.notice("certificates were read anew", metadata: ["certificate": "\(files[0])"])
            return renewed.context
        } catch {
            logger.error(
                "certificates have changed and cannot be used; those before stay",
                metadata: ["error": "\(error)"])
            return identity.context
        }
    }
}
