import Foundation
import MemoryEngine
import TestSupport
import Testing

@testable import Embedders

@Suite struct `Settings of services` {
    private static let all = [
        "OPENAI_API_KEY": "sk-secret-1", "JINA_API_KEY": "jina-secret-2", "VOYAGE_API_KEY": "pa-secret-3",
        "LOCI_EMBEDDINGS_URL": "http://127.0.0.1:1/v1", "LOCI_EMBEDDINGS_MODEL": "tiny",
        "LOCI_EMBEDDINGS_DIMENSION": "3", "RUNPOD_API_KEY": "rpa_secret-4",
        "RUNPOD_ENDPOINT_BGE_M3": "abc123",
        "RUNPOD_URL_SIGLIP": "def456", "RUNPOD_ENDPOINT_VL_JEPA": "ghi789",
    ]
    private static let spaces = [
        "openai": "text-embedding-3-small/1536/cosine", "jina": "jina-embeddings-v4/1024/cosine",
        "voyage": "voyage-code-3/1024/cosine", "server": "tiny/3/cosine", "runpod": "BAAI/bge-m3/1024/cosine",
        "runpod-siglip": "google/siglip2-so400m-patch14-384/1152/cosine",
        "runpod-vl-jepa": "facebook/vjepa2-vitl-fpc64-256/1024/cosine",
    ]

