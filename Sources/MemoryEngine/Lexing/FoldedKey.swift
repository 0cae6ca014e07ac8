/// The key of a name or an identifier: its letters as the index of words folds them (lower case, without
/// marks), digits and signs as they are, white space as one space. So "José  Núñez" and "jose nunez" have one key.
enum FoldedKey {
    /// - Complexity: O(n) in the bytes.
    static func fold(_ utf8: Span<UInt8>, _ range: Range<Int>) -> String {
        if range.allSatisfy({ utf8[$0] < 0x80 }) { return foldASCII(utf8, range) }
        var scalars = String.UnicodeScalarView()
        var index = range.lowerBound
        var isBehindSpace = true
        while index < range.upperBound {
            let (value, byteCount) = decodeScalar(in: utf8, at: index)
            index += byteCount
            if value <= 0x20 || value == 0xA0 || value == 0x2028 || value == 0x2029 {
                if !isBehindSpace { scalars.append(" ") }
                isBehindSpace = true
                continue
            }
            isBehindSpace = false
            let word = WordScalar(value)
            switch word.wordClass {
            case .letter, .digit, .joiner, .unspaced, .mark:
                var rest = word.folded
                while rest != 0 {
                    if let scalar = Unicode.Scalar(UInt32(rest & 0x1F_FFFF)) { scalars.append(scalar) }
                    rest >>= 21
                }
            case .ignorable: break
            case .separator, .underscore, .silentJoiner:
                if let scalar = Unicode.Scalar(value) { scalars.append(scalar) }
            }
        }
        if scalars.last == " " { scalars.removeLast() }
        return String(scalars)
    }

    private static func foldASCII(_ utf8: Span<UInt8>, _ range: Range<Int>) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        for index in range {
            let byte = utf8[index]
            if byte > 0x20 {
                bytes.append(byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte)
            } else if let last = bytes.last, last != 0x20 {
                bytes.append(0x20)
            }
        }
        if bytes.last == 0x20 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func fold(_ text: String) -> String {
        let span = text.utf8.span
        return fold(span, 0..<span.count)
    }
}
