import Foundation
import MemoryEngine
import Testing

@testable import loci

@Suite struct `A file of settings` {
    @Test(
        arguments: [
            ("A=1", ["A": "1"]), ("A=", ["A": ""]), ("", [:]), ("\n\n", [:]), ("# A=1\n  # B=2\n", [:]),
            ("A=1\nB=2", ["A": "1", "B": "2"]), ("A=1\r\nB=2\r\n", ["A": "1", "B": "2"]),
            ("  A = 1  \n", ["A": "1"]),
            ("export A=1\nexport\tB=2\nexport=3", ["A": "1", "B": "2", "export": "3"]),
            ("A=1\nA=2\n", ["A": "2"]), ("_a9=1", ["_a9": "1"]), ("\u{FEFF}A=1\n", ["A": "1"]),
            ("A=one two # three", ["A": "one two"]), ("A=one#two", ["A": "one#two"]),
            ("A=#one", ["A": "#one"]),
            ("A= # one", ["A": ""]), ("A=b=c==", ["A": "b=c=="]), ("A=$HOME/${B}", ["A": "$HOME/${B}"]),
            ("A='one # \" \\n two' # three", ["A": "one # \" \\n two"]), ("A=''", ["A": ""]),
            (#"A="one # ' \"two\" \\ \n\t\x $B" # three"#, ["A": "one # ' \"two\" \\ \n\t\\x $B"]),
            ("A=it's", ["A": "it's"]), ("A=ü", ["A": "ü"]),
        ] as [(String, [String: String])])
    func `holds names and values`(text: String, values: [String: String]) throws {
        let file = try EnvironmentFile(Array(text.utf8))
        #expect(file.values == values)
        #expect(file.badLines.isEmpty)
        #expect(file.bytes == Array(text.utf8))
    }

    @Test(arguments: [
        "A", "A: 1", "=1", "1A=2", "A-B=1", "a b=1", "A='one", "A=\"one", "A=\"one\\\"", "A='one' two",
        "A=\"a\"#b", "export A", "ä=1", "A=\u{0}", "{",
    ])
    func `names bad lines by their numbers, and goes on`(line: String) throws {
        let file = try EnvironmentFile(Array("# first\n\(line)\nB=2\n".utf8))
        #expect(file.badLines == [2])
        #expect(file.values == ["B": "2"])
    }

    @Test func `is no longer than its bound, and may hold any bytes`() throws {
        let most = EnvironmentFile.maximumByteCount
        #expect(throws: EngineError.self) { try EnvironmentFile([UInt8](repeating: 10, count: most + 1)) }
        var full = try EnvironmentFile([UInt8](repeating: 10, count: most))
        #expect(throws: EngineError.self) { try full.set("A", to: "1") }
        var random = SplitMix64(seed: 1)
        for _ in 0..<2_000 {
            let bytes = (0..<40).map { _ in
                Array("A=\"'\\# \n\r\tB\u{0}".utf8 + [0xFF]).randomElement(using: &random) ?? 0
            }
            let file = try EnvironmentFile(bytes)
            #expect(file.bytes == bytes)
            #expect(file.badLines.count + file.values.count <= bytes.count)
        }
    }

    @Test(arguments: [
        ("", "K=v\n"), ("A=1\n", "A=1\nK=v\n"), ("A=1", "A=1\nK=v\n"), ("A=1\r\n", "A=1\r\nK=v\r\n"),
        ("A=1\r\nB=2", "A=1\r\nB=2\r\nK=v\r\n"), ("K=old", "K=v"), ("K=old\r\n# end", "K=v\r\n# end"),
        ("# K=no\n\n  export K = 'old one'  # why\nB=2\n", "# K=no\n\n  export K = v  # why\nB=2\n"),
        ("K=1\nA=2\nK=3\nK\n", "K=1\nA=2\nK=v\nK\n"), ("K=\n", "K=v\n"), ("K= # none\n", "K=v # none\n"),
        ("K=\"a # b\"\n", "K=v\n"), ("K=a#b # c", "K=v # c"), ("\u{FEFF}K=1\n", "\u{FEFF}K=v\n"),
        ("junk\nKEY=1\n", "junk\nKEY=1\nK=v\n"),
    ])
    func `takes a value, and keeps every other byte`(before: String, after: String) throws {
        var file = try EnvironmentFile(Array(before.utf8))
        let others = file.values.filter { $0.key != "K" }
        try file.set("K", to: "v")
        #expect(String(decoding: file.bytes, as: UTF8.self) == after)
        #expect(try EnvironmentFile(file.bytes).values == others.merging(["K": "v"]) { $1 })
    }

    @Test func `reads back what was written, and takes nothing that a shell would read otherwise`() throws {
        for value in ["sk-a_B.9", "one two", "a#b", "#a", "a $b `c` \"d\" \\", "ü", " a", "x=y"] {
            for text in ["", "K=1 # why\n", "K=''"] {
                var file = try EnvironmentFile(Array(text.utf8))
                try file.set("K", to: value)
                #expect(try EnvironmentFile(file.bytes).values == ["K": value])
            }
        }
        for value in ["", "it's", "a\nb", "a\u{7F}", String(repeating: "a", count: 4_097)] {
            var file = try EnvironmentFile()
            do {
                try file.set("K", to: value)
                Issue.record("\(value.debugDescription) was taken")
            } catch let error as EngineError {
                #expect(error.code == .invalid && error.message.contains("K "))
                #expect(value.count < 4 || !error.message.contains(value))
            }
        }
    }

    @Test func `is changed by one at a time, and the others wait, but not for ever`() throws {
        try Shell.run { shell in
            let path = try shell.write("# kept\nA=1\n", to: ".env")
            try EnvironmentFile.change(path) { file in
                let error = #expect(throws: EngineError.self) {
                    try EnvironmentFile.change(path, patience: .zero) { try $0.set("B", to: "other") }
                }
                #expect(error?.code == .locked && error?.message.contains(shell.folder) == true)
                try file.set("B", to: "first")
            }
            try EnvironmentFile.change(path, patience: .zero) { try $0.set("C", to: "next") }
            #expect(throws: CancellationError.self) {
                try EnvironmentFile.change(path) {
                    try $0.set("D", to: "lost")
                    throw CancellationError()
                }
            }
            #expect(
                try String(contentsOfFile: path, encoding: .utf8) == "# kept\nA=1\nB=first\nC=next\n")
        }
    }

    @Test func `keeps its mode and links to it, and is its owner's alone when it is new`() throws {
        try Shell.run { shell in
            func mode(_ path: String) throws -> Int? {
                try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            }
            func write(_ path: String) throws {
                try EnvironmentFile.change(path) { try $0.set("K", to: "v") }
            }
            let path = shell.folder + "/.env"
            #expect(try EnvironmentFile.read(path) == nil)
            try write(path)
            #expect(try mode(path) == 0o600)
            for bits in [0o640, 0o600, 0o664] {
                try shell.write("# kept\nA=1", to: ".env")
                try FileManager.default.setAttributes([.posixPermissions: bits], ofItemAtPath: path)
                try write(path)
                #expect(try mode(path) == bits)
                #expect(try String(contentsOfFile: path, encoding: .utf8) == "# kept\nA=1\nK=v\n")
            }
            let link = shell.folder + "/linked/.env"
            try FileManager.default.createDirectory(
                atPath: shell.folder + "/linked", withIntermediateDirectories: false)
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "../.env")
            try shell.write("B=1\n", to: ".env")
            try write(link)
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "../.env")
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "B=1\nK=v\n")
            let left = try FileManager.default.contentsOfDirectory(atPath: shell.folder)
            #expect(left.filter { $0.hasPrefix(".env") } == [".env"])
            #expect(throws: EngineError.self) { try EnvironmentFile.read(shell.folder) }
            // A pipe is not waited for.
            try #require(shell.bash("mkfifo pipe").status == 0)
            #expect(try EnvironmentFile.read(shell.folder + "/pipe")?.values == [:])
        }
    }
}
