import ArgumentParser
import Embedders
import Foundation
import MemoryEngine
import Server

/// Why a verb gives up, with the exit status that a script sees.
struct Failure: Error {
    let code: String
    let message: String
    let status: Int32

    init(_ code: String, _ message: String, status: Int32 = ExitStatus.failure) {
        self.code = code
        self.message = message
        self.status = status
    }

    /// What any error of a verb comes to.
    init(_ error: any Error) {
        switch error {
        case let error as Failure: self = error
        case let error as EngineError:
            self.init(error)
        case let error as ReasonerError: self.init("reasoner", error.message)
        case let error as ImportError:
            self.init(error.isMissing ? "notFound" : "import", error.description, status: error.status)
        case is CancellationError: self.init("deadline", "the call was cancelled")
        default: self.init("io", "\(SystemReason.text(error))")
        }
    }

    private init(_ error: EngineError) {
        switch error.code {
        case .notFound: self.init("notFound", error.message, status: ExitStatus.notFound)
        case .corrupted:
            // What is damaged is not always a store.
            let isAdvised = ["`loci ", "`make ", "remove it"].contains { error.message.contains($0) }
            self.init("corrupted", error.message + (isAdvised ? "" : "; `loci check` says what is damaged"))
        default: self.init(error.code.rawValue, error.message)
        }
    }

    /// On standard error: one line, or with `--json` one object.
    func report(asJSON: Bool) {
        guard asJSON else {
            Terminal.error("loci: " + message.split(whereSeparator: \.isNewline).joined(separator: "; "))
            return
        }
        var json = JSONWriter()
        json.beginObject()
        json.object("error") { json in
            json.member("code", code)
            json.member("message", message)
        }
        json.endObject()
        Terminal.error(json.text)
    }
}

extension ImportError {
    /// What the shell sees.
    fileprivate var status: Int32 { isMissing ? ExitStatus.notFound : ExitStatus.failure }
}

/// What the shell sees.
enum ExitStatus {
    /// Refused or failed; `check` found problems.
    static let failure: Int32 = 1
    /// There is no such memory, version, home, receipt, store or file.
    static let notFound: Int32 = 2
    /// The command line is wrong (sysexits.h).
    static let usage: Int32 = 64
}
