import Foundation
import MemoryEngine
import TestSupport
import Testing

@testable import loci

/// Against a server that answers as workers of SigLIP 2 and V-JEPA 2 do behind a load balancer.
@Suite struct `The command, given images and videos` {
    private static let key = "rpa_TEST4F9B1C77D02E4A5CB6"

    /// Words and images of animals lie in one direction, all else in another.
    private static func answer(_ request: LoopbackServer.Request) -> String? {
        struct Video: Decodable {
            let file: String?
            let frames: [String]?
        }
        struct Question: Decodable {
            let type: String
            let texts: [String]?
            let images: [String]?
            let videos: [Video]?
        }
        guard request.head.contains("Authorization: Bearer \(key)") else {
            return LoopbackServer.reply("401 Unauthorized")
        }
        guard let question = try? JSONDecoder().decode(Question.self, from: Data(request.body)) else {
            return LoopbackServer.reply("400 Bad Request")
        }
        let isAnimal: [Bool]
        switch question.type {
        case "text": isAnimal = (question.texts ?? []).map { $0.contains("animal") }
        case "image": isAnimal = (question.images ?? []).map { $0 == Data(animal).base64EncodedString() }
        default: isAnimal = (question.videos ?? []).map { $0.frames?.count == 2 }
        }
        let (model, dimension) =
            question.type == "video"
            ? ("facebook/vjepa2-vitl-fpc64-256", 1_024) : ("google/siglip2-so400m-patch14-384", 1_152)
        let vectors = isAnimal.map { isAnimal in
            "[" + (0..<dimension).map { $0 == (isAnimal ? 3 : 7) ? "1" : "0" }.joined(separator: ",") + "]"
        }
        let body =
            #"{"model":"\#(model)","dimension":\#(dimension),"vectors":[\#(vectors.joined(separator: ","))]}"#
        return LoopbackServer.reply("200 OK", body)
    }

    private static let animal = MediaFiles.png(1)
    private static let ship = MediaFiles.png(2)

    private static func environment(_ shell: Shell, _ server: LoopbackServer) -> [String: String] {
        [
            "RUNPOD_API_KEY": key, "RUNPOD_URL_SIGLIP": server.url(), "RUNPOD_URL_VL_JEPA": server.url(),
            "HOME": shell.folder,
        ]
    }

