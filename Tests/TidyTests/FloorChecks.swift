// Word boundaries below are the simple kind: by default "a.b" is one word, as Unicode has it.

/// The modules that a Swift file imports, in order, each with its line number from 1.
func imports(of file: SourceFile) -> [(module: String, line: Int)] {
    // `import` is a keyword: in code it stands only at the head of an import, behind attributes and an
    // access level; `import struct Foundation.Data` names the module before the dot.
    let statement =
        #/
        \bimport\s+ (?: (?:typealias|struct|class|enum|protocol|let|var|func) \s+ )? `?(\w+)
        /#.wordBoundaryKind(.simple)
    var found: [(module: String, line: Int)] = []
    for (index, line) in codeLines(of: file).enumerated() {
        for match in line.matches(of: statement) {
            let before = line[..<match.range.lowerBound].last
            if before == "`" || before == "." { continue }
            found.append((String(match.1), index + 1))
        }
    }
    return found
}

/// Imports that their target's floor does not allow, and targets of which no floor is known.
func complaintsAboutImports(
    in files: [SourceFile], allowed: [String: Set<String>] = Floors.imports,
    soleImporter: [String: String] = Floors.soleImporter,
    withoutFoundation: [String: String] = Floors.withoutFoundation
) -> [String] {
    var complaints: [String] = []
    var unknown: Set<String> = []
    for file in files {
        guard let target = file.target else { continue }
        guard let allowedHere = allowed[target] else {
            if unknown.insert(target).inserted {
                complaints.append(
                    "Sources/\(target): a target of no known floor; add it to Tests/TidyTests/Floors.swift")
            }
            continue
        }
        guard file.pathExtension == "swift" else { continue }
        for (module, line) in imports(of: file) {
            let place = "\(file.path):\(line)"
            if let importer = soleImporter[module], importer != target {
                complaints.append("\(place): only \(importer) may import \(module)")
            } else if !allowedHere.contains(module) {
                complaints.append("\(place): \(target) may not import \(module) (see TidyTests/Floors.swift)")
            }
            for (folder, reason) in withoutFoundation
            where file.path.hasPrefix(folder + "/") && Floors.foundation.contains(module) {
                complaints.append("\(place): no \(module) in \(folder): \(reason)")
            }
        }
    }
    return complaints
}

/// Pointers outside the places where unsafe code lives, and unsafe code that nowhere says why it is safe.
func complaintsAboutPointers(
    in files: [SourceFile], allowedIn folders: Set<String> = Floors.pointerFolders,
    except exceptions: [String: String] = Floors.pointerFiles
) -> [String] {
    let pointer =
        #/
        \b (?: Unsafe(?:Mutable)?(?:Raw)?(?:Buffer)?Pointer | OpaquePointer | Unmanaged
        | withUnsafe\w*(?:Bytes|Pointer|Elements|Storage\w*) ) \b
        /#.wordBoundaryKind(.simple)
    let keyword = #/\bunsafe\b/#.wordBoundaryKind(.simple)
    let places = folders.sorted().joined(separator: ", ")
    var complaints: [String] = []
    for file in files where file.pathExtension == "swift" {
        guard file.target != nil else { continue }
        let code = codeLines(of: file)
        let isAllowed = folders.contains { file.path.hasPrefix("Sources/\($0)/") }
        if !isAllowed, exceptions[file.path] == nil {
            for (index, line) in code.enumerated() {
                guard let match = line.firstMatch(of: pointer) else { continue }
                complaints.append("\(file.path):\(index + 1): \(match.0) outside \(places)")
            }
        }
        if code.contains(where: { $0.contains(keyword) }), !file.text.contains("Safe because") {
            complaints.append("\(file.path): `unsafe`, and no comment that begins \"Safe because\"")
        }
    }
    let paths = Set(files.map(\.path))
    complaints += exceptions.keys.filter { !paths.contains($0) }.sorted().map {
        "\($0): is not there, and stands in Floors.pointerFiles"
    }
    return complaints
}
