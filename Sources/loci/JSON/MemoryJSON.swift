import MemoryEngine

/// Memories as the verbs print them with `--json`: the fields of a line of `loci import`, and what the store
/// adds to them.
extension JSONWriter {
    /// A member with a string; none for `nil`.
    mutating func member(_ name: String, _ value: String?) {
        guard let value else { return }
        self.name(name)
        write(value)
    }

    mutating func member(_ name: String, _ value: some FixedWidthInteger) {
        self.name(name)
        write(value)
    }

    mutating func member(_ name: String, _ value: Bool) {
        self.name(name)
        write(value)
    }

    mutating func member(_ name: String, _ value: Double?) {
        guard let value else { return }
        self.name(name)
        write(value)
    }

    /// A member with a list; none for an empty one.
    mutating func member(_ name: String, _ values: [String]) {
        if !values.isEmpty { list(name, values) { $0.write($1) } }
    }

    /// A member with a list, be it empty, whose elements `body` writes.
    mutating func list<Elements: Sequence>(
        _ name: String, _ elements: Elements, _ body: (inout JSONWriter, Elements.Element) -> Void
    ) {
        self.name(name)
        beginArray()
        for element in elements { body(&self, element) }
        endArray()
    }

    /// A member with a list of objects, be it empty, whose members `body` writes.
    mutating func objects<Elements: Sequence>(
        _ name: String, _ elements: Elements, _ body: (inout JSONWriter, Elements.Element) -> Void
    ) {
        list(name, elements) { json, element in
            json.beginObject()
            body(&json, element)
            json.endObject()
        }
    }

    /// A member with a time; none for what has no beginning or no end.
    mutating func member(_ name: String, _ time: Timestamp?) {
        guard let time, time != .distantPast, time != .distantFuture else { return }
        member(name, time.description)
    }

    /// A member with an object, whose members `body` writes.
    mutating func object(_ name: String, _ body: (inout JSONWriter) -> Void) {
        self.name(name)
        beginObject()
        body(&self)
        endObject()
    }

    /// What a draft and a memory have in common, in the names of `loci import`.
    ///
    /// - Parameter origin: in the place of the memory's.
    mutating func fields(_ memory: Memory, origin: Origin? = nil) {
        member("content", memory.content)
        member("kind", memory.kind.rawValue)
        member("actor", memory.actor)
        member("thread", memory.thread)
        happened(memory.happened)
        member("validFrom", memory.valid.lowerBound)
        member("validUntil", memory.valid.upperBound)
        member("expiresAt", memory.expires)
        member("tags", memory.tags)
        member("keywords", memory.keywords)
        if !memory.attributes.isEmpty {
            object("attributes") { json in
                for (name, value) in memory.attributes.sorted(by: { $0.key < $1.key }) {
                    json.name(name)
                    switch value {
                    case .string(let text): json.write(text)
                    case .number(let number): json.write(number)
                    case .bool(let flag): json.write(flag)
                    }
                }
            }
        }
        name("importance")
        write(memory.importance)
        if memory.isPinned { member("pinned", true) }
        object("origin") { json in json.origin(origin ?? memory.origin) }
    }

    /// One moment, or the first and the last one.
    private mutating func happened(_ range: Range<Timestamp>) {
        let last = Timestamp(microseconds: range.upperBound.microseconds - 1)
        guard last != range.lowerBound else {
            member("happenedAt", range.lowerBound)
            return
        }
        object("happenedAt") { json in
            json.member("from", range.lowerBound)
            json.member("until", last)
        }
    }

    mutating func origin(_ origin: Origin) {
        member("principal", origin.principal)
        member("agent", origin.agent)
        member("model", origin.model)
        member("source", origin.source)
        member("sourceDigest", origin.sourceDigest.map(hexadecimal))
        if let span = origin.sourceSpan {
            name("sourceSpan")
            beginArray()
            write(span.lowerBound)
            write(span.upperBound)
            endArray()
        }
        member("trust", origin.trust.name)
        if origin.mayContribute { member("mayContribute", true) }
    }

    /// Names of the attachments, without their bytes.
    mutating func attachments(_ attachments: [Attachment]) {
        guard !attachments.isEmpty else { return }
        objects("attachments", attachments) { json, attachment in
            json.member("name", attachment.name)
            json.member("mediaType", attachment.mediaType)
            json.member("address", attachment.address)
            json.member("digest", hexadecimal(attachment.digest))
            json.member("size", attachment.byteCount)
        }
    }

    /// A memory as it was read.
    mutating func write(_ memory: Memory) {
        beginObject()
        member("id", memory.id.description)
        member("version", memory.version)
        member("key", memory.key)
        member("namespace", memory.namespace.description)
        fields(memory)
        attachments(memory.attachments)
        if let turn = memory.turn { member("turn", turn) }
        member("recordedAt", memory.recorded.lowerBound)
        member("recordedUntil", memory.recorded.upperBound)
        member("isCurrent", memory.isCurrent)
        endObject()
    }

    /// What `remember` did.
    mutating func write(_ remembered: Remembered, in namespace: Namespace) {
        beginObject()
        member("id", remembered.id.description)
        member("version", remembered.version)
        member("namespace", namespace.description)
        member("isNew", remembered.isNew)
        member("sequence", remembered.sequence)
        member("missingSpaces", remembered.missingSpaces.map(\.name))
        member("refusals", remembered.refusals)
        member("failures", remembered.failures)
        endObject()
    }
}

/// Bytes as two digits each.
func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

/// The bytes of an even number of hexadecimal digits; `nil` for anything else.
func bytes(hexadecimal text: String) -> [UInt8]? {
    let digits = text.utf8.map { Character(Unicode.Scalar($0)).hexDigitValue }
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
        guard let high = digits[index], let low = digits[index + 1] else { return nil }
        bytes.append(UInt8(high << 4 | low))
    }
    return bytes
}