    private func write(_ bytes: [UInt8], to name: String, _ shell: Shell) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: shell.folder + "/" + name))
    }

    private func numbers(_ answer: Shell.Answer) throws -> [[Double]] {
        try answer.lines.map { try #require(JSONParser.parse($0).array).compactMap(\.number) }
    }

    @Test func `finds an attached image by words that it shows`() throws {
        try Shell.run { shell in
            let server = try LoopbackServer { request, _ in Self.answer(request) }
            let environment = Self.environment(shell, server)
            try write(Self.animal, to: "one.dat", shell)
            try write(Self.ship, to: "two.dat", shell)
            let made = try shell.loci(
                "remember", "From the first day", "--attach", "one.dat", "--media", "runpod-siglip",
                environment: environment)
            #expect(made.status == 0 && made.errors.isEmpty, "\(made.errors)")
            // The home goes on with it.
            for text in ["From the second day", "From the third day"] {
                let next = try shell.loci("remember", text, "--attach", "two.dat", environment: environment)
                #expect(next.status == 0 && next.errors.isEmpty, "\(next.errors)")
            }
            let found = try shell.loci("recall", "a wild animal", "--json", environment: environment)
            let first = try JSONParser.parse(found.output)["hits"]?.array?.first
            #expect(first?["memory"]?["content"]?.string == "From the first day", "\(found)")
            let shown = try shell.loci("recall", "a wild animal", environment: environment)
            #expect(shown.output.contains("vectors of google/siglip2-so400m-patch14-384"), "\(shown.output)")
            // Whether the answer is there was never measured on images, so nothing is said of it.
            #expect(
                !shown.errors.contains("likely not there") && !shown.output.contains("confidence"), "\(shown)"
            )
            #expect(try JSONParser.parse(found.output)["confidence"] == nil)
            let spaces = try shell.loci("spaces", environment: environment)
            #expect(spaces.output.contains("3 vectors  google/siglip2-so400m-patch14-384/1152"), "\(spaces)")

            // Without the key, what is not asked is said.
            let blind = try shell.loci("recall", "a wild animal")
            #expect(blind.status == 0 && blind.errors.contains("images in google/siglip2"), "\(blind.errors)")
        }
    }

    @Test func `finds an attached image by one that is shown`() throws {
        try Shell.run { shell in
            let server = try LoopbackServer { request, _ in Self.answer(request) }
            let environment = Self.environment(shell, server)
            try write(Self.animal, to: "one.dat", shell)
            try write(Self.ship, to: "two.dat", shell)
            try write([0xFF, 0xFE, 0x00], to: "none", shell)
            let early = try shell.loci("remember", "A text", environment: environment)
            #expect(early.status == 0, "\(early.errors)")
            let nothing = try shell.loci("recall", "--like", "one.dat", environment: environment)
            #expect(
                nothing.status == 2 && nothing.errors.contains("no image that is attached there has a vector")
                    && nothing.errors.contains("loci reembed -n project/atlas")
                    && nothing.errors.contains("--media runpod-siglip"), "\(nothing)")
            for (text, file) in [("The first day", "one.dat"), ("The second day", "two.dat")] {
                let made = try shell.loci(
                    "remember", text, "--attach", file, "--tag", file, "--media", "runpod-siglip",
                    environment: environment)
                #expect(made.status == 0, "\(made.errors)")
            }
            try shell.loci(
                "remember", "-", "--attach", "two.dat", input: [], environment: environment)

            let found = try shell.loci("recall", "--like", "one.dat", "--json", environment: environment)
            let hits = try JSONParser.parse(found.output)["hits"]?.array ?? []
            #expect(hits.first?["memory"]?["content"]?.string == "The first day", "\(found)")
            #expect(hits.count == 3)
            let shown = try shell.loci("recall", "--like", "two.dat", environment: environment)
            #expect(
                shown.output.contains("vectors of google/siglip2-so400m-patch14-384")
                    && shown.output.contains("[two.dat]") && shown.errors.isEmpty, "\(shown)")
            let filtered = try shell.loci(
                "recall", "--like", "one.dat", "--tag", "two.dat", "--limit", "1", environment: environment)
            #expect(filtered.output.contains("The second day"), "\(filtered)")
            let both = try shell.loci("recall", "second", "--like", "two.dat", environment: environment)
            #expect(both.lines.dropFirst().first?.contains("project/atlas") == true, "\(both)")
            #expect(both.lines.dropFirst(2).first?.contains("The second day") == true, "\(both)")
            let why = try shell.loci("explain", "--like", "one.dat", environment: environment)
            #expect(why.status == 0 && why.output.contains("google/siglip2"), "\(why)")

            // What is missing is named, and no value of a setting.
            let blind = try shell.loci("recall", "--like", "one.dat")
            #expect(
                blind.status == 1 && blind.errors.contains("runpod-siglip wants RUNPOD_API_KEY")
                    && blind.errors.contains("RUNPOD_URL_SIGLIP"), "\(blind)")
            for (arguments, status, part) in [
                (["--like", "none"], 1, "none is no image"), (["--like", "gone.png"], 2, "gone.png"),
                (["--like", ""], 1, "the name of a file is empty"), (["--like", "."], 1, ". is a folder"),
                (["--like", "one.dat", "--words-only"], 64, "--words-only"),
                (["--like", "one.dat", "--compare"], 64, "--compare"),
                (["--like", "one.dat", "--intent", "why"], 64, "--intent"),
                (["--like", "one.dat", "--word-weight", "0.5"], 64, "--word-weight"),
                (["--like", "one.dat", "-n", "project/gone"], 2, "there is no home project/gone"),
                (["--like", "one.dat", "--embedder", "none"], 1, "say --media runpod-siglip"),
            ] as [([String], Int32, String)] {
                let answer = try shell.run(["recall"] + arguments, environment: environment)
                #expect(answer.status == status && answer.errors.contains(part), "\(arguments): \(answer)")
            }
        }
    }

    @Test func `remembers without its vector where the service does not answer, and says how to go on`()
        throws
    {
        try Shell.run { shell in
            let isOff = Mutex(true)
            let server = try LoopbackServer { request, _ in
                isOff.withLock { $0 } ? LoopbackServer.reply("401 Unauthorized") : Self.answer(request)
            }
            let environment = Self.environment(shell, server)
            try write(Self.animal, to: "one.png", shell)
            try write(Array(Self.animal[..<20]), to: "cut.png", shell)
            try write(MediaFiles.mp4, to: "clip.mp4", shell)
            let arguments = ["--media", "runpod-siglip"]
            let made = try shell.run(
                ["remember", "A day", "--attach", "one.png"] + arguments, environment: environment)
            #expect(
                made.status == 0 && made.errors.contains("loci reembed -n project/atlas"), "\(made.errors)")
            let cut = try shell.run(
                ["remember", "A cut", "--attach", "cut.png"] + arguments, environment: environment)
            #expect(cut.status == 0 && cut.errors.contains("`cut.png` is damaged"), "\(cut.errors)")
            // Nobody is promised a vector that no model makes.
            try write(Array("%PDF-1.7".utf8), to: "paper.pdf", shell)
            let paper = try shell.run(
                ["remember", "A paper", "--attach", "paper.pdf"] + arguments, environment: environment)
            let clip = try shell.run(
                ["remember", "A clip", "--attach", "clip.mp4"] + arguments, environment: environment)
            for answer in [cut, paper, clip] {
                #expect(answer.status == 0 && !answer.errors.contains("reembed"), "\(answer.errors)")
            }
            // What would make them is the service that the home has, not any.
            let early = try shell.loci("recall", "--like", "one.png", environment: environment)
            #expect(
                early.status == 2 && early.errors.contains("attached, with --media runpod-siglip\n"),
                "\(early)")
            isOff.withLock { $0 = false }
            let later = try shell.run(["reembed"] + arguments, environment: environment)
            #expect(later.status == 0 && later.output.contains("1 vector added"), "\(later)")
            let found = try shell.loci("recall", "animal", environment: environment)
            #expect(found.output.contains("vectors of google/siglip2"), "\(found)")
            #expect(!made.errors.contains(Self.key) && !cut.errors.contains(Self.key))
        }
    }

    @Test func `tells which attachments wait for their vectors, and why`() throws {
        try Shell.run { shell in
            let server = try LoopbackServer { request, _ in Self.answer(request) }
            let environment = Self.environment(shell, server)
            try write(Self.animal, to: "one.png", shell)
            try write(MediaFiles.mp4, to: "clip.mp4", shell)
            func waiting(_ arguments: [String], _ environment: [String: String]) throws -> [JSONValue] {
                let answer = try shell.run(
                    ["reembed", "--json"] + arguments, environment: environment)
                #expect(answer.status == 0, "\(answer)")
                return try JSONParser.parse(answer.output)["waiting"]?.array ?? []
            }
            try shell.loci("remember", "A day", "--attach", "one.png", environment: environment)
            // Nobody has named what makes such vectors.
            for arguments in [[], ["--estimate"]] {
                let unnamed = try shell.run(["reembed"] + arguments, environment: environment)
                #expect(
                    unnamed.status == 0
                        && unnamed.errors.contains(
                            "project/atlas: 1 attached image waits for its vector: nothing is named that makes them: say --media jina"
                        ) && unnamed.errors.contains("--media runpod-siglip"), "\(unnamed)")
                let rows = try waiting(arguments, environment)
                #expect(rows.count == 1 && rows[0]["attachments"]?.number == 1, "\(rows)")
            }
            let made = try shell.loci(
                "reembed", "--media", "runpod-siglip", environment: environment)
            #expect(made.output.contains("1 vector added") && made.errors.contains("1 attachment"), "\(made)")
            #expect(!made.errors.contains("wait"), "\(made)")
            try shell.loci("remember", "Another", "--attach", "one.png")
            try shell.loci("remember", "A clip", "--attach", "clip.mp4")
            // What made them is not configured now.
            let space = "google/siglip2-so400m-patch14-384/1152/cosine"
            for arguments in [[], ["--estimate"]] {
                let gone = try shell.run(["reembed"] + arguments)
                #expect(
                    gone.status == 0
                        && gone.errors.contains(
                            "1 attached image waits for its vector in \(space): runpod-siglip wants RUNPOD_API_KEY"
                        )
                        && gone.errors.contains("1 attached video waits for its vector: nothing is named"),
                    "\(gone)")
                let rows = try waiting(arguments, [:])
                #expect(rows.compactMap { $0["kind"]?.string } == ["image", "video"])
                #expect(rows.first?["space"]?.string == space)
                #expect(rows.first?["reason"]?.string?.contains("RUNPOD_API_KEY") == true)
            }
            let later = try shell.run(
                ["reembed", "--media", "runpod-vl-jepa"], environment: environment)
            #expect(later.output.contains("2 vectors added") && !later.errors.contains("wait"), "\(later)")
            #expect(try waiting([], environment).isEmpty)
        }
    }

    @Test func `prints the vectors of images, videos and frames`() throws {
        try Shell.run { shell in
            let server = try LoopbackServer { request, _ in Self.answer(request) }
            let environment = Self.environment(shell, server)
            try write(Self.animal, to: "one", shell)
            try write(Self.ship, to: "two", shell)
            try write(MediaFiles.mp4, to: "clip", shell)
            try shell.write("an animal", to: "text")
            let images = try shell.loci(
                "embed", "a ship", "--file", "text", "--file", "one", "--image", "two", "--embedder",
                "runpod-siglip", "--json", environment: environment)
            let vectors = try numbers(images)
            #expect(vectors.map(\.count) == [1_152, 1_152, 1_152, 1_152], "\(images.errors)")
            #expect(vectors.map { $0.firstIndex(of: 1) } == [7, 3, 3, 7])
            let videos = try shell.loci(
                "embed", "--video", "clip", "--frame", "one", "--frame", "two", "--embedder",
                "runpod-vl-jepa", "--json", environment: environment)
            #expect(try numbers(videos).map { $0.firstIndex(of: 1) } == [7, 3], "\(videos.errors)")
            #expect(try numbers(videos).map(\.count) == [1_024, 1_024])
        }
    }

    @Test func `refuses what is none, is not there, or is not taken`() throws {
        try Shell.run { shell in
            let server = try LoopbackServer { request, _ in Self.answer(request) }
            let environment = Self.environment(shell, server)
            try write(Self.animal, to: "one.png", shell)
            try write([0xFF, 0xFE, 0x00], to: "none", shell)
            let siglip = ["--embedder", "runpod-siglip"]
            for (arguments, status, part) in [
                (["--image", "none"] + siglip, 1, "none is no PNG, JPEG or WebP"),
                (["--file", "none"] + siglip, 1, "none is no text in UTF-8"),
                (["--video", "one.png"] + siglip, 1, "one.png is no MP4"),
                (["--image", "gone.png"] + siglip, 2, "gone.png"),
                (["--frame", "one.png"] + siglip, 1, "--embedder runpod-vl-jepa"),
                (["--image", "one.png"], 1, "--embedder jina or --embedder runpod-siglip"),
                (["x", "--embedder", "runpod-vl-jepa"], 1, "embeds video, and no text"),
                (["--image", "one.png", "--lines", "none"], 64, "--lines"),
            ] as [([String], Int32, String)] {
                let answer = try shell.run(["embed"] + arguments, environment: environment)
                #expect(answer.status == status && answer.errors.contains(part), "\(arguments): \(answer)")
            }
        }
    }
}
