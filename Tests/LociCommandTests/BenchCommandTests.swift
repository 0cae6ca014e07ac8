import Foundation
import Testing

@testable import loci

@Suite struct `The program that measures, as a peer of other libraries` {
    /// A matrix in numpy's format, version 1.0.
    private func write(
        _ type: String, _ shape: String, _ bytes: [UInt8], to name: String, _ shell: Shell
    ) throws {
        var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(shape)), }"
        header += String(repeating: " ", count: 127 - 10 - header.utf8.count) + "\n"
        let start: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0]
        try Data(start + Array(header.utf8) + bytes).write(
            to: URL(fileURLWithPath: shell.folder + "/" + name))
    }

    private func writeRows(_ count: Int, to name: String, _ shell: Shell) throws {
        var random = SplitMix64(seed: UInt64(count))
        let bytes = (0..<count * 4).flatMap { _ -> [UInt8] in
            let bits = (Float(random.next() % 1_000) + 1).bitPattern
            return (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt32($0))) }
        }
        try write("<f4", "\(count), 4", bytes, to: name, shell)
    }

    private func writeNumbers(_ count: Int, to name: String, _ shell: Shell) throws {
        try write("<u2", "\(count),", (0..<count).flatMap { [UInt8($0 % 20), 0] }, to: name, shell)
    }

    @Test func `goes on with a build that was killed, and searches no part of one`() throws {
        try Shell.run { shell in
            try writeRows(20_000, to: "base.npy", shell)
            try writeRows(7, to: "q.npy", shell)
            let program =
                URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/bench"
            let killed = try shell.bash(
                """
                \(program) build --base base.npy --index made --batch 1 > log 2>&1 &
                build=$!
                # What is there before the first rows has half as many bytes.
                until [ "$(stat -c %s made/index.loci 2> /dev/null || echo 0)" -gt 100000 ]
                do kill -0 $build || exit 1; sleep 0.01; done
                kill -KILL $build
                """)
            #expect(killed.status == 0, "\(killed.errors)")
            let part = try shell.bench("search", "--index", "made", "--queries", "q.npy")
            #expect(part.status != 0 && part.errors.contains("of 20000 rows"), "\(part)")
            let other = try shell.bench("build", "--base", "base.npy", "--index", "made", "--m", "8")
            #expect(other.status != 0 && other.errors.contains("other rows, numbers or settings"), "\(other)")
            var rows = try Data(contentsOf: URL(fileURLWithPath: shell.folder + "/base.npy"))
            rows[rows.count - 20_000 * 16] ^= 1
            try rows.write(to: URL(fileURLWithPath: shell.folder + "/changed.npy"))
            let changed = try shell.bench("build", "--base", "changed.npy", "--index", "made")
            #expect(
                changed.status != 0 && changed.errors.contains("other rows, numbers or settings"),
                "\(changed)")
            let whole = try shell.bench("build", "--base", "base.npy", "--index", "made")
            #expect(whole.status == 0 && whole.output.contains("went on"), "\(whole)")
            #expect(!whole.output.contains("nan") && !whole.output.contains("inf"), "\(whole.output)")
            let found = try shell.bench("search", "--index", "made", "--queries", "q.npy", "--params", "16")
            #expect(found.status == 0 && found.output.contains("recall@10 1.0000"), "\(found)")
            #expect(found.output.contains("20000 × 4"), "\(found.output)")
            let again = try shell.bench("build", "--base", "base.npy", "--index", "made")
            #expect(again.status != 0 && again.errors.contains("and whole"), "\(again)")
        }
    }

    @Test func `refuses before the work what cannot be done`() throws {
        try Shell.run { shell in
            try writeRows(30, to: "base.npy", shell)
            try writeRows(3, to: "q.npy", shell)
            try writeRows(0, to: "none.npy", shell)
            try writeNumbers(30, to: "p.npy", shell)
            try writeNumbers(29, to: "short.npy", shell)
            let index = ["--index", "made", "--queries", "q.npy"]
            func refusal(_ arguments: [String]) throws -> String {
                let answer = try shell.bench(arguments)
                #expect(answer.status != 0, "\(arguments)")
                #expect(
                    !answer.errors.split(separator: "\n").contains { $0.hasSuffix(" ") }, "\(answer.errors)")
                return answer.errors
            }
            #expect(try refusal(["build", "--base", "none.npy", "--index", "made"]).contains("has no rows"))
            #expect(
                try refusal(["build", "--base", "p.npy", "--index", "made"]).contains("no matrix of <f4"))
            for field in ["--payload", "--groups"] {
                let message = try refusal([
                    "build", "--base", "base.npy", "--index", "made", field, "short.npy",
                ])
                #expect(message.contains("not one number for each row"))
            }
            #expect(!FileManager.default.fileExists(atPath: shell.folder + "/made"))
            let made = try shell.bench([
                "build", "--base", "base.npy", "--index", "made", "--payload", "p.npy",
            ])
            #expect(made.status == 0 && !made.output.contains("nan"), "\(made)")
            #expect(try refusal(["search"] + index + ["--filter", "g:3"]).contains("no groups"))
            let filtered = try shell.bench(["search"] + index + ["--filter", "u:10", "--params", "9"])
            #expect(filtered.status == 0 && filtered.output.contains("recall@10 1.0000"), "\(filtered)")
            #expect(
                try refusal(["search"] + index + ["--out", "gone/r.vpb"]).contains(
                    "gone/r.vpb cannot be written"))
            #expect(try refusal(["search"] + index + ["--out", "made"]).contains("made is a folder"))
            #expect(
                try refusal(["search"] + index + ["--without-recall", "--plot", "p.svg"]).contains(
                    "nothing to draw"))
            #expect(
                try refusal(["search", "--index", "made", "--queries", "none.npy"]).contains(
                    "has no questions"))
        }
    }
}
