import Foundation
import NIOCore
import NIOPosix

/// The file of a Unix domain socket at which a server listens.
struct SocketFile: Sendable {
    let path: String
    /// By what it is known from one that another server puts in its place.
    private let number: Int?

    /// The one at a path, at which this server has begun to listen.
    init(_ path: String) {
        self.path = path
        number = Self.number(path)
    }

    private static func number(_ path: String) -> Int? {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.systemFileNumber] as? Int
    }

    /// Whether somebody listens at a path. A file that a killed server left behind answers nobody.
    static func isServed(_ path: String) async -> Bool {
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        guard let channel = try? await bootstrap.connect(unixDomainSocketPath: path).get() else {
            return false
        }
        try? await channel.close()
        return true
    }

    /// Removes it, if it is still there.
    func remove() {
        if let number, number == Self.number(path) { try? FileManager.default.removeItem(atPath: path) }
    }
}
