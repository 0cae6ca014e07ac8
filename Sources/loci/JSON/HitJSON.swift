import MemoryEngine

extension JSONWriter {
    /// A hit with its parts, its path, its passage and its memory.
    mutating func write(_ hit: Hit) {
        beginObject()
        member("score", hit.score)
        object("parts") { json in
            for (name, path) in Hit.ScoreParts.names { json.member(name, hit.parts[keyPath: path]) }
        }
        list("path", hit.path) { $0.write($1) }
        member("citation", hit.citation.description)
        object("passage") { json in
            json.member("part", hit.passage.part)
            json.member("text", hit.passage.text)
        }
        name("memory")
        write(hit.memory)
        endObject()
    }

    private mutating func write(_ step: Hit.Step) {
        beginObject()
        switch step.reason {
        case .words(let rank):
            member("by", "words")
            if let rank { member("rank", rank) }
        case .vectors(let space, let rank):
            member("by", "vectors")
            member("space", space.name)
            if let rank { member("rank", rank) }
        case .edge(let kind, let direction, let id):
            member("by", "edge")
            member("kind", kind.name)
            member("direction", direction.rawValue)
            member("id", id.description)
        case .session(let id):
            member("by", "session")
            member("id", id.description)
        case .actor(let name):
            member("by", "actor")
            member("name", name)
        case .calendar(let time):
            member("by", "calendar")
            interval(time)
        case .event(let time):
            member("by", "event")
            interval(time)
        }
        member("adds", step.adds)
        endObject()
    }

    /// The members of a time.
    mutating func interval(_ time: Range<Timestamp>) {
        member("from", time.lowerBound.description)
        member("until", time.upperBound.description)
    }
}
