import Store

/// Memories by what others call them: the first line of a commit, the path, title and aliases of a note.
extension Applier {
    /// How many memories of one name are looked at.
    private static let maximumNamesakeCount = 64

    /// The commit with a first line; `nil` where there are several, or none.
    static func row(ofSubject subject: String, in transaction: borrowing ReadTransaction) throws -> UInt64? {
        var found: [UInt64] = []
        for (row, version, number) in try named(.subject(subject), in: transaction) {
            let content = try version.content(
                row, number, 0..<min(400, Int(version.contentByteCount)), in: transaction)
            if References.subject(of: content, kind: version.fields.kind) == subject { found.append(row) }
        }
        return found.count == 1 ? found[0] : nil
    }

    /// The note that a link leads to: the one whose whole path it is, else the only one whose path ends so, else the
    /// only one of that title or alias. `nil` where there are several, or none.
    static func row(ofNote target: String, in transaction: borrowing ReadTransaction) throws -> UInt64? {
        var rows: [NoteName.Match: [UInt64]] = [:]
        for (row, version, _) in try named(.note(target), in: transaction) {
            if let match = NoteName.match(target, version.fields) { rows[match, default: []].append(row) }
        }
        for match in [NoteName.Match.wholePath, .path, .title] {
            if let found = rows[match] { return found.count == 1 ? found[0] : nil }
        }
        return nil
    }

    /// The newest versions of memories that are filed under the name of a target, or of one with the same hash.
    private static func named(
        _ target: Reference.Target, in transaction: borrowing ReadTransaction
    ) throws -> [(row: UInt64, version: VersionRecord, number: UInt32)] {
        guard let hash = References.name(of: target) else { return [] }
        var rows: [UInt64] = []
        try Schema.shared.scan(prefix: References.namePrefix(hash), in: transaction) { key, _ in
            guard key.byteCount == 13 else { throw StoreError(.corrupted, "a key of a name is not one") }
            rows.append(key.keyU64(at: 5))
            return rows.count < maximumNamesakeCount
        }
        return try rows.map { row in
            guard let head = try HeadRecord.read(row, in: transaction),
                let version = try VersionRecord.read(row, head.version, in: transaction)
            else { throw StoreError(.corrupted, "a name leads to row \(row), which is not there") }
            return (row, version, head.version)
        }
    }
}
