import Foundation
import MemoryEngine
import Testing

@testable import loci

@Suite struct `A line of JSON Lines` {
    private let folder = URL(fileURLWithPath: "/srv/import")

    private func item(_ text: String, isLenient: Bool = false) throws -> ImportItem {
        try JSONLines.item(Array(text.utf8), line: 7, folder: folder, isLenient: isLenient)
    }

    private func draft(_ text: String) throws -> MemoryDraft { try #require(try item(text).draft) }

    @Test func `needs content only`() throws {
        #expect(try draft(#"{"content":"The deploy failed."}"#) == MemoryDraft("The deploy failed."))
        #expect(try item(#"{"content":"x"}"#).line == 7)
        #expect(try item(#"{"content":"x"}"#).namespace == nil)
    }

    @Test func `may say everything that a memory can`() throws {
        let text = #"""
            {"id":"ignored","content":"c","key":"k/1","namespace":"project/atlas/session/s1","kind":"event",
            "actor":"ci","thread":"deploys","happenedAt":{"from":"2024-05-06","until":"2024-05-06T12:00:00+02:00"},
            "validFrom":"2024-01-01","validUntil":"2025-01-01","expiresAt":4102444800,"tags":["a","b"],
            "keywords":["x"],"attributes":{"region":"eu-1","tries":3,"ok":false},"importance":0.75,"pinned":true,
            "origin":{"agent":"bot","model":"m","source":"log:81","trust":"verified","mayContribute":true},
            "vectors":{"mini@2/3/l2":[1,2.5,-3],"bge":[[1,0],[0,1]]}}
            """#
        let item = try item(text.replacing("\n", with: ""))
        var expected = MemoryDraft("c")
        expected.key = "k/1"
        expected.kind = .event
        expected.actor = "ci"
        expected.thread = "deploys"
        expected.happened =
            try #require(Timestamp("2024-05-06"))...#require(Timestamp("2024-05-06T10:00:00Z"))
        expected.valid = try #require(Timestamp("2024-01-01"))..<#require(Timestamp("2025-01-01"))
        expected.expires = Timestamp("2100-01-01")
        expected.tags = ["a", "b"]
        expected.keywords = ["x"]
        expected.attributes = ["region": "eu-1", "tries": 3, "ok": false]
        expected.importance = 0.75
        expected.isPinned = true
        expected.origin = Origin(
            agent: "bot", model: "m", source: "log:81", trust: .verified, mayContribute: true)
        let bge = EmbeddingSpace(model: "bge", dimension: 2)
        expected.embeddings = [
            Embedding(
                [1, 2.5, -3], in: EmbeddingSpace(model: "mini", revision: "2", dimension: 3, metric: .l2)),
            Embedding([1, 0], in: bge, part: 0), Embedding([0, 1], in: bge, part: 1),
        ]
        #expect(item.draft == expected)
        #expect(item.namespace == Namespace.project("atlas").session("s1"))
    }

    @Test(arguments: [
        (#""2024-05-06T07:08:09Z""#, "2024-05-06T07:08:09Z"), (#""2024-05-06""#, "2024-05-06T00:00:00Z"),
        ("1714979289", "2024-05-06T07:08:09Z"), ("1714979289.25", "2024-05-06T07:08:09.25Z"),
        ("1714979289250", "2024-05-06T07:08:09.25Z"), ("0", "1970-01-01T00:00:00Z"),
        ("-86400", "1969-12-31T00:00:00Z"),
    ])
    func `tells times in RFC 3339, seconds and milliseconds`(given: String, expected: String) throws {
        let happened = try draft(#"{"content":"x","happenedAt":\#(given)}"#).happened
        #expect(happened?.lowerBound.description == expected)
        #expect(happened?.upperBound == happened?.lowerBound)
    }

    @Test func `may be valid from or until a day only`() throws {
        #expect(try draft(#"{"content":"x","validFrom":"2024-01-01"}"#).valid?.upperBound == .distantFuture)
        #expect(try draft(#"{"content":"x","validUntil":"2024-01-01"}"#).valid?.lowerBound == .distantPast)
    }

    @Test func `keeps who wrote it elsewhere as its source`() throws {
        #expect(try draft(#"{"content":"x","origin":{"principal":"ann"}}"#).origin.source == "principal:ann")
        let both = try draft(#"{"content":"x","origin":{"principal":"ann","source":"s"}}"#)
        #expect(both.origin.source == "s")
    }

    @Test func `may have a vector or an attachment for content`() throws {
        #expect(try draft(#"{"vectors":{"m":[1,2]}}"#).content == "")
        #expect(try item(#"{"attachments":["a.png"]}"#).files.count == 1)
    }

    @Test(arguments: [
        ("[1]", "a memory is an object on a line of its own, and this is a list"),
        ("{ ", "on a line of its own"),
        (#"{"content":1}"#, "`content` is a number, and should be a string"),
        (#"{"key":"k"}"#, "it has no `content`"),
        (#"{"content":"x","hapenedAt":1}"#, "there is no field `hapenedAt`"),
        (#"{"content":"x","tags":"a"}"#, "`tags` is a string, and should be a list of strings"),
        (#"{"content":"x","tags":["a",2]}"#, "`tags[1]` is a number"),
        (#"{"content":"x","happenedAt":"yesterday"}"#, #"`happenedAt` is "yesterday", and no time"#),
        (#"{"content":"x","happenedAt":1e300}"#, "no time"),
        (#"{"content":"x","happenedAt":"2024-02-30"}"#, "no time"),
        (#"{"content":"x","happenedAt":{"from":1}}"#, "needs `from` and `until`"),
        (#"{"content":"x","happenedAt":{"from":2,"until":1}}"#, "ends before it begins"),
        (#"{"content":"x","validFrom":2,"validUntil":2}"#, "not after"),
        (#"{"content":"x","pinned":"yes"}"#, "true or false"),
        (#"{"content":"x","namespace":"project/../etc/x/y"}"#, "is not a namespace"),
        (#"{"content":"x","attributes":{"a":[1]}}"#, "`attributes.a` is a list"),
        (#"{"content":"x","origin":{"trust":"much"}}"#, "untrusted, known or verified"),
        (#"{"content":"x","origin":{"tust":"known"}}"#, "there is no field `origin.tust`"),
        (#"{"content":"x","vectors":{"m/3":[1,2]}}"#, "has 2 numbers, and its space 3"),
        (#"{"content":"x","vectors":{"m":[]}}"#, "not empty"),
        (#"{"content":"x","vectors":{"m/2/ip":[1,2]}}"#, "the metric cosine, innerProduct, l2"),
        (#"{"content":"x","vectors":{"m":[1,"2"]}}"#, "`vectors.m[1]` is a string"),
        (#"{"content":"x","vectors":{"m":[[1],2]}}"#, "is a number, and should be a list of numbers"),
        (#"{"content":"x","#, "no JSON: at byte 16"), (#"{"content":"x","content":"y"}"#, "stands twice"),
    ])
    func `is refused with its number, the field and why`(text: String, message: String) {
        let error = #expect(throws: ImportError.self) { try item(text) }
        #expect(error?.description.hasPrefix("line 7: ") == true)
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
        #expect(error?.isFatal == false)
    }

    @Test func `may have unknown fields, where the caller allows it`() throws {
        let text = #"{"content":"x","mood":"good","origin":{"y":1},"happenedAt":{"from":1,"until":2,"z":0}}"#
        #expect(try item(text, isLenient: true).draft?.content == "x")
    }

    @Test func `of an export is handed on as it is`() throws {
        let item = try item(#"{"id":"01890a5d-ac96-774b-bcce-b302099a8057","versions":[{"content":"x"}]}"#)
        guard case .exported(let value) = item.content else { throw Unexpected() }
        #expect(value["versions"]?.array?.count == 1)
    }

    @Test func `names attachments beside it, in it, and elsewhere`() throws {
        let digest = String(repeating: "0a", count: 32)
        let item = try item(
            #"{"content":"x","attachments":["img/a.png",{"path":"b.bin","name":"B","mediaType":"x/y"},"#
                + #"{"name":"c.txt","base64":"aGk="},{"address":"https://host.example/d.mp4","digest":"\#(digest)","size":9}]}"#
        )
        #expect(
            item.files == [
                ImportFile(name: "a.png", mediaType: nil, source: .path("/srv/import/img/a.png")),
                ImportFile(name: "B", mediaType: "x/y", source: .path("/srv/import/b.bin")),
                ImportFile(name: "c.txt", mediaType: nil, source: .bytes([0x68, 0x69])),
            ])
        let external = try #require(item.draft?.attachments.first)
        #expect(external.name == "d.mp4")
        #expect(external.digest == [UInt8](repeating: 10, count: 32))
        #expect(external.byteCount == 9)
    }

    @Test(arguments: [
        #""/etc/passwd""#, #""../x""#, #""a/../../x""#, #""""#, #"".""#, #"{"path":"a","base64":""}"#,
        #"{"name":"x"}"#,
        #"{"name":"x","base64":"*"}"#, #"{"base64":"aGk="}"#, #"{"address":"a:b","digest":"00","size":1}"#,
        "7",
        #"{"address":"a:b","digest":"\#(String(repeating: "0", count: 64))"}"#, #"{"path":"a","size":-1}"#,
    ])
    func `names no attachment outside of its folder, nor half of one`(attachment: String) {
        #expect(throws: ImportError.self) { try item(#"{"content":"x","attachments":[\#(attachment)]}"#) }
    }

