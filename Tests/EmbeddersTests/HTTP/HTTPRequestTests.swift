import Testing

@testable import Embedders

@Suite struct `A request` {
    private static let key = "sk-test-4f9b1c77d02e4a5cb6"

    @Test(arguments: [
        "https://api.example/v1": "api.example", "http://127.0.0.1:8080": "127.0.0.1:8080",
        "http://[::1]:80/a?b=c": "[::1]:80", "https://a-b.example?x": "a-b.example",
    ])
    func `names its host`(url: String, host: String) throws {
        #expect(try HTTPRequest(.get, url).host == host)
    }

    @Test(arguments: [
        "", "api.example/v1", "ftp://api.example/", "https://", "https:///v1", "file:///etc/passwd",
        "https://user:word@api.example/", "https://api.example\\@other.example/", "https://api.example/a b",
        "https://api.example/\r\nX: y", "https://exämple/",
    ])
    func `refuses what is no plain URL`(url: String) {
        #expect(throws: HTTPError.self) { try HTTPRequest(.get, url) }
    }

    @Test func `refuses a key in its URL, and says so without it`() throws {
        let credential = try HTTPCredential.bearer(Self.key)
        let error = #expect(throws: HTTPError.self) {
            try HTTPRequest(.get, "https://api.example/?key=\(Self.key)", credential: credential)
        }
        #expect(error?.message.contains("api.example") == true)
        #expect(error.map { "\($0)".contains(Self.key) } == false)
    }

    @Test(arguments: [
        HTTPHeader("X", "a\r\nY: b"), HTTPHeader("X: y\r\nZ", "a"), HTTPHeader("", "a"), HTTPHeader("X", ""),
    ])
    func `refuses a header that would be more than one line`(header: HTTPHeader) {
        #expect(throws: HTTPError.self) { try HTTPRequest(.get, "https://api.example/", headers: [header]) }
    }

    @Test(arguments: ["", "two words", "line\n", "schlüssel"])
    func `refuses a key that is none, and does not repeat it`(key: String) {
        let error = #expect(throws: HTTPError.self) { try HTTPCredential.bearer(key) }
        if !key.isEmpty { #expect(error?.message.contains(key) == false) }
    }

    @Test func `shows its key to nobody`() throws {
        let request = try HTTPRequest(
            .post, "https://api.example/v1", credential: .bearer(Self.key), body: Array("secret".utf8))
        var dumped = ""
        dump(request, to: &dumped)
        dump(try HTTPCredential.bearer(Self.key), to: &dumped)
        let texts = [
            "\(request)", String(reflecting: request), dumped, "\(request.credential as Any)",
            String(reflecting: [request.credential]),
        ]
        for text in texts { #expect(!text.contains(Self.key)) }
        #expect(dumped.contains("api.example"))
    }

    @Test func `is told apart by all that it asks, and by who asks`() throws {
        let one = try HTTPRequest(.post, "https://api.example/", credential: .bearer("one"), body: [1])
        #expect(try one == HTTPRequest(.post, "https://api.example/", credential: .bearer("one"), body: [1]))
        #expect(try one != HTTPRequest(.post, "https://api.example/", credential: .bearer("two"), body: [1]))
        #expect(try one != HTTPRequest(.post, "https://api.example/", credential: .bearer("one"), body: [2]))
        #expect(try one != HTTPRequest(.post, "https://api.example/a", credential: .bearer("one"), body: [1]))
        #expect(
            try one
                != HTTPRequest(
                    .post, "https://api.example/", headers: [HTTPHeader("A", "b")],
                    credential: .bearer("one"),
                    body: [1]))
    }

    @Test(arguments: [
        "key sk-test-4f9b1c77d02e4a5cb6 is wrong": "key [key] is wrong",
        "sk-test-4f9b********": "[key]********",
        "…2e4a5cb6": "…[key]",
        "4f9b1c7": "4f9b1c7",
        "sk-test-4f9b1c77d02e4a5cb6sk-test-4f9b1c77d02e4a5cb6": "[key]",
        "<html>\r\n <b>502\u{0}</b>": "<html> <b>502 </b>",
        "": "",
    ])
    func `gives an excerpt of an answer without the key or a part of it`(text: String, excerpt: String) throws
    {
        #expect(try HTTPCredential.excerpt(of: text.utf8, without: .bearer(Self.key)) == excerpt)
    }

    @Test func `cuts an excerpt`() throws {
        let text = String(repeating: "a", count: 5_000) + Self.key
        let excerpt = try HTTPCredential.excerpt(of: text.utf8, without: .bearer(Self.key))
        #expect(excerpt == String(repeating: "a", count: 300) + "…")
        #expect(HTTPCredential.excerpt(of: Array(text.utf8), without: nil, limit: 10) == "aaaaaaaaaa…")
        #expect(try HTTPCredential.excerpt(of: "key abc".utf8, without: .bearer("abc")) == "key [key]")
    }
}
