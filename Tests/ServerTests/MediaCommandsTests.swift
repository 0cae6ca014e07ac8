import Embedders
import Foundation
import MemoryEngine
import TestSupport
import Testing

@testable import Server

/// Images by the byte behind them: a model that tells two apart from all others, in texts and in images.
private struct TwoSights: Embedder {
    let space = EmbeddingSpace(model: "sights", dimension: 3)
    let modalities: Set<Modality> = [.text, .image]

    func embed(_ inputs: [EmbeddingInput], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        inputs.map { input in
            switch input {
            case .text(let text): text.contains("animal") ? [1, 0, 0.1] : [0, 1, 0.1]
            case .image(let bytes), .video(let bytes): bytes.last == 1 ? [1, 0, 0] : [0, 1, 0]
            case .frames: [0, 0, 1]
            }
        }
    }
}

@Suite struct `A server, sent images` {
    private let atlas = "project/atlas"

    /// Lends the port of a server whose homes have vectors of images.
    private func serve(
        limits: WireLimits = WireLimits(), _ body: @escaping @Sendable (Int) throws -> Void
    ) async throws {
        var engine = Engine.Options()
        engine.mediaEmbedders = [TwoSights()]
        engine.durability = .none
        // On a busy machine what is ready at once may be late.
        (engine.mediaPatience, engine.imageQuestionPatience) = (.seconds(3_600), .seconds(3_600))
        try await ServedStore.serve(ServedStore.options { $0.limits = limits }, engine, body)
    }

