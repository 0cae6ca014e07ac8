import Store

/// What the entries of a home's tables say, for a person.
enum EntryWords {
    /// The word in a key of `TermVectors` or `SynonymLists`.
    static func term(_ key: RawSpan) -> String {
        String(decoding: key.copy(TermVectors.termStart..<key.byteCount), as: UTF8.self)
    }

    /// An entry of the table of edges.
    static func edge(_ key: RawSpan, _ value: RawSpan, _ kinds: EdgeKinds) throws -> String {
        switch key.u8(at: 0) {
        case Schema.Edge.record:
            return "edge \(key.keyU64(at: 1)): " + words(try EdgeRecord(decoding: value), kinds)
        case Schema.Edge.out, Schema.Edge.into:
            guard key.byteCount == Edges.directionKeyByteCount else { break }
            var reader = ByteReader(value)
            let ends = direction(key, isOut: key.u8(at: 0) == Schema.Edge.out, kinds)
            return "way of edge \(key.keyU64(at: 19)): \(ends), " + words(try EdgeSpan(from: &reader))
        case Schema.Edge.numberOfID:
            guard key.byteCount == 17, value.byteCount == 8 else { break }
            return "id \(EdgeID(rawValue: key.keyU128(at: 1))) is edge \(value.u64(at: 0))"
        case Schema.Edge.derivedOut:
            guard key.byteCount == DerivedEdges.keyByteCount else { break }
            let out = try DerivedEdges.Out(decoding: value)
            return "derived: \(direction(key, isOut: true, kinds)), " + words(out.span)
                + ", it \(out.rule.name) in version \(out.version), bytes \(out.range.lowerBound) to "
                + "\(out.range.upperBound)"
        case Schema.Edge.derivedInto:
            guard key.byteCount == DerivedEdges.keyByteCount else { break }
            var reader = ByteReader(value)
            return "derived: \(direction(key, isOut: false, kinds)), "
                + words(try DerivedEdges.Span(from: &reader))
        case Schema.Edge.reference:
            guard key.byteCount == References.keyByteCount else { break }
            let kind = try kinds.kind(key.keyU16(at: 13))
            let (reference, version) = try References.decode(value, kind: kind)
            return "reference: row \(key.keyU64(at: 5)) \(kind) \(words(reference.target)), weight "
                + "\(reference.weight), it \(reference.rule.name) in version \(version), bytes "
                + "\(reference.range.lowerBound) to \(reference.range.upperBound)"
        case Schema.Edge.evidence:
            guard key.byteCount == 17 else { break }
            let row = key.keyU64(at: 1)
            return (row == Edges.foreign ? "another home" : "row \(row)") + " is joined or cited by edge "
                + "\(key.keyU64(at: 9))"
        default: break
        }
        return "\(hexadecimal(key, from: 0)): \(value.byteCount) bytes, of no known form"
    }

    /// An entry of the table that small tables share.
    static func shared(_ key: RawSpan, _ value: RawSpan) throws -> String {
        let sort = Schema.Shared(rawValue: key.u8(at: 0))
        let name = sort.map { "\($0)" } ?? "unknown"
        switch sort {
        case .header:
            let header = try HomeHeader(decoding: value)
            return
                "header: \(header.namespace), format \(header.formatVersion), made by \(header.program) at "
                + "\(header.created), passages up to \(header.passageByteCount) bytes"
        case .name where key.byteCount > 2 && value.byteCount == 4:
            return "name \(sortOfName(key.u8(at: 1))) `\(text(key, from: 2))`: number \(value.u32(at: 0))"
        case .nameOfNumber where key.byteCount == 5:
            var reader = ByteReader(value)
            let sort = sortOfName(try reader.u8())
            return "nameOfNumber \(key.keyU32(at: 1)): \(sort) `\(try reader.string())`"
        case .memoryByTime where key.byteCount == 17, .memoryByExpiry where key.byteCount == 17:
            return "\(name) \(Timestamp(microseconds: key.keyI64(at: 1))): row \(key.keyU64(at: 9))"
        case .edgeKind where key.byteCount == 3:
            let kind = try EdgeKinds.decode(value)
            return "edgeKind \(key.keyU16(at: 1)): \(kind) in the \(kind.graph.name) graph"
        case .rowOfMemory where key.byteCount == 17 && value.byteCount == 8:
            return "rowOfMemory \(MemoryID(rawValue: key.keyU128(at: 1))): row \(value.u64(at: 0))"
        case .memoryByKey where key.byteCount > 5 && value.byteCount == 8:
            let session = key.keyU32(at: 1)
            return "memoryByKey `\(text(key, from: 5))`"
                + (session == 0 ? "" : " of session \(session)") + ": row \(value.u64(at: 0))"
        case .memoryByTurn where key.byteCount == 9 && value.byteCount == 8:
            return "memoryByTurn: series \(key.keyU32(at: 1)), turn \(key.keyU32(at: 5)): row "
                + "\(value.u64(at: 0))"
        case .entityAlias where key.byteCount > 2 && value.byteCount == 8:
            let sort = EntitySort(rawValue: key.u8(at: 1))?.name ?? "unknown sort"
            return "entityAlias `\(text(key, from: 2))` (\(sort)): row \(value.u64(at: 0))"
        case .citedBy, .cites: return "\(name) \(text(key, from: 1))"
        default: return "\(name) \(hexadecimal(key, from: 1)): \(hexadecimal(value, from: 0))"
        }
    }

