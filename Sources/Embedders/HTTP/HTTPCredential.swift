/// What proves to a server who asks: a key, in a header of its own.
///
/// It shows itself to nobody: it describes and mirrors itself without its key, errors are scrubbed of it, and
/// `HTTPRequest` refuses it in an URL.
package struct HTTPCredential: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    let header: String
    let prefix: String
    let key: String

    /// `Authorization: Bearer KEY`.
    ///
    /// - Throws: `HTTPError` with code `invalid` for a key that cannot be one: empty, or with a space or a sign that is
    ///   none of ASCII's.
    package static func bearer(_ key: String) throws -> HTTPCredential {
        try HTTPCredential(header: "Authorization", prefix: "Bearer ", key: key)
    }

    /// A header of the service's own, such as `x-api-key: KEY`. Throws as `bearer` does.
    package static func header(_ name: String, _ key: String) throws -> HTTPCredential {
        guard HTTPHeader.isName(name) else {
            throw HTTPError(.invalid, "the name of a header for a key is none")
        }
        return try HTTPCredential(header: name, prefix: "", key: key)
    }

    private init(header: String, prefix: String, key: String) throws {
        guard !key.isEmpty, key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw HTTPError(.invalid, "a key is empty, or has a space or a sign that no key has")
        }
        (self.header, self.prefix, self.key) = (header, prefix, key)
    }

    package var description: String { "[key]" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}

extension HTTPCredential {
    /// How many signs in a row of a key give it away.
    private static let tellingCount = 8

    /// `bytes` as a line of text of at most `limit` characters, without the key and without any eight signs in a row of it,
    /// since services repeat parts of a wrong key.
    static func excerpt(
        of bytes: some Collection<UInt8>, without credential: HTTPCredential?, limit: Int = 300
    )
        -> String
    {
        // What is cut off here cannot leave much of a key behind: what is left of it is scrubbed as well.
        var text = Array(bytes.prefix(4_096))
        if let credential { text = scrubbed(text, of: Array(credential.key.utf8)) }
        let words = String(decoding: text, as: UTF8.self).split { character in
            character.isWhitespace
                || character.unicodeScalars.contains { $0.properties.generalCategory == .control }
        }
        let line = words.joined(separator: " ")
        return line.count > limit ? line.prefix(limit) + "…" : line
    }

    private static func scrubbed(_ text: [UInt8], of key: [UInt8]) -> [UInt8] {
        let count = min(tellingCount, key.count)
        guard text.count >= count else { return text }
        let pieces = Set((0...key.count - count).map { key[$0..<$0 + count] })
        var isTelling = [Bool](repeating: false, count: text.count)
        for start in 0...text.count - count where pieces.contains(text[start..<start + count]) {
            for index in start..<start + count { isTelling[index] = true }
        }
        var kept: [UInt8] = []
        for index in text.indices {
            if !isTelling[index] {
                kept.append(text[index])
            } else if index == 0 || !isTelling[index - 1] {
                kept += "[key]".utf8
            }
        }
        return kept
    }
}
