import Foundation
import Store

/// Who serves a store.
package struct StoreServer: Sendable, Equatable {
    /// The process, by its number.
    package let process: Int
    /// Where it can be reached, as `--connect` takes it; `nil` while it does not listen yet.
    package let address: String?

    fileprivate init?(_ text: String) {
        let lines = text.split(separator: "\n").map(String.init)
        guard let process = lines.first.flatMap({ Int($0) }) else { return nil }
        self.process = process
        address = lines.count > 1 ? lines[1] : nil
    }
}

/// That this process serves a store, for as long as it is kept.
package final class ServingClaim: Sendable {
    private let file: HeldFile

    fileprivate init(_ file: HeldFile) {
        self.file = file
        file.write("\(ProcessInfo.processInfo.processIdentifier)\n")
    }

    /// Says where the server can be reached.
    package func tell(_ address: String) {
        file.write("\(ProcessInfo.processInfo.processIdentifier)\n\(address)\n")
    }
}

extension Engine {
    /// The file that a server holds.
    private static let servingName = "loci.server"

    /// Claims the store for a server; `nil` where the store is open for reading only, which any number may do.
    ///
    /// - Throws: `locked` where another process serves the store, or writes to a home that is not open here, after
    ///   `Options.writerWait`; `io`.
    package func claimServing() async throws -> ServingClaim? {
        guard !options.isReadOnly else { return nil }
        let end = ContinuousClock.now + options.writerWait
        while true {
            do {
                return try tryClaimingServing()
            } catch let error as EngineError where error.code == .locked && ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    private func tryClaimingServing() throws -> ServingClaim {
        let file: HeldFile?
        do {
            file = try HeldFile.take(path + "/" + Self.servingName)
        } catch let error as StoreError {
            throw EngineError(error)
        }
        guard let file else {
            let server = Self.server(ofStore: path)
            let whose = server.map { " (process \($0.process))" } ?? ""
            let way = server?.address.map { "ask it with `--connect \($0)`" } ?? "ask that one"
            throw EngineError(
                .locked,
                "another server\(whose) serves the store \(path): \(way), or stop it, or serve another store")
        }
        let open = Set(openHomeNames)
        for home in try homes() + vectorSetHomes()
        where !open.contains(home) && writerLock(of: home).isTaken {
            throw EngineError(
                .locked,
                "another process writes to \(home) of the store \(path), where the server could not: stop it, or start when it "
                    + "has ended")
        }
        return ServingClaim(file)
    }

    /// Who serves the store at a path; `nil` = nobody.
    package static func server(ofStore path: String) -> StoreServer? {
        HeldFile.text(ofHeld: path + "/" + servingName).flatMap { StoreServer($0) }
    }
}
