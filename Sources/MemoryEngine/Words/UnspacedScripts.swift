/// The scripts that are written without spaces between words, and so are indexed by pairs of signs.
enum UnspacedScripts {
    /// The scalar to write for a sign of such a script; nil for every other scalar. Half-width Katakana
    /// becomes Katakana.
    static func folded(_ value: UInt32) -> UInt32? {
        switch value {
        // Thai and Lao letters; their vowel signs above and below are marks, their digits digits.
        case 0x0E01...0x0E30, 0x0E32...0x0E33, 0x0E40...0x0E46, 0x0E81...0x0EB0, 0x0EB2...0x0EB3,
            0x0EBD...0x0EC6, 0x0EDC...0x0EDF:
            value
        // Myanmar, Khmer, Tai Le, New Tai Lue, Tai Tham, Tai Viet.
        case 0x1000...0x102A, 0x103F, 0x1050...0x1055, 0x105A...0x105D, 0x1061, 0x1065...0x1066,
            0x106E...0x1070, 0x1075...0x1081, 0x108E, 0x1780...0x17B3, 0x17D7, 0x17DC, 0x1950...0x1974,
            0x1980...0x19AB, 0x19B0...0x19C9, 0x1A20...0x1A54, 0xA9E0...0xA9E4, 0xA9E6...0xA9EF,
            0xA9FA...0xA9FE, 0xAA60...0xAA76, 0xAA7A, 0xAA7E...0xAAAF, 0xAAB1, 0xAAB5...0xAAB6,
            0xAAB9...0xAABD, 0xAAC0, 0xAAC2, 0xAADB...0xAADD:
            value
        // Hangul: letters of their own, and syllables.
        case 0x1100...0x11FF, 0x3131...0x318E, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xD7B0...0xD7C6,
            0xD7CB...0xD7FB:
            value
        // Han with its iteration marks, Bopomofo.
        case 0x2E80...0x2FD5, 0x3005...0x3007, 0x3021...0x3029, 0x3038...0x303B, 0x3105...0x312F,
            0x31A0...0x31BF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAD9, 0x20000...0x323AF:
            value
        // Hiragana and Katakana, the marks of voice among them.
        case 0x3041...0x3096, 0x3099...0x309A, 0x309D...0x309F, 0x30A1...0x30FA, 0x30FC...0x30FF,
            0x31F0...0x31FF:
            value
        case 0xFF66...0xFF9F: halfWidthKatakana[Int(value - 0xFF66)]
        default: nil
        }
    }

    /// The sign that two scalars are when they are written as one, if there is one: syllables of Hangul
    /// from their letters (The Unicode Standard, section 3.12), and voiced Kana from Kana and mark. So the
    /// decomposed form of a text has the terms of its composed form.
    static func composition(of first: UInt32, and second: UInt32) -> UInt32? {
        switch second {
        case 0x1161...0x1175:
            guard (0x1100...0x1112).contains(first) else { return nil }
            return 0xAC00 + ((first - 0x1100) * 21 + (second - 0x1161)) * 28
        case 0x11A8...0x11C2:
            guard (0xAC00...0xD7A3).contains(first), (first - 0xAC00) % 28 == 0 else { return nil }
            return first + (second - 0x11A7)
        case 0x3099: return voicedKana[first]
        case 0x309A: return halfVoicedKana[first]
        default: return nil
        }
    }

    private static let halfWidthKatakana: [UInt32] =
        "ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン\u{3099}\u{309A}"
        .unicodeScalars.map(\.value)

    private static let voicedKana: [UInt32: UInt32] = {
        var pairs: [UInt32: UInt32] = [0x3046: 0x3094, 0x30A6: 0x30F4, 0x309D: 0x309E, 0x30FD: 0x30FE]
        for kana in "かきくけこさしすせそたちつてとはひふへほカキクケコサシスセソタチツテトハヒフヘホ".unicodeScalars {
            pairs[kana.value] = kana.value + 1
        }
        for kana in "ワヰヱヲ".unicodeScalars { pairs[kana.value] = kana.value + 8 }
        return pairs
    }()

    private static let halfVoicedKana: [UInt32: UInt32] = {
        var pairs: [UInt32: UInt32] = [:]
        for kana in "はひふへほハヒフヘホ".unicodeScalars { pairs[kana.value] = kana.value + 2 }
        return pairs
    }()
}