    @Test func `choose the service that is named, and no other`() throws {
        for preference in AvailableEmbedders.Preference.allCases {
            guard let space = Self.spaces[preference.rawValue] else { continue }
            let found = try AvailableEmbedders(preferring: preference, environment: Self.all)
            #expect(found.embedder?.space.name == space)
            #expect(found.isService && found.summary.contains("over the network"))
            #expect(
                Set(found.others.map(\.space.name))
                    == Set(Self.spaces.values).subtracting([space]).union([HashEmbedder().space.name]))
        }
        for preference in [AvailableEmbedders.Preference.auto, .hash] {
            let found = try AvailableEmbedders(preferring: preference, environment: Self.all)
            #expect(found.embedder?.space == HashEmbedder().space && !found.isService)
            // Homes that have their vectors from them already.
            #expect(Set(found.others.map(\.space.name)) == Set(Self.spaces.values))
        }
        #expect(try AvailableEmbedders(preferring: .none, environment: Self.all).others.isEmpty)
        #expect(try AvailableEmbedders(preferring: .auto, environment: [:]).others.isEmpty)
    }

    @Test(arguments: [
        ("openai", "OPENAI_API_KEY"), ("jina", "JINA_API_KEY"), ("voyage", "VOYAGE_API_KEY"),
        ("server", "LOCI_EMBEDDINGS_URL"), ("server", "LOCI_EMBEDDINGS_MODEL"),
        ("server", "LOCI_EMBEDDINGS_DIMENSION"), ("runpod", "RUNPOD_API_KEY"),
        ("runpod", "RUNPOD_ENDPOINT_BGE_M3"),
    ])
    func `name what is missing`(service: String, name: String) throws {
        let preference = try #require(AvailableEmbedders.Preference(rawValue: service))
        for value in [nil, ""] {
            var environment = Self.all
            environment[name] = value
            let error = #expect(throws: EngineError.self) {
                try AvailableEmbedders(preferring: preference, environment: environment)
            }
            #expect(error?.code == .invalid && error?.message.contains(name) == true)
            let space = Self.spaces[service]
            #expect(
                try !AvailableEmbedders(environment: environment).others.contains { $0.space.name == space })
        }
    }

    @Test(arguments: [
        ("LOCI_EMBEDDINGS_DIMENSION", "0"), ("LOCI_EMBEDDINGS_DIMENSION", "9000"),
        ("LOCI_EMBEDDINGS_DIMENSION", "three"), ("LOCI_EMBEDDINGS_URL", "ftp://secret-host"),
        ("LOCI_EMBEDDINGS_URL", "secret-host"), ("LOCI_EMBEDDINGS_URL", "http://secret/v1?a=b"),
        ("LOCI_EMBEDDINGS_URL", "http://secret/v1#a"), ("LOCI_EMBEDDINGS_SHAPE", "secret-shape"),
        ("LOCI_EMBEDDINGS_MODEL", "secret@"), ("LOCI_EMBEDDINGS_MODEL", String(repeating: "m", count: 400)),
        ("LOCI_EMBEDDINGS_KEY", "a secret key"),
    ])
    func `refuse what is none, and stop nobody who does without`(name: String, value: String) throws {
        var environment = Self.all
        environment[name] = value
        let error = #expect(throws: EngineError.self) {
            try AvailableEmbedders(preferring: .server, environment: environment)
        }
        #expect(error?.message.contains("secret") == false, "\(error?.message ?? "")")
        let found = try AvailableEmbedders(environment: environment)
        #expect(!found.others.contains { $0.space.name == "tiny/3/cosine" } && found.others.count == 6)
    }

    @Test func `say why nothing makes vectors in a space`() throws {
        func absence(_ model: String, _ dimension: Int, _ changes: [String: String]) throws -> String? {
            let environment = Self.all.merging(changes) { $1 }
            return try AvailableEmbedders(environment: environment).absence(
                of: EmbeddingSpace(model: model, dimension: dimension))
        }
        #expect(
            try absence("text-embedding-3-small", 1_536, ["OPENAI_API_KEY": ""])?.contains("OPENAI_API_KEY")
                == true)
        #expect(
            try absence("BAAI/bge-m3", 1_024, ["RUNPOD_QUESTIONS_WAIT": "perhaps"])?
                .contains("RUNPOD_QUESTIONS_WAIT") == true)
        #expect(
            try absence("tiny", 3, ["LOCI_EMBEDDINGS_SHAPE": "round"])?.contains("LOCI_EMBEDDINGS_SHAPE")
                == true)
        #expect(try absence("tiny", 3, [:]) == "say --embedder server")
        // Which setting is of another space, and both values.
        #expect(
            try absence("another", 3, [:])
                == "LOCI_EMBEDDINGS_MODEL is `tiny`, and the space is of `another`")
        #expect(
            try absence("another", 4, ["LOCI_EMBEDDINGS_DIMENSION": "many"])
                == "LOCI_EMBEDDINGS_MODEL is `tiny`, and the space is of `another`; LOCI_EMBEDDINGS_DIMENSION is not a whole number "
                + "from 1 to 8192, and the space has 4")
        #expect(
            try absence("tiny", 4, ["LOCI_EMBEDDINGS_MODEL": ""])
                == "LOCI_EMBEDDINGS_MODEL is not set, and the space is of `tiny`; LOCI_EMBEDDINGS_DIMENSION is 3, and the space has 4"
        )
        #expect(
            try absence("tiny", 3, ["LOCI_EMBEDDINGS_MODEL": "", "LOCI_EMBEDDINGS_DIMENSION": ""]) == nil)
        let wrong = try AvailableEmbedders(
            environment: Self.all.merging(["LOCI_EMBEDDINGS_SHAPE": "round", "JINA_API_KEY": ""]) { $1 })
        #expect(wrong.wrong.count == 1 && wrong.wrong[0].contains("LOCI_EMBEDDINGS_SHAPE"))
        #expect(try AvailableEmbedders(environment: Self.all).wrong.isEmpty)
    }

    @Test(arguments: [
        "LOCI_EMBEDDINGS_URL", "LOCI_REASONER_URL", "RUNPOD_URL_SIGLIP", "RUNPOD_ENDPOINT_BGE_M3",
    ])
    func `take no URL with what would stand before a path`(name: String) throws {
        for (url, part) in [
            ("https://secret/v1?version=2", "no `?`"), ("https://secret/v1#a", "no `#`"),
        ] {
            var environment = Self.all.merging(["LOCI_REASONER_MODEL": "m"]) { $1 }
            environment[name] = url
            let settings = ServiceSettings(environment: environment)
            let error = #expect(throws: EngineError.self) {
                switch name {
                case "LOCI_REASONER_URL": _ = try settings.reasoner(of: .server)
                case "LOCI_EMBEDDINGS_URL": _ = try settings.embedder(of: .server)
                case "RUNPOD_URL_SIGLIP": _ = try settings.embedder(of: .siglip)
                default: _ = try settings.embedder(of: .runpod)
                }
            }
            let message = error?.message ?? ""
            #expect(message.hasPrefix(name) && message.contains(part) && !message.contains("secret"))
            #expect(throws: EngineError.self) { try ServiceSettings.check(name, url) }
            #expect(throws: EngineError.self) {
                try OpenAIEmbedder(url: url, space: EmbeddingSpace(model: "m", dimension: 1))
            }
            #expect(throws: EngineError.self) {
                try RunPodEmbedder(queue: url, key: nil, space: EmbeddingSpace(model: "m", dimension: 1))
            }
        }
    }

    @Test func `give one embedder of a space`() throws {
        var environment = Self.all
        environment["LOCI_EMBEDDINGS_MODEL"] = "BAAI/bge-m3"
        environment["LOCI_EMBEDDINGS_DIMENSION"] = "1024"
        let found = try AvailableEmbedders(preferring: .runpod, environment: environment)
        #expect(found.others.count == 6 && !found.others.contains { $0.space == found.embedder?.space })
    }

    @Test(arguments: [
        ("LOCI_CAP_OPENAI_DOLLARS", "1.50", true), ("LOCI_CAP_OPENAI_TOKENS", "0", true),
        ("LOCI_CAP_JINA_TOKENS", "1000", true), ("LOCI_CAP_OPENAI_DOLLARS", "", true),
        ("LOCI_CAP_OPENAI_DOLLARS", "-1", false), ("LOCI_CAP_OPENAI_DOLLARS", "much", false),
        ("LOCI_CAP_OPENAI_DOLLARS", "inf", false), ("LOCI_CAP_OPENAI_TOKENS", "1.5", false),
        ("LOCI_CAP_VOYAGE_TOKENS", "-1", false),
        ("LOCI_CAP_RUNPOD_SECONDS", "3.5", true), ("LOCI_CAP_RUNPOD_SECONDS", "inf", false),
        ("LOCI_CAP_RUNPOD_DOLLARS", "1", true), ("LOCI_CAP_RUNPOD_TOKENS", "1", false),
        // These could not hold: prices are not known, nobody has this name.
        ("LOCI_CAP_JINA_DOLLARS", "1", false), ("LOCI_CAP_SERVER_DOLLARS", "1", false),
        ("LOCI_CAP_OPENAPI_DOLLARS", "1", false),
        ("LOCI_CAP_", "1", false),
    ])
    func `take caps that can hold, and no service where one cannot`(
        name: String, value: String, holds: Bool
    )
        throws
    {
        var environment = Self.all.merging(["HOME": "/nowhere", name: value]) { $1 }
        func isTaken() -> Bool { (try? ServiceSettings(environment: environment).ledger()) != nil }
        #expect(isTaken() == holds)
        for service in [ServiceSettings.Service.openai, .jina, .voyage, .server] {
            let embedder = try? ServiceSettings(environment: environment).embedder(of: service)
            #expect((embedder != nil) == holds, "\(service)")
        }
        environment["HOME"] = nil
        // A cap of a day is kept by a file.
        #expect(isTaken() == (holds && value.isEmpty))
    }

    @Test func `count costs where the environment has its state`() {
        for (environment, path) in [
            (["XDG_STATE_HOME": "/s", "HOME": "/h"], "/s/loci/costs.json"),
            (["XDG_STATE_HOME": "s", "HOME": "/h"], "/h/.local/state/loci/costs.json"),
            (["HOME": "/h"], "/h/.local/state/loci/costs.json"), (["HOME": ""], nil), ([:], nil),
        ] as [([String: String], String?)] {
            #expect(ServiceSettings(environment: environment).costsPath == path)
        }
    }

    @Test(arguments: [(nil, false), ("", false), ("false", false), ("true", true)] as [(String?, Bool)])
    func `let a question wait in a queue of RunPod where they say so`(
        value: String?, waits: Bool
    ) async throws {
        let vector = [String](repeating: "1", count: 1_024).joined(separator: ",")
        let output = #"{"model":"BAAI/bge-m3","dimension":1024,"vectors":[[\#(vector)]]}"#
        let asked = Mutex<[String]>([])
        let server = try LoopbackServer { request, _ in
            asked.withLock { $0.append(String(request.head.prefix { $0 != "?" })) }
            return LoopbackServer.reply(
                "200 OK",
                #"{"id":"j","status":"COMPLETED","output":\#(output)}"#)
        }
        var environment = Self.all
        environment["RUNPOD_ENDPOINT_BGE_M3"] = server.url("")
        environment["RUNPOD_QUESTIONS_WAIT"] = value
        let embedder = try ServiceSettings(environment: environment).embedder(of: .runpod)
        if waits {
            #expect(try await embedder.embed([.text("a")], for: .query).first?.count == 1_024)
            #expect(asked.withLock { $0 } == ["POST /runsync"])
        } else {
            let error = await #expect(throws: EngineError.self) {
                try await embedder.embed([.text("a")], for: .query)
            }
            #expect(error?.message.contains("RUNPOD_QUESTIONS_WAIT=true") == true)
            #expect(asked.withLock { $0.isEmpty })
        }
    }

    @Test func `let no question wait by a word that is neither`() {
        let environment = Self.all.merging(["RUNPOD_QUESTIONS_WAIT": "perhaps"]) { $1 }
        let error = #expect(throws: EngineError.self) {
            try ServiceSettings(environment: environment).embedder(of: .runpod)
        }
        #expect(error?.code == .invalid && error?.message.contains("RUNPOD_QUESTIONS_WAIT") == true)
    }

    @Test func `make a server of TEI's shape`() async throws {
        let server = try LoopbackServer { request, _ in
            if request.head.hasPrefix("GET /info ") {
                return LoopbackServer.reply("200 OK", #"{"model_id":"tiny"}"#)
            }
            guard request.head.hasPrefix("POST /embed ") else { return LoopbackServer.reply("404 Not Found") }
            return LoopbackServer.reply("200 OK", "[[0,3,4]]")
        }
        var environment = Self.all
        environment["LOCI_EMBEDDINGS_URL"] = server.url("")
        environment["LOCI_EMBEDDINGS_SHAPE"] = "tei"
        let found = try AvailableEmbedders(preferring: .server, environment: environment)
        #expect(try await found.embedder?.embed([.text("a")], for: .query) == [[0, 0.6, 0.8]])
    }
}

