import Foundation

/// Tries decoders with damaged bytes.
///
///     fuzz <target|all> [--seed N] [--iterations N] [--canary]
///     fuzz list
///
/// Each target starts from valid encodings, changes them at random, and decodes what comes out: a value or an
/// error is right, a crash is not, and neither is a value that does not survive its own encoding. One line a
/// target tells how many were taken and refused. Exit code 1 = a target failed; `--canary` adds one that must,
/// which shows that failures are seen.
func fail(_ message: String) -> Never {
    FileHandle.standardError.write(Data((message + "\n").utf8))
    exit(64)
}

var name: String?
var seed: UInt64 = 1
var iterations = 10_000
var hasCanary = false
var arguments = CommandLine.arguments.dropFirst()
while let argument = arguments.popFirst() {
    switch argument {
    case "--seed", "--iterations":
        guard let value = arguments.popFirst(), let number = UInt64(value), number < 1 << 40 else {
            fail("\(argument) needs a number")
        }
        if argument == "--seed" { seed = number } else { iterations = Int(number) }
    case "--canary": hasCanary = true
    default:
        guard name == nil, !argument.hasPrefix("-") else {
            fail("fuzz <target|all|list> [--seed N] [--iterations N] [--canary]")
        }
        name = argument
    }
}

let corpus = try await Corpus.make(seed: seed)
var targets = FuzzTarget.all(corpus)
if hasCanary { targets.append(.canary) }
guard let name else { fail("name a target, `all`, or `list`") }
if name == "list" {
    for target in targets { print(target.name) }
    exit(0)
}
let chosen = targets.filter { name == "all" || $0.name == name || (hasCanary && $0.name == "canary") }
guard !chosen.isEmpty else { fail("there is no target `\(name)`; `fuzz list` names them") }
var hasFailed = false
for target in chosen {
    let report = target.run(seed: seed, iterations: iterations)
    print(report.line)
    if report.failure != nil { hasFailed = true }
}
exit(hasFailed ? 1 : 0)
