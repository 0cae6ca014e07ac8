import Foundation
import MemoryEngine
import TestSupport
import Testing

@testable import Server

@Suite struct `An attachment over a connection` {
    private static let atlas = "project/atlas"

    @Test func `comes in parts, of the version that is asked for`() async throws {
        try await ServedStore.serve { port in
            let client = try TestClient(port: port)
            _ = try client.ask("HELLO", "3")
            let bytes = (0..<(9 << 20)).map { UInt8(0x20 + $0 / 7 % 90) }
            func text(_ range: Range<Int>) -> TestClient.Value {
                .text(String(decoding: bytes[range], as: UTF8.self))
            }
            try client.send(
                ["MEM.REMEMBER", Self.atlas, "A log.", "KEY", "log", "ATTACH", "log.bin"].map {
                    Array($0.utf8)
                }
                    + [bytes])
            _ = try client.receive()
            func part(_ options: String...) throws -> TestClient.Value {
                try client.send((["MEM.GET", Self.atlas, "log"] + options).map { Array($0.utf8) })
                return try client.receive()
            }
            #expect(try part("ATTACHMENT", "log.bin") == text(0..<8 << 20))
            #expect(try part("attachment", "log.bin", "FROM", "\(8 << 20)") == text(8 << 20..<9 << 20))
            #expect(
                try part("ATTACHMENT", "log.bin", "FROM", "\(bytes.count - 2)")
                    == text(bytes.count - 2..<bytes.count))
            #expect(try part("ATTACHMENT", "log.bin", "FROM", "\(bytes.count)") == .text(""))

            _ = try client.ask("MEM.UPDATE", Self.atlas, "log", "ATTACH", "more.txt", "more")
            #expect(try part("ATTACHMENT", "more.txt") == .text("more"))
            #expect(
                try part("VERSION", "1", "ATTACHMENT", "more.txt")
                    == .error("NOTFOUND the memory has no attachment `more.txt`"))
            #expect(try part("FROM", "1") == .error("ERR MEM.GET: FROM is without ATTACHMENT"))
            guard case .error(let refusal) = try part("ATTACHMENT", "more.txt", "FROM", "-1") else {
                throw TestClient.Failure(description: "a negative place")
            }
            #expect(refusal.contains("FROM is `-1`"))
            #expect(try client.ask("MEM.GET", Self.atlas, "none", "ATTACHMENT", "a") == .text(nil))
            _ = try client.ask("MULTI")
            _ = try part("ATTACHMENT", "more.txt", "FROM", "2")
            #expect(try client.ask("EXEC").elements == [.text("re")])
        }
    }

    @Test func `is written by the command`() async throws {
        try await ServedStore.serve { port in
            let loci = try LociProgram(["LOCI_URL": "127.0.0.1:\(port)"])
            defer { loci.end() }
            let text = String(repeating: "A line of a log.\n", count: 600_000)
            try Data(text.utf8).write(to: URL(fileURLWithPath: loci.folder + "/log.txt"))
            try Data().write(to: URL(fileURLWithPath: loci.folder + "/empty.txt"))
            try loci.said(
                "remember", "A log.", "--key", "log", "--attach", "log.txt", "--attach", "empty.txt")
            let told = try loci("get", "log", "--attachment", "log.txt")
            #expect(told.status == 0 && told.output == text, "\(told.status) \(told.errors)")
            let empty = try loci("get", "log", "--attachment", "empty.txt")
            #expect(empty.status == 0 && empty.output.isEmpty, "\(empty)")
            let none = try loci("get", "log", "--attachment", "none")
            #expect(none.status == 2 && none.errors.contains("no attachment `none`"), "\(none)")
        }
    }
}
