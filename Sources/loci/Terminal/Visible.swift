/// Text of other people, made fit for a terminal.
///
/// A terminal obeys control characters: it would color, overwrite or retitle itself, or type for its user. So none
/// of a memory's reaches it, nor those that turn the direction of writing, which make a text look like another
/// (Boucher and Anderson, "Trojan Source", 2021). JSON escapes its own.
enum Visible {
    /// The text with ends of lines and tabulators as they are; each other control as a sign of its own, `␛`.
    static func text(_ text: String) -> String {
        replacing(in: text) { scalar, next in
            switch scalar {
            case "\n", "\t": nil
            // The end of a line as Windows has it.
            case "\r" where next == "\n": ""
            default: isControl(scalar) ? String(Character(picture(scalar))) : nil
            }
        }
    }

    /// The text on one line: ends of lines and other controls as `\n` and `\u{1B}`.
    static func line(_ text: String) -> String {
        replacing(in: text) { scalar, _ in
            switch scalar {
            case "\n": "\\n"
            case "\r": "\\r"
            case "\t": "\\t"
            default:
                isControl(scalar) ? "\\u{\(String(scalar.value, radix: 16, uppercase: true))}" : nil
            }
        }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        // C0, DEL and C1; the separators of lines; embeddings, overrides and isolates of direction.
        case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}"..."\u{202E}", "\u{2066}"..."\u{2069}": true
        default: false
        }
    }

    /// Unicode has a picture of each control of ASCII.
    private static func picture(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar.value {
        case 0..<0x20: Unicode.Scalar(0x2400 + scalar.value) ?? "\u{FFFD}"
        case 0x7F: "\u{2421}"
        default: "\u{FFFD}"
        }
    }

    /// - Parameter replacement: of a scalar, with the one that follows; `nil` = it stays.
    private static func replacing(
        in text: String, _ replacement: (Unicode.Scalar, Unicode.Scalar?) -> String?
    ) -> String {
        // What has no such scalar holds none of their first bytes, and nearly no text does.
        let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != 0xC2 && $0 != 0xE2 }
        if isPlain { return text }
        var shown = String.UnicodeScalarView()
        let scalars = text.unicodeScalars
        var index = scalars.startIndex
        while index < scalars.endIndex {
            let scalar = scalars[index]
            scalars.formIndex(after: &index)
            let next = index < scalars.endIndex ? scalars[index] : nil
            if let replacement = replacement(scalar, next) {
                shown.append(contentsOf: replacement.unicodeScalars)
            } else {
                shown.append(scalar)
            }
        }
        return String(shown)
    }
}
