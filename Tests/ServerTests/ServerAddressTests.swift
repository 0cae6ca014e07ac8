import MemoryEngine
import Testing

@testable import Server

@Suite struct `The address of a server` {
    @Test(arguments: [
        ("host", ServerAddress.Place.host("host", port: 6_399), "host:6399"),
        ("127.0.0.1:7000", .host("127.0.0.1", port: 7_000), "127.0.0.1:7000"),
        ("[::1]:7000", .host("::1", port: 7_000), "[::1]:7000"),
        ("redis://host/0", .host("host", port: 6_399), "host:6399"),
        ("rediss://ada:p%40ss:word@host:1", .host("host", port: 1), "host:1"),
        ("unix:/run/loci", .socket("/run/loci"), "/run/loci"),
    ])
    func `is read as it is written`(text: String, place: ServerAddress.Place, shown: String) throws {
        let address = try ServerAddress(text)
        #expect(address.place == place)
        #expect(address.description == shown)
        #expect(address.isOverTLS == text.hasPrefix("rediss:"))
    }

    @Test func `holds a login, and never shows the password`() throws {
        let address = try ServerAddress("redis://ada:p%40ss:word@host")
        #expect(address.user == "ada")
        #expect(address.password == "p@ss:word")
        var dumped = ""
        dump(address, to: &dumped)
        for shown in ["\(address)", String(reflecting: address), dumped] {
            #expect(!shown.contains("p@ss"), "\(shown)")
        }
        #expect(try ServerAddress("redis://:word@host").user == "default")
        let other = try ServerAddress("host").loggingIn(with: "word")
        #expect(other.user == "default" && other.password == "word")
    }

    @Test(arguments: [
        "", ":7000", "host:0", "host:70000", "host:x", "http://host", "redis://word@", "ada:word@host",
        "redis://host/1", "unix:", "[::1", "redis://ada:%zz@host",
    ])
    func `is refused where it is none, without a word of a password`(text: String) {
        let error = #expect(throws: EngineError.self) { try ServerAddress(text) }
        #expect(error?.message.contains("word") != true)
    }
}
