import MemoryEngine

/// Why a command is refused; `reply` is what the client is told.
struct CommandError: Error, Equatable {
    let message: String
    init(_ message: String) { self.message = message }

    /// What the engine refused, with a word in capitals for programs.
    init(_ error: EngineError) {
        let word =
            switch error.code {
            case .invalid, .embedder, .io: "ERR"
            case .invalidNamespace: "NAMESPACE"
            case .wrongKind: "WRONGTYPE"
            case .invalidVector: "VECTOR"
            case .notFound: "NOTFOUND"
            case .conflict: "CONFLICT"
            case .tooLarge: "TOOLARGE"
            case .forbidden: "NOPERM"
            case .gap: "GAP"
            case .deadline: "DEADLINE"
            case .full, .diskFull: "FULL"
            case .locked: "LOCKED"
            case .readOnly: "READONLY"
            case .corrupted, .foreign: "CORRUPTED"
            }
        message = "\(word) \(error.message)"
    }

    /// Whatever was thrown.
    init(any error: any Error) {
        switch error {
        case let error as CommandError: self = error
        case let error as EngineError: self.init(error)
        default: self.init("ERR \(error)")
        }
    }

    var reply: Reply { .error(message) }
}

extension User? {
    /// Whether it is there is not told. Nobody in particular may do everything.
    func check(_ right: Right, in namespace: Namespace) throws(CommandError) {
        guard let self, !self.may(right, in: namespace) else { return }
        throw CommandError("NOPERM user `\(self.name)` may not \(right.rawValue) \(namespace)")
    }
}

/// The arguments of a command, taken one after another.
struct Arguments {
    /// The name of the command in its own letters.
    let command: String
    private var rest: ArraySlice<[UInt8]>

    /// Who sent it; `nil` = somebody who may do everything.
    let user: User?

    /// - Parameter words: the command, its name first.
    init(_ words: [[UInt8]], of command: String, by user: User? = nil) {
        self.command = command
        self.user = user
        rest = words.dropFirst()
    }

    var isEmpty: Bool { rest.isEmpty }
    var count: Int { rest.count }

    mutating func next() -> [UInt8]? { rest.popFirst() }

    mutating func bytes(_ what: String) throws(CommandError) -> [UInt8] {
        guard let bytes = rest.popFirst() else {
            throw CommandError("ERR \(command): \(what) is missing at the end")
        }
        return bytes
    }

    mutating func text(_ what: String) throws(CommandError) -> String {
        guard let text = String(validating: try bytes(what), as: UTF8.self) else {
            throw CommandError("ERR \(command): \(what) is not UTF-8")
        }
        return text
    }

    mutating func integer(_ what: String, in allowed: ClosedRange<Int>) throws(CommandError) -> Int {
        try bounded(what, "a whole number", allowed)
    }

    /// A number over 0.
    mutating func weight(_ what: String, upTo limit: Double) throws(CommandError) -> Double {
        let text = try text(what)
        guard let value = Double(text), value > 0, value <= limit else {
            throw CommandError(
                "ERR \(command): \(what) is `\(text.prefix(40))`; give a number over 0, up to \(limit)")
        }
        return value
    }

    mutating func number(_ what: String, in allowed: ClosedRange<Double>) throws(CommandError) -> Double {
        try bounded(what, "a number", allowed)
    }

    private mutating func bounded<Value: LosslessStringConvertible & Comparable>(
        _ what: String, _ kind: String, _ allowed: ClosedRange<Value>
    ) throws(CommandError) -> Value {
        let text = try text(what)
        guard let value = Value(text), allowed.contains(value) else {
            throw CommandError(
                "ERR \(command): \(what) is `\(text.prefix(40))`; give \(kind) from \(allowed.lowerBound) to "
                    + "\(allowed.upperBound)")
        }
        return value
    }

    mutating func time(_ what: String) throws(CommandError) -> Timestamp {
        let text = try text(what)
        guard let time = Timestamp(text), Timestamp.allowed.contains(time) else {
            throw CommandError(
                "ERR \(command): \(what) is `\(text.prefix(40))`; give a day (2026-11-23) or a day with a time "
                    + "(2026-11-23T08:30Z)")
        }
        return time
    }

    /// A namespace in which whoever sent the command has a right.
    ///
    /// - Parameter isHome: the command reaches what other sessions of the home hold, so the right must be on all of it.
    // Not inlined: the compiler (6.3.1) stops at some of the asynchronous functions that it is inlined into.
    @inline(never)
    mutating func namespace(
        _ right: Right, _ what: String = "the namespace", ofHome isHome: Bool = false
    ) throws(CommandError) -> Namespace {
        let path = try text(what)
        do {
            let namespace = try Namespace(path: path)
            try user.check(right, in: isHome ? namespace.home : namespace)
            return namespace
        } catch {
            throw CommandError(any: error)
        }
    }

    /// One of some values, by its name.
    mutating func choice<Value>(
        _ what: String, of values: [Value], _ name: (Value) -> String
    ) throws(CommandError) -> Value {
        let text = try text(what)
        guard let value = values.first(where: { name($0).lowercased() == text.lowercased() }) else {
            throw CommandError(
                "ERR \(command): \(what) is `\(text.prefix(40))`; give one of "
                    + values.map(name).joined(separator: ", "))
        }
        return value
    }

    /// A name and a value: a number, `true` or `false`, and else a string.
    mutating func attribute() throws(CommandError) -> (String, AttributeValue) {
        let name = try text("the name of the attribute")
        return (name, AttributeValue(reading: try text("the value of the attribute")))
    }

    /// A space by its name, and a vector of 32-bit floats, little-endian.
    mutating func embedding() throws(CommandError) -> Embedding {
        let name = try text("the space of a vector")
        guard let space = EmbeddingSpace(name: name) else {
            throw CommandError(
                "VECTOR \(command): `\(name.prefix(100))` is no space; write MODEL@REVISION/DIMENSION/METRIC")
        }
        let blob = try bytes("the vector in \(name)")
        guard blob.count == space.dimension * 4 else {
            throw CommandError(
                "VECTOR \(command): the vector in \(name) has \(blob.count) bytes; \(space.dimension) floats of 32 bits "
                    + "have \(space.dimension * 4)")
        }
        return Embedding(blob.floats, in: space)
    }

    /// The next option, in capitals.
    mutating func option() throws(CommandError) -> String? {
        guard !rest.isEmpty else { return nil }
        return try text("an option").uppercased()
    }

    func unknown(_ option: String) -> CommandError {
        CommandError("ERR \(command) has no option `\(option.prefix(40))`")
    }
}

extension [UInt8] {
    /// 32-bit floats, little-endian.
    ///
    /// - Precondition: there are four bytes for each.
    var floats: [Float] {
        stride(from: 0, to: count, by: 4).map { place in
            Float(
                bitPattern: UInt32(self[place]) | UInt32(self[place + 1]) << 8 | UInt32(self[place + 2]) << 16
                    | UInt32(self[place + 3]) << 24)
        }
    }
}