    @Test func `keeps them with their memories, and finds these by them`() async throws {
        let atlas = atlas
        try await serve { port in
            let client = try TestClient(port: port)
            _ = try client.ask("HELLO", "3")
            func ask(_ words: [String], _ option: String, _ parts: [UInt8]...) throws -> TestClient.Value {
                try client.send(words.map { Array($0.utf8) } + [Array(option.utf8)] + parts)
                return try client.receive()
            }
            for (text, sign) in [("From the first day", 1), ("From the second day", 2)] as [(String, UInt8)] {
                let told = try ask(
                    ["MEM.REMEMBER", atlas, text, "KEY", text], "attach", Array("photo.dat".utf8),
                    MediaFiles.png(sign))
                #expect(told["isNew"] == .boolean(true) && told["missingSpaces"] == nil, "\(told)")
            }
            let attached = try client.ask("MEM.GET", atlas, "From the first day")["attachments"]?.elements
                .first
            #expect(attached?["name"]?.string == "photo.dat" && attached?["mediaType"]?.string == "image/png")
            #expect(attached?["size"] == .integer(MediaFiles.png(1).count))

            func contents(_ reply: TestClient.Value) -> [String] {
                (reply["hits"]?.elements ?? []).compactMap { $0["memory"]?["content"]?.string }
            }
            let byWords = try client.ask("MEM.RECALL", atlas, "Which animal was there?", "LIMIT", "1")
            #expect(contents(byWords) == ["From the first day"], "\(byWords)")
            let shown = try ask(["MEM.RECALL", atlas, "", "LIMIT", "1"], "LIKE", MediaFiles.png(2))
            #expect(contents(shown) == ["From the second day"], "\(shown)")
            // With the conditions of any other.
            let filtered = try ask(
                ["MEM.RECALL", atlas, "", "KEYPREFIX", "From the first"], "LIKE", MediaFiles.png(2))
            #expect(contents(filtered) == ["From the first day"], "\(filtered)")

            // An update adds to what is attached.
            let updated = try ask(
                ["MEM.UPDATE", atlas, "From the first day"], "ATTACH", Array("notes.txt".utf8), [0x61])
            #expect(updated["version"] == .integer(2))
            let both = try client.ask("MEM.GET", atlas, "From the first day")["attachments"]?.elements ?? []
            #expect(both.compactMap { $0["mediaType"]?.string } == ["image/png", "text/plain"])
            // In a transaction too.
            _ = try client.ask("MULTI")
            #expect(
                try ask(["MEM.REMEMBER", atlas, "Queued"], "ATTACH", Array("a".utf8), [1])
                    == .simple("QUEUED"))
            #expect(try client.ask("EXEC").elements.first?["isNew"] == .boolean(true))
        }
    }

    @Test func `refuses what is none, and what is more than it takes`() async throws {
        let atlas = atlas
        var limits = WireLimits()
        limits.argumentByteCount = 2_000
        limits.commandByteCount = 3_000
        try await serve(limits: limits) { port in
            let client = try TestClient(port: port)
            func ask(_ words: [UInt8]...) throws -> String {
                try client.send([Array("MEM.REMEMBER".utf8), Array(atlas.utf8), Array("Text".utf8)] + words)
                guard case .error(let message) = try client.receive() else { return "no error" }
                return message
            }
            #expect(
                try client.ask("MEM.REMEMBER", atlas, "Text", "ATTACH", "a").isError("is missing at the end"))
            #expect(try ask(Array("ATTACH".utf8), [0xFF], [1]).contains("is not UTF-8"))
            #expect(try ask(Array("ATTACH".utf8), [], [1]).contains("attachment name"))
            #expect(
                try client.ask("MEM.RECALL", atlas, "", "LIKE", "text").isError("what is shown is no image"))
            let unlike = try client.ask("MEM.RECALL", atlas, "", "LIKE")
            #expect(unlike.isError("what is shown is missing at the end"))
            #expect(try client.ask("MEM.LIST", atlas).elements == [.text("memories"), .list([])])
            let bytes = [UInt8](repeating: 7, count: 1_600)
            #expect(
                try ask(
                    Array("ATTACH".utf8), Array("a".utf8), bytes, Array("ATTACH".utf8), Array("b".utf8), bytes
                )
                .contains("a command has at most"))
            let next = try TestClient(port: port)
            try next.send([
                Array("MEM.REMEMBER".utf8), Array(atlas.utf8), Array("Text".utf8), Array("ATTACH".utf8),
                Array("a".utf8), bytes + bytes,
            ])
            #expect(try next.receive().isError("invalid bulk length"))
        }
    }

    @Test func `is sent them by the command`() async throws {
        try await serve { port in
            let loci = try LociProgram(["LOCI_URL": "127.0.0.1:\(port)"])
            defer { loci.end() }
            for (name, sign) in [("one", 1), ("two", 2)] as [(String, UInt8)] {
                try Data(MediaFiles.png(sign)).write(to: URL(fileURLWithPath: "\(loci.folder)/\(name)"))
                try loci.said("remember", "The \(name).", "--key", name, "--attach", name)
            }
            try Data(MediaFiles.png[..<20]).write(to: URL(fileURLWithPath: loci.folder + "/cut.png"))
            let cut = try loci("remember", "A cut.", "--attach", "cut.png")
            #expect(
                cut.status == 0 && cut.errors.contains("gets no vector: `cut.png` is damaged")
                    && !cut.errors.contains("reembed"), "\(cut)")
            try Data("text".utf8).write(to: URL(fileURLWithPath: loci.folder + "/notes.txt"))
            try loci.said("update", "one", "--attach", "notes.txt")
            let told = try loci.said("get", "one")
            #expect(told.contains("one, image/png") && told.contains("notes.txt, text/plain"), "\(told)")
            let found = try loci("recall", "--like", "two", "--limit", "1")
            #expect(found.status == 0 && found.output.contains("The two."), "\(found)")
            #expect(found.output.contains("vectors of sights"), "\(found)")
            let none = try loci("recall", "--like", "notes.txt")
            #expect(none.status == 1 && none.errors.contains("notes.txt is no image"), "\(none)")
            let lacking = try loci("recall", "--like", "two", "-n", "project/nothing")
            #expect(lacking.status == 2 && lacking.errors.contains("project/nothing"), "\(lacking)")
            let large = FileManager.default.createFile(atPath: loci.folder + "/large", contents: nil)
            let handle = FileHandle(forWritingAtPath: loci.folder + "/large")
            try handle?.truncate(atOffset: 50 << 20)
            let much = try loci(
                "remember", "Much", "--attach", "large", "--attach", "large", "--attach", "large")
            #expect(large && much.status == 1 && much.errors.contains("134,217,728"), "\(much)")
        }
    }
}

extension TestClient.Value {
    fileprivate func isError(_ part: String) -> Bool {
        if case .error(let message) = self { message.contains(part) } else { false }
    }
}
