import Store

/// Turns conditions into sets of passages, from columns, postings and the tail.
struct FilterEvaluation {
    let view: HomeView

    /// The passages that a recall may give: of versions that were known at `asOf` (by default the newest
    /// ones), hold at `validAt`, have not expired, lie in one of `sessions` (`nil` = the whole home), and
    /// meet `filter`. Summaries that the engine made are among them if the filter asks for summaries, or `includesOwn`.
    func eligible(
        asOf: Timestamp?, validAt: Timestamp, now: Timestamp, sessions: Set<String>?, filter: Filter?,
        includesOwn: Bool = false, in transaction: borrowing ReadTransaction
    ) throws -> PassageSet {
        let includesOwn = includesOwn || filter?.asksForSummaries ?? false
        var set =
            if let asOf {
                try known(asOf, validAt: validAt, now: now, includesOwn: includesOwn, in: transaction)
            } else {
                try visible(validAt: validAt, now: now, includesOwn: includesOwn, in: transaction)
            }
        if let sessions {
            var union = PassageSet(capacity: view.capacity)
            for session in sessions { union.formUnion(try self.set(.session(session), in: transaction)) }
            set.formIntersection(union)
        }
        if let filter { set.formIntersection(try self.set(filter, in: transaction)) }
        return set
    }

    /// Of the newest versions, those that hold at `validAt` and have not expired.
    private func visible(
        validAt: Timestamp, now: Timestamp, includesOwn: Bool, in transaction: borrowing ReadTransaction
    ) throws -> PassageSet {
        let snapshot = KeptSets.Snapshot(transaction)
        if let snapshot,
            let set = view.kept?.visible(
                validAt: validAt, now: now, includesOwn: includesOwn, in: snapshot)
        {
            return set
        }
        var validity = Interlude(around: validAt.microseconds)
        var expiry = Interlude(around: now.microseconds)
        var set: PassageSet
        if view.state.hasValidity {
            // A retracted one still tells what was true before.
            set = try newest(in: transaction)
            if !includesOwn { try removeOwn(from: &set, in: transaction) }
            try keepValid(&set, noting: &validity, in: transaction)
        } else {
            set = try flagged(.current, in: transaction)
            if includesOwn { set.formUnion(try flagged(.currentOwn, in: transaction)) }
        }
        if view.state.hasExpiry { set.formIntersection(try notExpired(noting: &expiry, in: transaction)) }
        if let snapshot {
            view.kept?.keep(
                KeptSets.Visible(
                    passages: set, includesOwn: includesOwn, validity: validity, expiry: expiry),
                of: snapshot)
        }
        return set
    }

    /// Of the versions that were known at a moment, those that hold at `validAt` and have not expired.
    private func known(
        _ asOf: Timestamp, validAt: Timestamp, now: Timestamp, includesOwn: Bool,
        in transaction: borrowing ReadTransaction
    ) throws -> PassageSet {
        var recorded = Interlude(around: asOf.microseconds)
        var validity = Interlude(around: validAt.microseconds)
        var expiry = Interlude(around: now.microseconds)
        var set = try later(.recordedUntil, noting: &recorded, in: transaction) { $0.recordedUntil }
        set.formDifference(try later(.recordedFrom, noting: &recorded, in: transaction) { $0.recordedFrom })
        if !includesOwn { try removeOwn(from: &set, in: transaction) }
        if view.state.hasValidity { try keepValid(&set, noting: &validity, in: transaction) }
        if view.state.hasExpiry { set.formIntersection(try notExpired(noting: &expiry, in: transaction)) }
        return set
    }

    /// Takes out the summaries that the engine made.
    private func removeOwn(from set: inout PassageSet, in transaction: borrowing ReadTransaction) throws {
        guard try mayHoldOwn(in: transaction) else { return }
        set.formDifference(try flagged(.own, in: transaction))
    }

    private func keepValid(
        _ set: inout PassageSet, noting validity: inout Interlude, in transaction: borrowing ReadTransaction
    ) throws {
        set.formIntersection(try later(.validUntil, noting: &validity, in: transaction) { $0.validUntil })
        set.formDifference(try later(.validFrom, noting: &validity, in: transaction) { $0.validFrom })
    }

