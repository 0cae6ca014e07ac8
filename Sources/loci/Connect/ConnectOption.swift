import ArgumentParser
import Foundation
import MemoryEngine
import Server

/// Which server a verb asks, in the place of files.
struct ConnectOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Ask the server there, in the place of a store: HOST:PORT, redis://USER@HOST:PORT, rediss://… (TLS) or unix:PATH. "
                + "Or set LOCI_URL. A password is best in LOCI_PASSWORD or LOCI_URL, as others see a command line.",
            valueName: "address"))
    var connect: String?

    /// Where the server is, and who logs in; `nil` = files are meant.
    ///
    /// - Parameter isStoreSaid: the command line names a store, which goes before the environment.
    func address(
        isStoreSaid: Bool, environment: [String: String] = Settings.current.values
    ) throws -> ServerAddress? {
        guard connect == nil || !isStoreSaid else {
            throw ValidationError("--store and --connect are given, and one is wanted")
        }
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        guard let text = connect ?? (isStoreSaid ? nil : variable("LOCI_URL")) else { return nil }
        var address: ServerAddress
        do {
            address = try ServerAddress(text)
        } catch {
            // It may hold a password, so it is not quoted.
            throw ValidationError("\(connect == nil ? "LOCI_URL" : "--connect"): \(error.message)")
        }
        if address.password == nil, let password = variable("LOCI_PASSWORD") {
            address = address.loggingIn(with: password)
        }
        guard address.user == nil || address.password != nil else {
            throw ValidationError("the password of `\(address.user ?? "")` is missing: set LOCI_PASSWORD")
        }
        address.authority = variable("LOCI_CA")
        return address
    }
}
