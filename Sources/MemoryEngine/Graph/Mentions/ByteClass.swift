/// What the bytes of a run are, as a set.
struct ByteClass: OptionSet, Sendable {
    let rawValue: UInt16

    static let lower = ByteClass(rawValue: 1)
    static let upper = ByteClass(rawValue: 2)
    static let digit = ByteClass(rawValue: 4)
    static let underscore = ByteClass(rawValue: 8)
    static let point = ByteClass(rawValue: 16)
    static let slash = ByteClass(rawValue: 32)
    static let at = ByteClass(rawValue: 64)
    static let colon = ByteClass(rawValue: 128)
    static let hash = ByteClass(rawValue: 256)
    static let hyphen = ByteClass(rawValue: 512)
    static let apostrophe = ByteClass(rawValue: 1_024)
    /// Bytes of scalars beyond ASCII.
    static let wide = ByteClass(rawValue: 2_048)
    /// Ends a run: white space, brackets, quotes, commas and their like.
    static let delimiter = ByteClass(rawValue: 4_096)
    /// `+`, `~`, `%`, `$`, `&`, `!`, `?`, `\`, `^`.
    static let other = ByteClass(rawValue: 8_192)

    /// Of each byte.
    static let table: [ByteClass] = (0...255).map { byte in
        switch Unicode.Scalar(UInt8(byte)) {
        case "a"..."z": .lower
        case "A"..."Z": .upper
        case "0"..."9": .digit
        case "_": .underscore
        case ".": .point
        case "/": .slash
        case "@": .at
        case ":": .colon
        case "#": .hash
        case "-": .hyphen
        case "'": .apostrophe
        case "\u{0}"..." ", "(", ")", "[", "]", "{", "}", "<", ">", "\"", ",", ";", "|", "=", "*", "`":
            .delimiter
        default: byte >= 0x80 ? .wide : .other
        }
    }
}