    /// Whether the engine may have made summaries here: its name is that of a principal of passages then.
    func mayHoldOwn(in transaction: borrowing ReadTransaction) throws -> Bool {
        try Names.number(of: VersionFields.entityPrincipal, .principal, in: transaction) != nil
    }

    private func newest(in transaction: borrowing ReadTransaction) throws -> PassageSet {
        try matching(.recordedUntil, in: transaction) {
            $0.i64(at: $1 * 8) == .max
        } tail: {
            $0.recordedUntil == .max && !$0.flags.contains(.erased)
        }
    }

    private func notExpired(
        noting expiry: inout Interlude, in transaction: borrowing ReadTransaction
    ) throws -> PassageSet {
        try later(.expires, noting: &expiry, in: transaction) { $0.expires }
    }

    /// Passages of the newest versions, whenever they are valid, that have not expired.
    func newest(
        notExpiredAt now: Timestamp, in transaction: borrowing ReadTransaction
    ) throws -> PassageSet {
        var set = try newest(in: transaction)
        var expiry = Interlude(around: now.microseconds)
        if view.state.hasExpiry { set.formIntersection(try notExpired(noting: &expiry, in: transaction)) }
        return set
    }

    /// Passages that have a vector in a space.
    func embedded(
        in space: EmbeddingSpace, in transaction: borrowing ReadTransaction
    ) throws -> PassageSet {
        guard let number = view.spaces.first(where: { $0.space == space })?.number else {
            return PassageSet(capacity: view.capacity)
        }
        var set = try matching(.slot(number), in: transaction) {
            $0.u32(at: $1 * 4) != .max
        } tail: { _ in
            false
        }
        for entry in view.tail where entry.front.slots.contains(where: { $0.space == number }) {
            set.insert(entry.passage)
        }
        return set
    }

    /// Passages with a flag. All of them are of versions that are there.
    func flagged(_ flag: PassageRow.Flags, in transaction: borrowing ReadTransaction) throws -> PassageSet {
        if flag == .current { return try current(in: transaction) }
        return try having(flag, in: transaction)
    }

    private func current(in transaction: borrowing ReadTransaction) throws -> PassageSet {
        if !view.hasClosed { return .full(capacity: view.capacity) }
        let snapshot = KeptSets.Snapshot(transaction)
        if let snapshot, let set = view.kept?.current(in: snapshot) { return set }
        let set = try having(.current, in: transaction)
        if let snapshot { view.kept?.keep(current: set, of: snapshot) }
        return set
    }

    private func having(
        _ flag: PassageRow.Flags, in transaction: borrowing ReadTransaction
    ) throws -> PassageSet {
        try matching(.flags, in: transaction) {
            $0.u8(at: $1) & flag.rawValue != 0
        } tail: {
            $0.flags.contains(flag)
        }
    }

    /// Terms that a home has not got from the program that made its words: a home is given them when it is opened for
    /// writing.
    private func needTerms() throws {
        guard view.state.wordsVersion < 2 else { return }
        throw EngineError(
            .foreign,
            "the index of this home was made by an older program and does not know this condition; open it once for "
                + "writing, or `loci rebuild` it")
    }

