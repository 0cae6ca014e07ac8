import Testing

/// Reads the repository, and holds it to what a machine can hold it to. Each check is a function from
/// files to complaints; `CheckTests` shows on small samples that each can fail.
@Suite struct `The tree` {
    let tree: SourceTree

    init() throws { tree = try SourceTree.here.get() }

    @Test func `is the repository's`() {
        #expect(tree.paths.contains("Package.swift"))
        #expect(tree.files.contains { $0.target == "Store" })
        #expect(tree.files.contains { $0.path == "README.md" })
    }

    @Test func `imports only downwards`() {
        report(complaintsAboutImports(in: tree.files))
    }

    @Test func `keeps pointers where unsafe code lives, and says why they are safe`() {
        report(complaintsAboutPointers(in: tree.files))
    }

    @Test func `does nothing that misleads ThreadSanitizer`() {
        report(complaintsAboutSanitizers(in: tree.files))
    }

    @Test func `documents what is public`() {
        report(complaintsAboutDocumentation(in: tree.files))
    }

    @Test func `holds no unfinished work and no other machine's names`() {
        report(complaintsAboutWords(in: tree.files))
    }

    @Test func `names folders for what they are about`() {
        report(complaintsAboutFolders(in: tree.paths))
    }

    @Test func `has one idea in a file`() {
        report(complaintsAboutLength(in: tree.files))
    }

    @Test func `has documents whose links lead somewhere`() {
        report(complaintsAboutLinks(in: tree.files, among: tree.paths))
    }

    @Test func `has documentation whose code is compiled`() {
        #expect(tree.files.contains { $0.path.contains(".docc/") })
        report(complaintsAboutCode(in: tree.files))
    }

    private func report(_ complaints: [String], at place: SourceLocation = #_sourceLocation) {
        for complaint in complaints { Issue.record(Comment(rawValue: complaint), sourceLocation: place) }
    }
}