@Suite struct `The health of an embedder on RunPod` {
    private static let key = "rpa_secret-0123456789"

    /// One that waits as long as it takes: nobody turns its clock.
    private static func embedder(
        queue: String? = nil, loadBalancer: String? = nil, space: EmbeddingSpace
    ) throws -> RunPodEmbedder {
        let client = HTTPClient(over: try CurlTransport(), clock: TurnedHTTPClock())
        return try RunPodEmbedder(
            queue: queue.map { try RunPodEndpoint($0, key: key, client: client) },
            loadBalancer: loadBalancer.map { try RunPodLoadBalancer($0, key: key, client: client) },
            space: space)
    }

    @Test(arguments: [
        ("200 OK", #"{"workers":{"idle":1}}"#, EmbedderHealth.State.ready, "has workers"),
        ("200 OK", #"{"workers":{"initializing":1}}"#, .loading, "starts"),
        ("200 OK", #"{"workers":{"idle":0}}"#, .loading, "unless the endpoint sleeps"),
        ("200 OK", #"{"workers":{"throttled":1}}"#, .failing, "no free GPU"),
        ("200 OK", #"{"workers":{"unhealthy":1}}"#, .failing, "logs"),
        ("200 OK", "<html>", .failing, "no health"),
        ("401 Unauthorized", #"{"error":"no key \#(key)"}"#, .wrongKey, "refuses the key"),
        ("404 Not Found", "", .failing, "does not exist"),
    ])
    func `is what its queue says, unless the load balancer is worse`(
        status: String, body: String, state: EmbedderHealth.State, part: String
    ) async throws {
        let server = try LoopbackServer { request, _ in
            request.head.hasPrefix("GET /health ")
                ? LoopbackServer.reply(status, body)
                : LoopbackServer.reply(request.head.hasPrefix("GET /b/ping ") ? "204 No Content" : "200 OK")
        }
        let space = EmbeddingSpace(model: "m", dimension: 3)
        let alone = try Self.embedder(queue: server.url(), space: space)
        let health = await alone.health()
        #expect(health.state == state && health.message.contains(part), "\(health)")
        #expect(!health.message.contains("secret"))
        let both = try Self.embedder(queue: server.url(), loadBalancer: server.url("/b"), space: space)
        let worse = await both.health()
        #expect(worse.state == (state == .ready ? .loading : state))
        #expect(worse.message.contains(part) && worse.message.contains("/b starts workers"), "\(worse)")
        let balancer = try Self.embedder(loadBalancer: server.url("/a"), space: space)
        #expect(await balancer.health().state == .ready)
    }

    @Test func `is that it is not reached, where nobody listens`() async throws {
        let port = try LoopbackServer { _, _ in nil }.port
        let gone = try RunPodEmbedder(
            queue: "http://127.0.0.1:\(port)", key: Self.key, space: EmbeddingSpace(model: "m", dimension: 3))
        #expect(await gone.health().state == .unreachable)
    }
}
