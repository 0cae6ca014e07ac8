import Testing

private func file(_ path: String, _ text: String) -> SourceFile { SourceFile(path: path, text: text) }

@Suite struct `The check of imports` {
    private func complaints(_ path: String, _ text: String) -> [String] {
        complaintsAboutImports(in: [file(path, text)])
    }

    @Test func `lets a target import what is below it`() {
        #expect(complaints("Sources/Store/Table.swift", "import CLMDB\nimport Synchronization\n").isEmpty)
        #expect(complaints("Sources/loci/Recall.swift", "import MemoryEngine\nimport ArgumentParser").isEmpty)
    }

    @Test(arguments: [
        "import HNSW", "internal import HNSW", "@preconcurrency import HNSW",
        "  @testable public import HNSW",
        "import struct HNSW.Neighbor", "let a = 1; import HNSW", "#if X\n    import HNSW\n#endif",
        "import `HNSW`",
        "@_spi(Inner) import HNSW",
    ])
    func `refuses an import of what is above`(text: String) {
        #expect(complaints("Sources/Store/Table.swift", text).count == 1)
    }

    @Test(arguments: [
        "// import HNSW", "/* import HNSW\n /* */ import HNSW */", "let a = \"import HNSW\"",
        "let a = \"\"\"\n    import HNSW\n    \"\"\"", "let a = #\"\" import HNSW\"#",
        "let a = \"\\(b[\"\"]) import HNSW\"", "func `import HNSW`() {}", "case .import, important(HNSW)",
    ])
    func `is not taken in by comments, strings and names`(text: String) {
        #expect(complaints("Sources/Store/Table.swift", text).isEmpty)
    }

    @Test func `names the file, the line and the module`() {
        let found = complaints("Sources/HNSW/Search.swift", "// one\nimport Store\nimport MemoryEngine\n")
        #expect(found.count == 1)
        #expect(found.first?.contains("Sources/HNSW/Search.swift:3") == true)
        #expect(found.first?.contains("MemoryEngine") == true)
    }

    @Test func `asks for the floor of a new target, once`() {
        let found = complaintsAboutImports(in: [
            file("Sources/Novel/A.swift", "import Store"), file("Sources/Novel/B.swift", "import Store"),
        ])
        #expect(found.count == 1)
        #expect(found.first?.contains("Floors.swift") == true)
    }

    @Test(arguments: ["CLMDB", "CChecksum", "CCrypto", "CKernels", "COpenBLAS", "CCurl"])
    func `gives a C library to one target alone, even if a list allows more`(module: String) {
        let all = Set(Floors.imports.keys)
        let found = complaintsAboutImports(
            in: [file("Sources/loci/Main.swift", "import \(module)")], allowed: ["loci": all])
        #expect(found.count == 1)
        #expect(found.first?.contains("only") == true)
    }

    @Test func `keeps Foundation out of the words`() {
        #expect(complaints("Sources/MemoryEngine/Engine.swift", "import Foundation").isEmpty)
        #expect(complaints("Sources/MemoryEngine/Words/Stem.swift", "import Foundation").count == 1)
        #expect(complaints("Sources/MemoryEngine/Wordsmith/Stem.swift", "import Foundation").isEmpty)
    }

    @Test func `names each target's floor with modules that are below`() {
        for (target, modules) in Floors.imports {
            for module in modules where Floors.imports[module] != nil {
                #expect(Floors.imports[module]?.contains(target) == false, "\(target) and \(module)")
            }
        }
    }
}

@Suite struct `The check of pointers` {
    @Test(arguments: [
        "let a: UnsafePointer<Int>", "var b: UnsafeMutableRawBufferPointer", "func f(_ a: OpaquePointer)",
        "bytes.withUnsafeBytes { _ in }", "withUnsafeMutablePointer(to: &x) { _ in }",
        "Unmanaged.passRetained(x)",
    ])
    func `refuses a pointer outside the store, the index and the local encoder`(text: String) {
        let justified = "// Safe because it is a sample.\n" + text
        #expect(complaintsAboutPointers(in: [file("Sources/Embedders/A.swift", justified)]).count == 1)
        #expect(complaintsAboutPointers(in: [file("Sources/Embedders/Local/A.swift", justified)]).isEmpty)
        #expect(complaintsAboutPointers(in: [file("Sources/MemoryEngine/A.swift", justified)]).count == 1)
        #expect(complaintsAboutPointers(in: [file("Sources/Store/A.swift", justified)]).isEmpty)
        #expect(complaintsAboutPointers(in: [file("Tests/StoreTests/A.swift", justified)]).isEmpty)
    }

