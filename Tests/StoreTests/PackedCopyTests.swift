import Foundation
import Testing

@testable import Store

@Suite struct `A packed copy` {
    private let table = Table(name: "letters", index: 0)
    private let directory = NSTemporaryDirectory() + "/loci-packed-" + UUID().uuidString

    @Test func `holds what the file holds, without free pages, and is nobody else's to read`() throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let environment = try Environment.open(path: directory + "/a", tables: [table])
        defer { environment.close() }
        for round in 0..<20 {
            try environment.write { transaction in
                for number in UInt32(0)..<100 {
                    let value = [UInt8](repeating: UInt8(round), count: 200)
                    try table.put(Key().u32(number), value, in: transaction)
                }
            }
        }
        let copy = directory + "/b"
        try environment.packedCopy(to: copy)

        let report = try FileCheck.full(path: copy)
        #expect(report.problems == [])
        #expect(report.free == 0)
        let attributes = try FileManager.default.attributesOfItem(atPath: copy)
        #expect((attributes[.posixPermissions] as? Int).map { $0 & 0o007 } == 0)
        let opened = try Environment.open(path: copy, tables: [table])
        defer { opened.close() }
        try opened.read { transaction in
            let count = try table.count(in: transaction)
            let last = try table.get(Key().u32(99), in: transaction)?.array
            #expect(count == 100)
            #expect(last == [UInt8](repeating: 19, count: 200))
        }
    }

    @Test func `is not made over a file that is there`() throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let environment = try Environment.open(path: directory + "/a", tables: [table])
        defer { environment.close() }
        let copy = directory + "/b"
        try Data("mine".utf8).write(to: URL(fileURLWithPath: copy))
        #expect(throws: StoreError.self) { try environment.packedCopy(to: copy) }
        let text = try String(contentsOfFile: copy, encoding: .utf8)
        #expect(text == "mine")
    }
}
