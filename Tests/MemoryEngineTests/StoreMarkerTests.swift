import Foundation
import Testing

@testable import MemoryEngine

@Suite struct `The marker of a store` {
    private let directory = ScratchDirectory()
    private var marker: URL { URL(fileURLWithPath: directory.path + "/" + Engine.markerName) }

    private func write(_ text: String, to url: URL) throws {
        try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    @Test func `is made in a new directory, and found again`() async throws {
        for _ in 0..<2 {
            let engine = try Engine.open(at: directory.path)
            await engine.close()
            #expect(try String(contentsOf: marker, encoding: .utf8) == "loci store 1\n")
        }
    }

    @Test func `is finished where a crash left it empty`() async throws {
        try write("", to: marker)
        let engine = try Engine.open(at: directory.path)
        await engine.close()
        #expect(try String(contentsOf: marker, encoding: .utf8) == "loci store 1\n")
    }

    @Test func `is not made among other things`() async throws {
        try write("mine", to: URL(fileURLWithPath: directory.path + "/notes.txt"))
        #expect(await refusal { try Engine.open(at: directory.path) }?.code == .foreign)
        #expect(!FileManager.default.fileExists(atPath: marker.path))
    }

    @Test func `of another version is refused`() async throws {
        try write("loci store 2\n", to: marker)
        #expect(await refusal { try Engine.open(at: directory.path) }?.code == .foreign)
    }

    @Test func `is not made for reading`() async throws {
        var options = Engine.Options()
        options.isReadOnly = true
        let reading = options
        #expect(await refusal { try Engine.open(at: directory.path, options: reading) }?.code == .notFound)
        #expect(!FileManager.default.fileExists(atPath: directory.path))
    }
}
