import Embedders
import MemoryEngine
import Testing

@testable import loci

@Suite struct `The settings of the command` {
    private func settings(_ environment: [String: String], _ file: String) throws -> Settings {
        Settings(environment: environment, file: try EnvironmentFile(Array(file.utf8)))
    }

    @Test func `are those of the environment, and of the file where that is silent`() throws {
        let found = try settings(
            ["JINA_API_KEY": "mine", "VOYAGE_API_KEY": "", "HOME": "/home/ada"],
            "JINA_API_KEY=file\nVOYAGE_API_KEY=file\nOPENAI_API_KEY=file\nHOME=/evil\nPATH=/evil\nhttps_proxy=evil\n"
                + "LOCI_MODEL=/evil\nLOCI_STORE=here\nLOCI_CAP_OPENAI_DOLLARS=2\n")
        #expect(
            found.values == [
                "JINA_API_KEY": "mine", "VOYAGE_API_KEY": "", "HOME": "/home/ada", "OPENAI_API_KEY": "file",
                "LOCI_STORE": "here", "LOCI_CAP_OPENAI_DOLLARS": "2",
            ])
        #expect(found.problem == nil)
        #expect(found.written == ["OPENAI_API_KEY", "LOCI_STORE", "LOCI_CAP_OPENAI_DOLLARS"])
        #expect(try settings([:], "JINA_API_KEY=\n").values.isEmpty)
    }

    @Test func `mean the environment's store or server, where the file names the other`() throws {
        let file = "LOCI_URL=redis://h:1\nLOCI_STORE=there\n"
        #expect(try settings(["LOCI_STORE": "here"], file).values == ["LOCI_STORE": "here"])
        #expect(try settings(["LOCI_URL": "redis://g:1"], file).values == ["LOCI_URL": "redis://g:1"])
        #expect(
            try settings(["LOCI_STORE": ""], file).values
                == ["LOCI_STORE": "", "LOCI_URL": "redis://h:1"])
    }

    @Test(arguments: [
        ("LOCI_PASSWORD", "LOCI_URL", "redis://ada@h:1"),
        ("LOCI_EMBEDDINGS_KEY", "LOCI_EMBEDDINGS_URL", "http://h:1/v1"),
        ("LOCI_REASONER_KEY", "LOCI_REASONER_URL", "http://h:1/v1"),
        ("RUNPOD_API_KEY", "RUNPOD_URL_BGE_M3", "http://h:1"),
        ("RUNPOD_API_KEY", "RUNPOD_ENDPOINT_SIGLIP", "http://h:1"),
    ])
    func `send no key of the environment to an address that the file alone names`(
        key: String, name: String, address: String
    ) throws {
        let key = (name: key, value: "secret-of-mine")
        #expect(try settings([key.name: key.value], "\(name)=\(address)\n").values[key.name] == nil)
        let both = "\(name)=\(address)\n\(key.name)=of-the-file\n"
        let ofFile = try settings([key.name: key.value], both)
        #expect(ofFile.values[key.name] == "of-the-file" && ofFile.written == [key.name, name])
        let own = [key.name: key.value, name: address]
        #expect(try settings(own, "\(name)=http://evil:1\n").values == own)
        // An id is one of the service's own endpoints.
        if key.name == "RUNPOD_API_KEY" {
            #expect(try settings([key.name: key.value], "\(name)=abc123\n").values[key.name] == key.value)
        }
    }

    @Test func `say why a key is not there`() throws {
        let found = try settings(
            ["RUNPOD_API_KEY": "secret-of-mine"], "RUNPOD_URL_BGE_M3=http://127.0.0.1:1\n")
        let error = #expect(throws: EngineError.self) { try found.services.embedder(of: .runpod) }
        #expect(error?.message.contains("write it there too") == true, "\(error?.message ?? "")")
        let server = try settings(
            ["LOCI_EMBEDDINGS_KEY": "secret-of-mine", "LOCI_EMBEDDINGS_MODEL": "m"],
            "LOCI_EMBEDDINGS_URL=http://127.0.0.1:1\nLOCI_EMBEDDINGS_DIMENSION=3\n")
        let refusal = #expect(throws: EngineError.self) { try server.services.embedder(of: .server) }
        #expect(refusal?.message.contains("write it there too") == true, "\(refusal?.message ?? "")")
    }

    @Test func `of a file with a bad line serve for no service, as a cap may stand there`() throws {
        let found = try settings(
            [:], "OPENAI_API_KEY=secret\nLOCI_CAP_OPENAI_DOLLARS: 2\n\"\nLOCI_STORE=here\n")
        #expect(found.problem == "lines 2, 3 of .env are not NAME=VALUE")
        #expect(found.values["LOCI_STORE"] == "here")
        let error = #expect(throws: EngineError.self) { try found.embedders(.openai) }
        #expect(error?.message == "openai is not used: lines 2, 3 of .env are not NAME=VALUE")
        #expect(try !found.embedders(.auto).others.contains { $0.space.model == "text-embedding-3-small" })
    }

    @Test func `all stand in the example of a file`() throws {
        let path = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/.env.example"
        let file = try #require(try EnvironmentFile.read(path))
        #expect(file.badLines.isEmpty && file.values.isEmpty)
        let text = String(decoding: file.bytes, as: UTF8.self)
        let named = text.split(separator: "\n").filter { $0.hasPrefix("# ") && $0.contains("=") }
            .map { String($0.dropFirst(2).prefix { $0 != "=" }) }
        #expect(named == Settings.names.map(\.name))
    }
}
