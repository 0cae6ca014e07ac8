import TestSupport
import Testing

@testable import MemoryEngine

@Suite struct `A namespace` {
    @Test(arguments: [
        "project/atlas", "user/u-7", "agent/builder", "vectors/faces", "collective", "@acme",
        "@acme/project/atlas",
        "project/atlas/session/s1", "@acme/user/u/session/s", "@acme/collective", "project/@x",
        "@@x/project/y",
        "project/..", "project/.", "project/%2e%2e", "project/a b", "project/語", "project/+",
        "project/a.loci",
    ])
    func `reads back from its path`(path: String) throws {
        let namespace = try Namespace(path: path)
        #expect(namespace.description == path)
        #expect(try Namespace(path: namespace.description) == namespace)
    }

    @Test(arguments: [
        "", "/", "project", "project/", "/project/a", "project//a", "project/a/", "project/a/b",
        "project/a/session",
        "project/a/session/", "project/a/session/b/c", "project/a/sessions/b", "planet/a", "Project/a", "@",
        "@/project/a",
        "collective/x", "collective/session/s", "project/../../etc/passwd", "project/a\u{0}b", "project/a\nb",
        "project/a\u{7f}", "project/\u{85}", "..", "@acme/session/s",
    ])
    func `refuses a path that is none`(path: String) {
        #expect(throws: EngineError.self) { try Namespace(path: path) }
        do {
            _ = try Namespace(path: path)
        } catch {
            #expect((error as? EngineError)?.code == .invalidNamespace)
        }
    }

    @Test func `bounds a name at 128 bytes of normal form C`() throws {
        #expect(try Namespace(path: "project/" + String(repeating: "語", count: 42) + "ab").root != .tenant)
        #expect(throws: EngineError.self) {
            try Namespace(path: "project/" + String(repeating: "語", count: 43))
        }
        // 64 e with an accent of their own: 192 bytes as written, 128 in normal form.
        let name = String(repeating: "e\u{301}", count: 64)
        let namespace = try Namespace(path: "project/" + name)
        #expect(namespace == (try Namespace(path: "project/" + String(repeating: "\u{e9}", count: 64))))
        #expect(Array(namespace.description.utf8).count == 8 + 128)
    }

    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func `is told by the path of its file, which stays inside the store`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var files: [String: Namespace] = [:]
        for _ in 0..<300 {
            let scalars = (0..<1 + random.below(40)).map { _ in
                random.chance(0.5)
                    ? Unicode.Scalar(UInt32(0x20 + random.below(0x5f)))!
                    : random.pick(
                        ["é", "Ä", "ß", "語", "🙂", "%", ".", "+", "@", "\u{301}"] as [Unicode.Scalar])
            }
            let name = String(String.UnicodeScalarView(scalars.filter { $0 != "/" }))
            let tenant = random.chance(0.3) ? "@\(random.pick(["acme", "Acme", "%41cme", ".."]))/" : ""
            let path = tenant + random.pick(["project", "user", "agent", "vectors"]) + "/" + name
            guard let namespace = try? Namespace(path: path) else { continue }
            let file = namespace.relativePath + Engine.fileExtension
            #expect(Namespace(relativePath: file) == namespace)
            if let other = files[file.lowercased()] { #expect(other == namespace) }
            files[file.lowercased()] = namespace
            for part in file.split(separator: "/") {
                #expect(part.utf8.count <= 190 && part != ".." && part != ".")
            }
            #expect(file.utf8.allSatisfy { $0 < 0x80 })
        }
    }

    @Test(arguments: [
        "atlas.loci", "project/Atlas.loci", "project/%2E.loci", "project/a.loci-lock", "project/a.locix",
        "loci.store",
        "@acme.loci", "project/%zz.loci", "project/%2.loci", "project/a/session/b.loci", "project/%2f.loci",
        "project/%ff.loci", ".loci", "project/a+/b.loci",
    ])
    func `is not told by another file's path`(file: String) {
        #expect(Namespace(relativePath: file) == nil)
    }

    @Test func `keeps names apart that differ in case or look like escapes`() async throws {
        let store = try ScratchStore()
        let names = ["Atlas", "atlas", "%41tlas", "..", "%2e%2e", "a", "A"]
        for name in names { try await store.engine.remember("I am \(name)", in: .project(name)) }
        #expect(try store.engine.homes().map(\.description) == names.map { "project/\($0)" }.sorted())
        for name in names {
            let page = try await store.engine.list(in: .project(name))
            #expect(page.memories.map(\.content) == ["I am \(name)"])
        }
    }

    @Test func `contains itself, its sessions, and of a tenant the homes`() {
        let atlas = Namespace.project("atlas", tenant: "acme")
        #expect(atlas.contains(atlas.session("s")) && !atlas.session("s").contains(atlas))
        #expect(Namespace.tenant("acme").contains(atlas) && !Namespace.tenant("other").contains(atlas))
        #expect(!Namespace.project("atlas").contains(atlas))
        #expect(atlas.session("s").home == atlas && atlas.session("s").scope == .session)
    }
}