    /// The passages that meet a filter, of whatever version.
    func set(_ filter: Filter, in transaction: borrowing ReadTransaction) throws -> PassageSet {
        switch filter {
        case .all(let parts):
            var set = PassageSet.full(capacity: view.capacity)
            for part in parts { set.formIntersection(try self.set(part, in: transaction)) }
            return set
        case .any(let parts):
            var set = PassageSet(capacity: view.capacity)
            for part in parts { set.formUnion(try self.set(part, in: transaction)) }
            return set
        case .not(let part):
            var set = try self.set(part, in: transaction)
            set.invert()
            return set
        case .kind(let kind):
            return try named(kind.rawValue, .kind, .kind, in: transaction) { $0.kind }
        case .actor(let name):
            return try named(name, .actor, .actor, in: transaction) { $0.actor }
        case .thread(let name):
            return try named(name, .thread, .thread, in: transaction) { $0.thread }
        case .principal(let name):
            return try named(name, .principal, .principal, in: transaction) { $0.principal }
        case .session(let name):
            return try named(name, .session, .session, in: transaction) { $0.session }
        case .ids(let ids):
            let rows = try ids.compactMap { try Lookup.row(of: $0, in: transaction) }
            return try of(Set(rows), in: transaction)
        case .key(let key): return try keyed(key, in: transaction)
        case .keyHasPrefix(let prefix):
            return try of(try rows(keyedFrom: prefix, in: transaction), in: transaction)
        case .tag(let name): return try term(FilterTerm.tag(name), in: transaction)
        case .tagHasPrefix(let prefix):
            return try terms(FilterTerm.tag, prefix, in: transaction) { fields in
                fields.tags.contains { $0.utf8.starts(with: prefix.utf8) }
            }
        case .keyword(let word):
            try needTerms()
            return try term(FilterTerm.keyword(word), in: transaction)
        case .attributeBetween(let name, let range):
            return try numbers(name, range, in: transaction)
        case .attributeHasPrefix(let name, let prefix):
            func spelled(_ text: String) -> [UInt8] { FilterTerm.attribute(name, .string(text)) }
            return try terms(spelled, prefix, in: transaction) { fields in
                guard case .string(let text)? = fields.attributes[name] else { return false }
                return text.utf8.starts(with: prefix.utf8)
            }
        case .agent(let name):
            try needTerms()
            return try term(FilterTerm.agent(name), in: transaction)
        case .model(let name):
            try needTerms()
            return try term(FilterTerm.model(name), in: transaction)
        case .source(let name):
            try needTerms()
            return try term(FilterTerm.source(name), in: transaction)
        case .sourceHasPrefix(let prefix):
            try needTerms()
            return try terms(FilterTerm.source, prefix, in: transaction) { fields in
                fields.origin.source?.utf8.starts(with: prefix.utf8) ?? false
            }
        case .mayContribute:
            try needTerms()
            return try term(FilterTerm.mayContribute, in: transaction)
        case .hasAttachment:
            try needTerms()
            return try mediaType("", in: transaction)
        case .mediaType(let prefix):
            try needTerms()
            return try mediaType(prefix, in: transaction)
        case .modality(.image):
            try needTerms()
            return try mediaType("image/", in: transaction)
        case .modality(.video):
            try needTerms()
            return try mediaType("video/", in: transaction)
        case .modality(.text):
            return try matching(.byteCount, in: transaction) {
                $0.u32(at: $1 * 4) > 0
            } tail: {
                $0.byteCount > 0
            }
        case .hasVector(let space): return try embedded(in: space, in: transaction)
        case .hasAttribute(let name): return try term(FilterTerm.hasAttribute(name), in: transaction)
        case .attribute(let name, let value):
            return try term(FilterTerm.attribute(name, value), in: transaction)
        case .trust(let least):
            return try matching(.trust, in: transaction) {
                $0.u8(at: $1) >= least.rawValue
            } tail: {
                $0.trust >= least.rawValue
            }
        case .importance(let least):
            return try matching(.importance, in: transaction) {
                $0.f32(at: $1 * 4) >= least
            } tail: {
                $0.importance >= least
            }
        case .isPinned: return try flagged(.pinned, in: transaction)
        case .isCurrent:
            var set = try flagged(.current, in: transaction)
            if try mayHoldOwn(in: transaction) {
                set.formUnion(try flagged(.currentOwn, in: transaction))
            }
            return set
        case .valid(let range):
            var set = try overlapping(range, .validFrom, .validUntil, in: transaction) {
                ($0.validFrom, $0.validUntil)
            }
            set.formIntersection(try present(in: transaction))
            return set
        case .expires(let range):
            var set = try within(range, .expires, in: transaction) { $0.expires }
            set.formIntersection(try present(in: transaction))
            return set
        case .happened(let range):
            return try overlapping(range, .happenedFrom, .happenedUntil, in: transaction) {
                ($0.happenedFrom, $0.happenedUntil)
            }
        case .recorded(let range):
            var set = try within(range, .recordedFrom, in: transaction) { $0.recordedFrom }
            set.formIntersection(try present(in: transaction))
            return set
        }
    }

