import Store

/// What a question says beside its words: whom it names, and which times.
struct QuestionReading: Sendable {
    let text: String
    /// When it is asked: "last week" counts from here.
    let now: Timestamp

    /// The most bytes of a question that are read for names and times.
    static let maximumByteCount = 4_096
    /// The most names of actors of a home that are looked at.
    static let maximumNameCount = 65_536
    /// The most times of a question that count.
    static let maximumIntervalCount = 64

    init(_ text: String, now: Timestamp) {
        let utf8 = text.utf8.span
        self.text =
            utf8.count <= Self.maximumByteCount
            ? text : String(decoding: utf8.extracting(first: Self.maximumByteCount).array, as: UTF8.self)
        self.now = now
    }

    // MARK: Times

    /// The times that the question names, ascending and apart. A month or day without a year is that of every year
    /// since the first memory of the home.
    func intervals(
        _ state: HomeState, in transaction: borrowing ReadTransaction
    ) throws -> [Range<Int64>] {
        // Most questions name none, whatever is in the home.
        guard namesTimes else { return [] }
        return intervals(since: try Self.first(state, in: transaction))
    }

    /// Whether the question names times at all.
    var namesTimes: Bool { !TimeExpressions.find(in: text, relativeTo: now, limit: 1).isEmpty }

    /// The times that the question names, where the first memory happened then.
    func intervals(since first: Timestamp) -> [Range<Int64>] {
        var dialect = TimeExpressions.Dialect()
        dialect.yearless = .every(since: first)
        var intervals = TimeExpressions.find(
            in: text, relativeTo: now, dialect: dialect, limit: Self.maximumIntervalCount
        ).map { $0.interval.lowerBound.microseconds..<$0.interval.upperBound.microseconds }
        intervals.sort { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }
        var apart: [Range<Int64>] = []
        for interval in intervals where !interval.isEmpty {
            if let last = apart.last, interval.lowerBound <= last.upperBound {
                apart[apart.count - 1] = last.lowerBound..<max(last.upperBound, interval.upperBound)
            } else {
                apart.append(interval)
            }
        }
        return apart
    }

    /// The terms of the words that name no time.
    var termsBesideTimes: Set<[UInt8]> {
        var rest: [UInt8] = []
        var end = 0
        let utf8 = Array(text.utf8)
        for mention in TimeExpressions.find(in: text, relativeTo: now, limit: Self.maximumIntervalCount) {
            rest += utf8[end..<mention.range.lowerBound] + [UInt8(ascii: " ")]
            end = mention.range.upperBound
        }
        rest += utf8[end...]
        return Set(Tokenizer().terms(in: rest.span).terms.map(\.term))
    }

    /// When the first memory of a home happened.
    static func first(
        _ state: HomeState, in transaction: borrowing ReadTransaction
    ) throws -> Timestamp {
        let first = try TimeOrder(state, in: transaction).earliest(in: transaction)
        return first.map { Timestamp(microseconds: $0) } ?? .distantFuture
    }

    // MARK: Names

    /// The actors that the question names among those who said or did something in `passages`.
    ///
    /// - Complexity: O(names of actors), and O(passages) where two of the names are in the question.
    func namedActors(
        _ view: HomeView, among passages: PassageSet, in transaction: borrowing ReadTransaction
    ) throws -> [(name: String, number: UInt32)] {
        let numbers = try possibleActors(in: transaction)
        if numbers.isEmpty { return [] }
        let named = NamedActors.find(text, actors: numbers.keys.sorted()).compactMap { name in
            numbers[name].map { (name: name, number: $0) }
        }
        return try Self.present(named, view, among: passages, in: transaction)
    }

    /// Those of the actors that the question names who said or did something in `passages`.
    ///
    /// - Parameter names: found among the actors of all homes that are asked.
    func namedActors(
        _ view: HomeView, _ names: [String], among passages: PassageSet,
        in transaction: borrowing ReadTransaction
    ) throws -> [(name: String, number: UInt32)] {
        var named: [(name: String, number: UInt32)] = []
        for name in names {
            if let number = try Names.number(of: name, .actor, in: transaction) {
                named.append((name, number))
            }
        }
        return try Self.present(named, view, among: passages, in: transaction)
    }

    /// The actors of a home whom the question may name, with their numbers.
    func possibleActors(in transaction: borrowing ReadTransaction) throws -> [String: UInt32] {
        let mayBeNamed = NameFilter(text)
        var numbers: [String: UInt32] = [:]
        var seen = 0
        let prefix = Schema.Shared.name.key.u8(NameClass.actor.rawValue)
        try Schema.shared.scan(prefix: prefix, in: transaction) { key, value in
            seen += 1
            guard mayBeNamed.matches(key, from: 2) else { return seen < Self.maximumNameCount }
            guard value.byteCount == 4,
                let name = String(validating: key.copy(2..<key.byteCount), as: UTF8.self)
            else { throw StoreError(.corrupted, "a name is not valid UTF-8") }
            numbers[name] = value.u32(at: 0)
            return seen < Self.maximumNameCount
        }
        return numbers
    }

    private static func present(
        _ named: [(name: String, number: UInt32)], _ view: HomeView, among passages: PassageSet,
        in transaction: borrowing ReadTransaction
    ) throws -> [(name: String, number: UInt32)] {
        if named.count < 2 { return named }
        let present = try actors(of: passages, among: named.map(\.number), view, in: transaction)
        return named.filter { present.contains($0.number) }
    }

    /// Those of a few actors who have a passage in a set.
    private static func actors(
        of passages: PassageSet, among numbers: [UInt32], _ view: HomeView,
        in transaction: borrowing ReadTransaction
    ) throws -> Set<UInt32> {
        var present: Set<UInt32> = []
        let folded = Int(view.state.foldedPassages)
        let column = Column.actor
        try view.forEachBlock(column, in: transaction) { first, bytes in
            // As a rule the first thousand passages tell.
            if present.count == numbers.count { return }
            for index in 0..<min(column.rowsPerBlock, folded - first) {
                let number = bytes.u32(at: index * 4)
                if numbers.contains(number), passages.contains(UInt32(first + index)) {
                    present.insert(number)
                }
            }
        }
        for entry in view.tail where numbers.contains(entry.front.row.actor) {
            if passages.contains(entry.passage) { present.insert(entry.front.row.actor) }
        }
        return present
    }
}

/// Passes over names that a question cannot name, without decoding them: those whose first letter begins no word of it.
/// Names that begin with other letters than those of ASCII pass.
private struct NameFilter {
    /// The first two letters of each word, folded, as bits of `first * 26 + second`.
    private var pairs = [Bool](repeating: false, count: 26 * 26)
    /// Letters of other kinds may fold to those of ASCII.
    private var passesAll = false

    init(_ text: String) {
        var before: (last: UInt8?, lastButOne: UInt8?) = (nil, nil)
        for byte in text.utf8 {
            if byte >= 0x80 { passesAll = true }
            let letter = Self.letter(byte)
            if let letter, let last = before.last, before.lastButOne == nil {
                pairs[Int(last) * 26 + Int(letter)] = true
            }
            before = (letter, before.last)
        }
    }

    private static func letter(_ byte: UInt8) -> UInt8? {
        let letter = (byte | 0x20) &- UInt8(ascii: "a")
        return letter < 26 ? letter : nil
    }

    func matches(_ key: RawSpan, from start: Int) -> Bool {
        guard !passesAll, start + 1 < key.byteCount, let first = Self.letter(key.u8(at: start)),
            let second = Self.letter(key.u8(at: start + 1))
        else { return true }
        return pairs[Int(first) * 26 + Int(second)]
    }
}
