import Foundation
import MemoryEngine

/// Does what the lines of its input say: `put KEY VERSION`, `quit`.
struct Serving {
    private let engine: Engine

    init(store: String) throws {
        engine = try Engine.open(at: store)
    }

    func run() async throws {
        say("ready")
        while let line = readLine() {
            let parts = line.split(separator: " ").map(String.init)
            if parts.first == "quit" { break }
            guard parts.count == 3, let version = Int(parts[2]) else {
                say("error unknown \(line)")
                continue
            }
            do {
                try await engine.remember(Workload.draft(parts[1], version: version), in: Workload.home)
                say("done \(parts[1])")
            } catch let error as EngineError {
                say("error \(error.code.rawValue) \(error.message)")
            }
        }
        await engine.close()
        say("closed")
    }
}