    @Test(arguments: [
        "// an UnsafePointer", "let a = \"UnsafePointer\"", "withUnsafeContinuation {}",
        "var unsafeBytes = 1",
    ])
    func `is not taken in by what is no pointer`(text: String) {
        #expect(complaintsAboutPointers(in: [file("Sources/MemoryEngine/A.swift", text)]).isEmpty)
    }

    @Test func `asks why what is unsafe is safe`() {
        let bare = "let a = unsafe b()"
        #expect(complaintsAboutPointers(in: [file("Sources/Store/A.swift", bare)]).count == 1)
        #expect(
            complaintsAboutPointers(in: [file("Sources/Store/A.swift", "// Safe because.\n" + bare)]).isEmpty)
    }

    @Test func `lets an exception pass, and asks for it to be taken away when its file is gone`() {
        let files = [file("Sources/loci/A.swift", "let a: UnsafePointer<Int>")]
        #expect(complaintsAboutPointers(in: files, except: ["Sources/loci/A.swift": "a sample"]).isEmpty)
        #expect(complaintsAboutPointers(in: [], except: ["Sources/loci/A.swift": "a sample"]).count == 1)
    }
}

@Suite struct `The check for sanitizers` {
    @Test(
        arguments: [
            "import Synchronization", "package import Synchronization", "import `Synchronization`",
            "import struct Synchronization.Mutex", "@preconcurrency import Synchronization // atomics",
        ], ["Sources/Store/A.swift", "Tests/StoreTests/A.swift", "Benchmarks/A.swift"])
    func `refuses the mutex that ThreadSanitizer does not see, in tests too`(text: String, path: String) {
        #expect(complaintsAboutSanitizers(in: [file(path, text)]).count == 1)
    }

    @Test func `refuses the random generator that it fails on`() {
        let text = "var random = SystemRandomNumberGenerator()"
        #expect(complaintsAboutSanitizers(in: [file("Sources/MemoryEngine/A.swift", text)]).count == 1)
    }

    @Test(arguments: [
        "import struct Synchronization.Atomic", "import protocol Synchronization.AtomicRepresentable",
        "// import Synchronization", "import SynchronizationTests", "let a = \"import Synchronization\"",
        "// SystemRandomNumberGenerator", "var random: some RandomNumberGenerator",
    ])
    func `lets other things pass`(text: String) {
        #expect(complaintsAboutSanitizers(in: [file("Sources/Store/A.swift", text)]).isEmpty)
    }
}

@Suite struct `The check of documentation` {
    @Test(arguments: [
        "public func recall() {}", "public struct Hit {}", "    public indirect enum Filter {}",
        "@discardableResult public static func f() -> Int", "public typealias `Self` = Int",
        "// not a doc comment\npublic enum A {}", "/// Of another.\n\npublic enum A {}",
    ])
    func `refuses a public type or function without a doc comment`(text: String) {
        #expect(complaintsAboutDocumentation(in: [file("Sources/Store/A.swift", text)]).count == 1)
        #expect(complaintsAboutDocumentation(in: [file("Tests/StoreTests/A.swift", text)]).isEmpty)
    }

    @Test(arguments: [
        "/// Asks.\npublic func recall() {}", "/// Asks.\n@available(*, deprecated)\npublic func recall() {}",
        "func recall() {}", "public extension Hit {}", "    public let score: Float",
        "let a = \"public func f()\"", "    public static func < (a: A, b: A) -> Bool",
        "    public init(a: Int)",
        "    public func hash(into hasher: inout Hasher)",
    ])
    func `lets pass what is documented, explains itself, or is not public`(text: String) {
        #expect(complaintsAboutDocumentation(in: [file("Sources/Store/A.swift", text)]).isEmpty)
    }
}

@Suite struct `The check of words` {
    @Test(arguments: ForbiddenWords.unfinished + ForbiddenWords.hosts + ForbiddenWords.folders)
    func `refuses each forbidden word`(word: String) {
        let found = complaintsAboutWords(in: [file("docs/a.md", "one\n// \(word): later\n")])
        #expect(found.contains { $0.hasPrefix("docs/a.md:2") })
    }

