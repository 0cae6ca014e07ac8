/// Cuts a JSON list into its elements, one after another, so that a file of any size is read with the memory that
/// its largest element takes. A text that is no list is its only element.
///
/// It looks at brackets and quotation marks only; what is between them is the parser's to judge.
struct JSONElements {
    let stream: ByteStream
    /// Longer elements are passed over.
    let maximumByteCount: Int

    private var piece: [UInt8] = []
    private var position = 0
    private var place = Place.before

    private enum Place {
        case before
        case inList
        case atEnd
    }

    init(_ stream: ByteStream, maximumByteCount: Int = 256 << 20) {
        self.stream = stream
        self.maximumByteCount = maximumByteCount
    }

    /// The bytes of the next element; `nil` at the end.
    ///
    /// - Throws: an `ImportError`: fatal where the list is none or has no end, else for an element that is too long.
    mutating func next() throws(ImportError) -> [UInt8]? {
        if place == .atEnd { return nil }
        guard let first = try skipSpace() else {
            defer { place = .atEnd }
            if place == .before { return nil }
            throw unfinished
        }
        guard place == .inList else {
            guard first == UInt8(ascii: "[") else {
                place = .atEnd
                return try element(untilEnd: true)
            }
            position += 1
            place = .inList
            if try skipSpace() == UInt8(ascii: "]") {
                try end()
                return nil
            }
            return try element(untilEnd: false)
        }
        switch first {
        case UInt8(ascii: ","):
            position += 1
            return try element(untilEnd: false)
        case UInt8(ascii: "]"):
            try end()
            return nil
        default: throw ImportError(isFatal: true, "no JSON: there is no `,` between two elements of the list")
        }
    }

    /// Steps behind the list; only space may follow.
    private mutating func end() throws(ImportError) {
        position += 1
        place = .atEnd
        if try skipSpace() != nil {
            throw ImportError(isFatal: true, "no JSON: something follows the end of the list")
        }
    }

    /// - Parameter untilEnd: whether brackets and commas at the outermost end nothing.
    private mutating func element(untilEnd: Bool) throws(ImportError) -> [UInt8] {
        var element: [UInt8] = []
        var byteCount = 0
        var depth = 0
        var isInString = false
        var isEscaped = false
        while try fill() {
            let begin = position
            var isFinished = false
            scan: while position < piece.count {
                let byte = piece[position]
                if isInString {
                    if isEscaped {
                        isEscaped = false
                    } else if byte == UInt8(ascii: "\\") {
                        isEscaped = true
                    } else if byte == UInt8(ascii: "\"") {
                        isInString = false
                    }
                } else {
                    switch byte {
                    case UInt8(ascii: "\""): isInString = true
                    case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
                    case UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: ","):
                        if depth == 0, !untilEnd {
                            isFinished = true
                            break scan
                        }
                        if byte != UInt8(ascii: ",") { depth -= 1 }
                    default: break
                    }
                }
                position += 1
            }
            byteCount += position - begin
            if byteCount <= maximumByteCount {
                element += piece[begin..<position]
            } else {
                element = []
            }
            if isFinished {
                guard byteCount <= maximumByteCount else { throw tooLong }
                return element
            }
        }
        guard untilEnd else { throw unfinished }
        guard byteCount <= maximumByteCount else { throw tooLong }
        return element
    }

    private var tooLong: ImportError {
        ImportError("an element of the list has more than \(maximumByteCount >> 20) MiB, and is left out")
    }

    private var unfinished: ImportError {
        ImportError(isFatal: true, "no JSON: the file ends before its list does")
    }

    /// - Returns: the byte at the position behind space, and a mark of the order of bytes; `nil` at the end.
    private mutating func skipSpace() throws(ImportError) -> UInt8? {
        while try fill() {
            if place == .before, piece[position...].starts(with: [0xEF, 0xBB, 0xBF]) { position += 3 }
            while position < piece.count {
                switch piece[position] {
                case 0x20, 0x0A, 0x0D, 0x09: position += 1
                default: return piece[position]
                }
            }
        }
        return nil
    }

    /// Reads the next piece where this one is used up.
    private mutating func fill() throws(ImportError) -> Bool {
        if position == piece.count {
            piece = try stream.read()
            position = 0
        }
        return !piece.isEmpty
    }
}