    @Test func `has a digest of what it says, wherever it stands`() throws {
        let text = Array(#"{"content":"x"}"#.utf8)
        let digests = try (1...3).map { try JSONLines.item(text, line: $0, folder: folder).contentDigest }
        #expect(Set(digests).count == 1)
        #expect(digests[0] != (try item(#"{"content":"y"}"#).contentDigest))
    }
}

@Suite struct `A file of JSON Lines` {
    private func results(_ bytes: [UInt8]) throws -> [Result<ImportItem, ImportError>] {
        let folder = try TemporaryFolder()
        let path = try folder.write("x.jsonl", bytes)
        return Array(try ImportSource(path: path, name: "x", format: .jsonl).reader())
    }

    @Test func `goes on behind a wrong line, and skips empty ones`() throws {
        let text = "\u{FEFF}{\"content\":\"a\"}\r\n\n  \n{\"content\":}\n{\"content\":\"b\"}"
        let results = try results(Array(text.utf8))
        #expect(results.map { (try? $0.get())?.draft?.content } == ["a", nil, "b"])
        #expect(results.map { (try? $0.get())?.line } == [1, nil, 5])
        guard case .failure(let error) = results[1] else { throw Unexpected() }
        #expect(error.description == "line 4: no JSON: at byte 12: `}` where a value should be")
    }

    @Test func `names the line that is not UTF-8`() throws {
        let bytes =
            Array("{\"content\":\"a\"}\n{\"content\":\"".utf8) + [0xFF]
            + Array("\"}\n{\"content\":\"b\"}\n".utf8)
        let results = try results(bytes)
        guard results.count == 3, case .failure(let error) = results[1] else { throw Unexpected() }
        #expect(error.description == "line 2: no JSON: at byte 13: a string that is not UTF-8")
    }
}
