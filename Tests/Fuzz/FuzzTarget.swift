import Foundation
import MemoryEngine
import Store

/// A decoder, what to start from, and what must hold of what it decodes.
struct FuzzTarget: Sendable {
    enum Verdict {
        case taken
        case refused
        /// What is wrong, in words.
        case failed(String)
    }

    struct Report {
        var name: String
        var taken = 0
        var refused = 0
        var failure: String?

        var line: String {
            "\(name): \(taken) taken, \(refused) refused" + (failure.map { ", FAILED: \($0)" } ?? ", ok")
        }
    }

    let name: String
    let samples: [[UInt8]]
    /// Costly targets take one of so many iterations.
    var share = 1
    let judge: @Sendable ([UInt8]) -> Verdict

    func run(seed: UInt64, iterations: Int) -> Report {
        var report = Report(name: name)
        // Each target has numbers of its own, so that one can be repeated alone.
        var mutator = Mutator(seed: name.utf8.reduce(seed) { $0 &* 31 &+ UInt64($1) })
        for sample in samples.prefix(50) {
            if case .refused = judge(sample) { report.failure = "a valid sample was refused" }
        }
        for iteration in 0..<max(1, iterations / share) {
            let input = mutator.input(from: samples)
            switch judge(input) {
            case .taken: report.taken += 1
            case .refused: report.refused += 1
            case .failed(let why):
                report.failure =
                    "iteration \(iteration) of seed \(seed): \(why); input \(Self.hexadecimal(input))"
                return report
            }
        }
        return report
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.prefix(200).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            + (bytes.count > 200 ? "…" : "")
    }

    /// Says 255 and a byte behind it are a length and its payload, and does not look whether they are: wrong for
    /// some inputs, so a harness that sees failures fails it.
    static let canary = FuzzTarget(name: "canary", samples: [[3, 1, 2, 3]]) { bytes in
        guard let count = bytes.first else { return .refused }
        return Int(count) > bytes.count - 1 ? .failed("a length of \(count) was believed") : .taken
    }
}