    @Test func `refuses the host of a registry that it has never heard of`() {
        let host = "registry." + "internal.corp"
        #expect(complaintsAboutWords(in: [file("scripts/a", "fetch https://\(host)/x")]).count == 1)
    }

    @Test(arguments: [
        "hacking", "a todo list", "registry.example.com", "the registry. Then", "XXXL", "network/mainland",
    ])
    func `lets other words pass`(text: String) {
        #expect(complaintsAboutWords(in: [file("docs/a.md", text)]).isEmpty)
    }
}

@Suite struct `The check of folders` {
    @Test func `refuses a folder that is named for nothing, however deep`() {
        #expect(complaintsAboutFolders(in: ["Sources/Store/Utils/A.swift"]).count == 1)
        #expect(complaintsAboutFolders(in: ["Sources/common/A.swift", "Sources/common/B.swift"]).count == 1)
        #expect(complaintsAboutFolders(in: ["Sources/A/B/Helpers/C/D.swift"]).count == 1)
    }

    @Test func `lets other names pass`() {
        #expect(
            complaintsAboutFolders(in: ["Sources/Store/Utils.swift", "Tests/Utils/A.swift", "Sources/Store"])
                .isEmpty)
    }
}

@Suite struct `The check of length` {
    private let three = file("Sources/Store/A.swift", "a\nb\nc\n")

    @Test func `counts lines, and refuses one too many`() {
        #expect(complaintsAboutLength(in: [three], atMost: 3, except: [:]).isEmpty)
        #expect(complaintsAboutLength(in: [three], atMost: 2, except: [:]).count == 1)
        #expect(complaintsAboutLength(in: [file("docs/a.md", "a\nb\nc\n")], atMost: 2, except: [:]).isEmpty)
    }

    @Test func `lets an exception pass, and asks for it to be taken away when it is none`() {
        let exceptions = ["Sources/Store/A.swift": "a sample"]
        #expect(complaintsAboutLength(in: [three], atMost: 2, except: exceptions).isEmpty)
        #expect(complaintsAboutLength(in: [three], atMost: 3, except: exceptions).count == 1)
    }
}

@Suite struct `The check of links` {
    private func complaints(_ text: String, at path: String = "docs/a.md") -> [String] {
        let other = file("docs/b.md", "# One idea\n\n## The `Table`, again\n\n## One idea\n")
        let paths: Set<String> = ["docs", "docs/a.md", "docs/b.md", "README.md", "Sources/Store/A b.swift"]
        return complaintsAboutLinks(in: [file(path, text), other], among: paths)
    }

    @Test(arguments: [
        "[a](b.md)", "[a](../README.md)", "[a](/README.md)", "[a](./b.md#one-idea)",
        "[a](b.md#the-table-again)",
        "[a](b.md#one-idea-1)", "[a](../docs/)", "[a](https://example.org/x)", "[a](mailto:a@example.org)",
        "![a](../Sources/Store/A%20b.swift \"title\")", "`[a](none.md)`", "```\n[a](none.md)\n```",
        "# Here\n[a](#here)", "[a]: b.md",
    ])
    func `lets a link pass that leads somewhere, or is none`(text: String) {
        #expect(complaints(text) == [])
    }

    @Test(arguments: [
        "[a](none.md)", "[a](../b.md)", "[a](../../shared/a.md)", "[a](b.md#nothing)", "[a](#here)",
        "![a](a.png)",
        "[a]: none.md", "`code` and [a](none.md)", "```\ncode\n```\n[a](none.md)",
    ])
    func `refuses a link that leads nowhere`(text: String) {
        #expect(complaints(text).count == 1)
    }
}

@Suite struct `The check of documented code` {
    private func complaints(_ page: String) -> [String] {
        complaintsAboutCode(in: [
            file(
                "Examples/Sources/A/main.swift", "let a = 1\nfor b in 0..<a {\n    print(b)\n}\nlet c = 2\n"),
            file("Sources/A/A.docc/Page.md", page),
        ])
    }

    @Test func `lets code pass that stands in an example, and what is no Swift`() {
        #expect(
            complaints("# A\n\n```swift\nfor b in 0..<a {\n    print(b)\n}\n```\n\n```sh\nls\n```\n") == [])
    }

    @Test(arguments: ["let d = 1\n", "for b in 0..<a {\n    print(a)\n}\n", "let a = 1\nlet c = 2\n", ""])
    func `refuses code that nobody compiles`(code: String) {
        #expect(complaints("```swift\n\(code)```\n").count == 1)
    }
}