    /// All passages that have not been forgotten.
    func present(in transaction: borrowing ReadTransaction) throws -> PassageSet {
        try matching(.flags, in: transaction) {
            $0.u8(at: $1) & PassageRow.Flags.erased.rawValue == 0
        } tail: {
            !$0.flags.contains(.erased)
        }
    }

    // MARK: Ways to look

    func matching(
        _ column: Column, in transaction: borrowing ReadTransaction, _ test: (RawSpan, Int) -> Bool,
        tail: (PassageRow) -> Bool
    ) throws -> PassageSet {
        var set = PassageSet(capacity: view.capacity)
        let folded = Int(view.state.foldedPassages)
        try view.forEachBlock(column, in: transaction) { first, bytes in
            // A word of the set is written when its last passage has been tested.
            var word: UInt64 = 0
            for index in 0..<min(column.rowsPerBlock, folded - first) {
                let bit = first + index
                word |= (test(bytes, index) ? 1 : 0) << UInt64(bit & 63)
                guard bit & 63 == 63 else { continue }
                set.formUnion(word, at: bit >> 6)
                word = 0
            }
            if word != 0 { set.formUnion(word, at: (min(first + column.rowsPerBlock, folded) - 1) >> 6) }
        }
        for entry in view.tail where tail(entry.front.row) { set.insert(entry.passage) }
        return set
    }

    private func named(
        _ name: String?, _ nameClass: NameClass, _ column: Column, in transaction: borrowing ReadTransaction,
        _ value: (PassageRow) -> UInt32
    ) throws -> PassageSet {
        var number: UInt32 = 0
        if let name {
            guard let found = try Names.number(of: name, nameClass, in: transaction) else {
                return PassageSet(capacity: view.capacity)
            }
            number = found
        }
        var set = try matching(column, in: transaction) {
            $0.u32(at: $1 * 4) == number
        } tail: {
            value($0) == number
        }
        if number == 0 { set.formIntersection(try present(in: transaction)) }
        return set
    }

    /// Passages with a time behind the moment of an interlude, which learns of the times of all.
    private func later(
        _ column: Column, noting interlude: inout Interlude, in transaction: borrowing ReadTransaction,
        tail: (PassageRow) -> Int64
    ) throws -> PassageSet {
        var noted = interlude
        let moment = noted.moment
        let set = try matching(column, in: transaction) {
            let time = $0.i64(at: $1 * 8)
            noted.note(time)
            return time > moment
        } tail: {
            let time = tail($0)
            noted.note(time)
            return time > moment
        }
        interlude = noted
        return set
    }

    /// Moments that lie in `range`; what is open lies in none.
    private func within(
        _ range: Range<Timestamp>, _ column: Column, in transaction: borrowing ReadTransaction,
        _ moment: (PassageRow) -> Int64
    ) throws -> PassageSet {
        let lower = range.lowerBound.microseconds
        let upper = range.upperBound.microseconds
        return try matching(column, in: transaction) {
            let time = $0.i64(at: $1 * 8)
            return time >= lower && time < upper
        } tail: {
            moment($0) >= lower && moment($0) < upper
        }
    }

    /// Intervals that share a moment with `range`.
    private func overlapping(
        _ range: Range<Timestamp>, _ from: Column, _ until: Column, in transaction: borrowing ReadTransaction,
        _ interval: (PassageRow) -> (Int64, Int64)
    ) throws -> PassageSet {
        let lower = range.lowerBound.microseconds
        let upper = range.upperBound.microseconds
        var set = try matching(from, in: transaction) {
            $0.i64(at: $1 * 8) < upper
        } tail: {
            interval($0).0 < upper
        }
        set.formIntersection(
            try matching(until, in: transaction) {
                $0.i64(at: $1 * 8) > lower
            } tail: {
                interval($0).1 > lower
            })
        return set
    }
}
