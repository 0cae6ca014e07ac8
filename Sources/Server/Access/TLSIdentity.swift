import Foundation
import MemoryEngine
import NIOSSL

/// What a server shows its clients over TLS, and by whom theirs must be signed.
public struct TLSIdentity: Sendable {
    let context: NIOSSLContext

    /// Reads files in PEM.
    ///
    /// - Parameters:
    ///   - certificate: the server's, and behind it those that lead to one that clients know.
    ///   - key: the private key of the first, without a passphrase.
    ///   - clientAuthority: certificates, one of which must have signed what a client shows; `nil` = clients show nothing.
    /// - Throws: `EngineError`: `notFound`, `invalid` (no PEM, or a key that is not the certificate's).
    public init(certificate: String, key: String, clientAuthority: String? = nil) throws {
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
