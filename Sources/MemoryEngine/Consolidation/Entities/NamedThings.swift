/// An entity, as the memories of a home name it.
struct NamedThing: Sendable {
    /// Its surface is as it was written where it was first found.
    let name: EntityName
    /// Other ways in which it was written.
    fileprivate(set) var otherSurfaces: [String] = []
    /// Where it is named first in each memory, the oldest memories first.
    fileprivate(set) var places: [Place] = []
    /// It is a whole path: one that a history gives, or one from the root.
    fileprivate(set) var isWhole = false

    struct Place: Sendable {
        /// The memory, as an index of the study.
        var memory: Int
        var range: Range<Int>
    }

    /// So many of its places and of its surfaces are kept.
    static let maximumPlaceCount = 16
    static let maximumSurfaceCount = 3

    var surfaces: [String] { [name.surface] + otherSurfaces }
    /// The words of its key, as a person reads them.
    var words: [Substring] { name.key.split(separator: " ") }
}

/// The entities that the memories of a home name: what the graph has of these memories (`Extraction`), found anew, so that what
/// is concluded of names is a function of the texts.
struct NamedThings: Sendable {
    let study: HomeStudy
    private(set) var all: [NamedThing] = []
    private var indexOfName: [EntityName: Int] = [:]
    private var indexesOfKey: [String: [Int]] = [:]

    /// - Complexity: O(n) in the bytes of the memories.
    init(_ study: HomeStudy) {
        self.study = study
        for (place, memory) in study.memories.enumerated() {
            for reference in Extraction.references(in: memory.content, memory.fields) {
                guard case .entity(let name) = reference.target else { continue }
                let range = Int(reference.range.lowerBound)..<Int(reference.range.upperBound)
                add(name, NamedThing.Place(memory: place, range: range), isFile: reference.rule == .file)
            }
        }
    }

    private mutating func add(_ name: EntityName, _ place: NamedThing.Place, isFile: Bool) {
        let index: Int
        if let known = indexOfName[name] {
            index = known
        } else {
            index = all.count
            indexOfName[name] = index
            indexesOfKey[name.key, default: []].append(index)
            all.append(NamedThing(name: name))
        }
        if all[index].places.count < NamedThing.maximumPlaceCount { all[index].places.append(place) }
        if all[index].otherSurfaces.count < NamedThing.maximumSurfaceCount,
            !all[index].surfaces.contains(name.surface)
        {
            all[index].otherSurfaces.append(name.surface)
        }
        if isFile || name.sort == .path && (name.key.hasPrefix("/") || name.key.hasPrefix("~")) {
            all[index].isWhole = true
        }
    }

    func index(_ sort: EntitySort, _ key: String) -> Int? {
        indexOfName[EntityName(sort: sort, key: key, surface: key)]
    }

    /// All of a key, of whatever sort.
    func indexes(_ key: String) -> [Int] { indexesOfKey[key] ?? [] }

    func index(of mention: Mention) -> Int? {
        EntitySort(mention.kind).flatMap { index($0, mention.key) }
    }

    func evidence(_ place: NamedThing.Place) -> Evidence {
        study.memories[place.memory].evidence(place.range)
    }

    /// Whether each stands in threads or sessions, and none of one in one of the other: words of programs, they are of two.
    func areStrangers(_ a: Int, _ b: Int) -> Bool {
        ![a, b].contains { all[$0].places.contains { study.memories[$0.memory].series == 0 } } && !meet(a, b)
    }

    /// Whether both stand in one text, or in texts of one thread or session.
    func meet(_ a: Int, _ b: Int) -> Bool {
        let memories = Set(all[a].places.map(\.memory))
        let series = Set(memories.map { study.memories[$0].series }).subtracting([0])
        return all[b].places.contains {
            memories.contains($0.memory) || series.contains(study.memories[$0.memory].series)
        }
    }
}

extension StudiedMemory {
    /// What of it tells whom and what it names.
    var fields: VersionFields {
        VersionFields(
            kind: kind.rawValue, session: session, actor: actor, thread: thread, happened: happened,
            valid: valid,
            expires: .max, isPinned: isPinned, importance: 0.5, tags: tags, keywords: keywords,
            attributes: attributes, origin: Origin(), attachments: [])
    }
}