    static func hexadecimal(_ bytes: RawSpan, from: Int) -> String {
        var text = ""
        for index in from..<min(bytes.byteCount, from + 40) {
            let byte = bytes.u8(at: index)
            text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return bytes.byteCount > from + 40 ? text + "…" : text
    }

    // MARK: Parts

    private static func words(_ edge: EdgeRecord, _ kinds: EdgeKinds) -> String {
        let end = edge.foreign.map { "memory \($0.id) of \($0.home)" } ?? "row \(edge.to)"
        var text = "row \(edge.from) \(name(edge.kind, kinds)) \(end), id \(edge.id), \(words(edge.span)), "
        text += "given by \(edge.origin.principal), \(edge.origin.trust.name)"
        if let agent = edge.origin.agent { text += ", agent \(agent)" }
        if let source = edge.origin.source { text += ", source \(source)" }
        for place in edge.evidence {
            text +=
                ", evidence \(place.id)@\(place.version)#\(place.range.lowerBound)-\(place.range.upperBound)"
            if let home = place.namespace { text += " of \(home)" }
        }
        return text
    }

    private static func words(_ target: Reference.Target) -> String {
        switch target {
        case .commit(let hash): "commit \(hash)"
        case .key(let key): "key `\(key)`"
        case .subject(let subject): "the commit `\(subject)`"
        case .note(let name): "note `\(name)`"
        case .entity: "an entity"
        }
    }

    private static func sortOfName(_ number: UInt8) -> String {
        NameClass(rawValue: number).map { "\($0)" } ?? "of unknown class"
    }

    private static func words(_ span: EdgeSpan) -> String {
        var text = "weight \(span.weight), " + recorded(span.recordedFrom, span.recordedUntil)
        if span.validFrom != .min { text += ", true from \(Timestamp(microseconds: span.validFrom))" }
        if span.validUntil != .max { text += ", true until \(Timestamp(microseconds: span.validUntil))" }
        return text
    }

    private static func words(_ span: DerivedEdges.Span) -> String {
        "weight \(span.weight), " + recorded(span.recordedFrom, span.recordedUntil)
    }

    private static func recorded(_ from: Int64, _ until: Int64) -> String {
        "recorded \(Timestamp(microseconds: from))"
            + (until == .max ? "" : " to \(Timestamp(microseconds: until))")
    }

    /// The ends of a key that begins with a row, a kind and the other row.
    private static func direction(_ key: RawSpan, isOut: Bool, _ kinds: EdgeKinds) -> String {
        let (row, kind, other) = (key.keyU64(at: 1), name(key.keyU16(at: 9), kinds), key.keyU64(at: 11))
        let far = other == 0 ? "another home" : "row \(other)"
        return isOut ? "row \(row) —\(kind)→ \(far)" : "row \(row) ←\(kind)— \(far)"
    }

    private static func name(_ kind: UInt16, _ kinds: EdgeKinds) -> String {
        (try? kinds.kind(kind))?.name ?? "kind \(kind)"
    }

    private static func text(_ bytes: RawSpan, from: Int) -> String {
        String(decoding: bytes.copy(from..<bytes.byteCount), as: UTF8.self)
    }
}
