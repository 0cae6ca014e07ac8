/// Cuts a text into passages, by a fixed rule: what is indexed, and found, is a passage.
///
/// A text that fits is one passage. Of a longer one, paragraphs (between blank lines) are put together
/// while they fit. A paragraph that does not fit is cut into sentences, a sentence that does not into
/// lines, a line into words at white space, and a word at a scalar boundary; what is cut starts a new
/// passage, its pieces are put together while they fit, and the last of them goes on with what follows.
///
/// What must stay true: passages are ranges of bytes of the text, in order, without overlap, none empty and
/// none longer than the maximum; none begins or ends with white space; together they hold every byte that
/// is not white space; and none begins or ends within a scalar. Passages are stored by their ranges, and so
/// a change of the rule holds for new texts only.
package struct PassageSplitter: Sendable {
    /// The most bytes that a passage has.
    package let maximumByteCount: Int

    /// - Parameter maximumByteCount: At least 4, the bytes of the longest scalar. The default is about two
    ///   hundred words: what embedding models take at once, and little enough to be read as one hit.
    package init(maximumByteCount: Int = 1_200) {
        precondition(maximumByteCount >= 4, "a passage of at most \(maximumByteCount) bytes holds no scalar")
        self.maximumByteCount = maximumByteCount
    }

    /// The passages of a text; none if it is white space only.
    ///
    /// - Parameter utf8: The text. In bytes that are not UTF-8, a scalar boundary is any byte that is not a
    ///   continuation, or failing that, any byte.
    /// - Complexity: O(n) in the bytes.
    package func split(_ utf8: Span<UInt8>) -> [Range<Int>] {
        var steps = 0
        return split(utf8, countingSteps: &steps)
    }

    /// The passages of a text; none if it is white space only.
    package func split(_ text: String) -> [Range<Int>] {
        split(text.utf8.span)
    }

    /// Splits, and adds to `steps` how many scalars were looked at, so that a test can tell that the work
    /// is linear.
    package func split(_ utf8: Span<UInt8>, countingSteps steps: inout Int) -> [Range<Int>] {
        var packer = PassagePacker(maximumByteCount: maximumByteCount)
        packer.pack(utf8, 0..<utf8.count, cutAt: .paragraph)
        packer.close()
        steps += packer.steps
        return packer.passages
    }
}

extension PassageSplitter {
    /// The sentences of a text, without the white space around them. A line that ends without a mark ends a sentence too,
    /// unless the next one goes on with a small letter.
    ///
    /// - Complexity: O(n) in the bytes.
    static func sentences(of utf8: Span<UInt8>) -> [Range<Int>] {
        var packer = PassagePacker(maximumByteCount: 0)
        var (found, steps, start): ([Range<Int>], Int, Int) = ([], 0, 0)
        while start < utf8.count {
            var line = Cut.line.end(in: utf8, from: start, to: utf8.count, counting: &steps)
            while line < utf8.count, (0x61...0x7A).contains(utf8[line]) {
                line = Cut.line.end(in: utf8, from: line, to: utf8.count, counting: &steps)
            }
            while start < line {
                let end = Cut.sentence.end(in: utf8, from: start, to: line, counting: &steps)
                let sentence = packer.trimmed(utf8, start..<end)
                if !sentence.isEmpty { found.append(sentence) }
                start = end
            }
        }
        return found
    }
}

/// Puts pieces of text together into passages.
private struct PassagePacker {
    let maximumByteCount: Int
    private(set) var passages: [Range<Int>] = []
    private(set) var steps = 0
    /// The passage that the next piece may still join.
    private var open: Range<Int>?

    init(maximumByteCount: Int) {
        self.maximumByteCount = maximumByteCount
    }

    mutating func close() {
        if let open { passages.append(open) }
        open = nil
    }

    /// Packs the pieces of `range` that end where `cut` says; those that are too long are cut finer. Each
    /// level looks at each scalar of its range a bounded number of times, and there are five levels.
    mutating func pack(_ utf8: Span<UInt8>, _ range: Range<Int>, cutAt cut: Cut) {
        guard let finer = cut.finer else {
            packScalars(utf8, range)
            return
        }
        var start = range.lowerBound
        while start < range.upperBound {
            let end = cut.end(in: utf8, from: start, to: range.upperBound, counting: &steps)
            add(utf8, trimmed(utf8, start..<end), cutInto: finer)
            start = end
        }
    }

    private mutating func add(_ utf8: Span<UInt8>, _ piece: Range<Int>, cutInto finer: Cut) {
        if piece.isEmpty { return }
        if let current = open, piece.upperBound - current.lowerBound <= maximumByteCount {
            open = current.lowerBound..<piece.upperBound
            return
        }
        close()
        if piece.count <= maximumByteCount {
            open = piece
        } else {
            pack(utf8, piece, cutAt: finer)
        }
    }

    /// Cuts what has no white space at scalar boundaries.
    private mutating func packScalars(_ utf8: Span<UInt8>, _ range: Range<Int>) {
        var start = range.lowerBound
        while start < range.upperBound {
            close()
            var end = min(start + maximumByteCount, range.upperBound)
            if end < range.upperBound {
                let limit = end - 3
                while end > limit, utf8[end] & 0xC0 == 0x80 { end -= 1 }
                // Four continuations in a row are no UTF-8.
                if utf8[end] & 0xC0 == 0x80 { end = start + maximumByteCount }
            }
            steps += 1
            open = start..<end
            start = end
        }
    }

    /// The range without the white space at its ends.
    fileprivate mutating func trimmed(_ utf8: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        while start < range.upperBound, let byteCount = whiteSpace(in: utf8, at: start) {
            start = min(start + byteCount, range.upperBound)
            steps += 1
        }
        var end = range.upperBound
        scan: while end > start {
            steps += 1
            for byteCount in 1...3 where end - byteCount >= start {
                if whiteSpace(in: utf8, at: end - byteCount) == byteCount {
                    end -= byteCount
                    continue scan
                }
            }
            break
        }
        return start..<end
    }
}

/// Where a text may be cut, from the coarsest to the finest.
private enum Cut {
    case paragraph
    case sentence
    case line
    case word
    case scalar

    var finer: Cut? {
        switch self {
        case .paragraph: .sentence
        case .sentence: .line
        case .line: .word
        case .word: .scalar
        case .scalar: nil
        }
    }

    /// Where the piece ends that begins at `start`: behind it, and behind `start`, and at most at `limit`.
    func end(in utf8: Span<UInt8>, from start: Int, to limit: Int, counting steps: inout Int) -> Int {
        var index = start
        while index < limit {
            steps += 1
            let (value, byteCount) = decodeScalar(in: utf8, at: index)
            let next = min(index + byteCount, limit)
            switch self {
            case .paragraph:
                if isNewline(value), let end = blankLineEnd(in: utf8, from: next, to: limit, counting: &steps)
                {
                    return end
                }
            case .sentence:
                if let end = SentenceEnd.end(
                    in: utf8, from: start, of: value, at: index, next: next, to: limit)
                {
                    return end
                }
            case .line:
                if isNewline(value) { return next }
            case .word, .scalar:
                if whiteSpace(in: utf8, at: index) != nil { return next }
            }
            index = next
        }
        return limit
    }

    /// Behind the blank line that begins at `start`, which is the beginning of a line; nil if that line holds
    /// anything.
    private func blankLineEnd(
        in utf8: Span<UInt8>, from start: Int, to limit: Int, counting steps: inout Int
    ) -> Int? {
        var index = start
        // "\r\n" is one line end.
        if index < limit, utf8[index - 1] == UInt8(ascii: "\r"), utf8[index] == UInt8(ascii: "\n") {
            index += 1
        }
        while index < limit, let byteCount = whiteSpace(in: utf8, at: index) {
            steps += 1
            if isNewline(decodeScalar(in: utf8, at: index).value) { return min(index + byteCount, limit) }
            index += byteCount
        }
        return nil
    }
}

/// Tells where sentences end.
private enum SentenceEnd {
    /// Where a sentence ends whose last mark could be the scalar `value` at `index`: behind the quotes and
    /// brackets that close it. The marks of Chinese and Japanese end it anywhere, the others before white
    /// space and at the end, and a point not behind an initial or an abbreviation.
    static func end(
        in utf8: Span<UInt8>, from start: Int, of value: UInt32, at index: Int, next: Int, to limit: Int
    ) -> Int? {
        switch value {
        case 0x3002, 0xFF01, 0xFF1F, 0xFF61:
            return behindClosers(in: utf8, from: next, to: limit)
        case 0x21, 0x3F, 0x2026, 0x203C...0x203D, 0x2047...0x2049, 0x061F, 0x06D4, 0x0964...0x0965, 0x1362,
            0x17D4:
            let end = behindClosers(in: utf8, from: next, to: limit)
            return isBeforeSpace(utf8, end, limit) ? end : nil
        case 0x2E:
            let end = behindClosers(in: utf8, from: next, to: limit)
            guard isBeforeSpace(utf8, end, limit) else { return nil }
            return isAbbreviation(in: utf8, from: start, endingAt: index) ? nil : end
        default:
            return nil
        }
    }

    private static func isBeforeSpace(_ utf8: Span<UInt8>, _ index: Int, _ limit: Int) -> Bool {
        index >= limit || whiteSpace(in: utf8, at: index) != nil
    }

    /// At most four closing signs belong to a sentence.
    private static func behindClosers(in utf8: Span<UInt8>, from start: Int, to limit: Int) -> Int {
        var index = start
        for _ in 0..<4 where index < limit {
            let (value, byteCount) = decodeScalar(in: utf8, at: index)
            switch value {
            case 0x22, 0x27, 0x29, 0x5D, 0x7D, 0xBB, 0x2019, 0x201D, 0x300D, 0x300F, 0x3011, 0xFF09:
                index = min(index + byteCount, limit)
            default: return index
            }
        }
        return index
    }

    /// Whether the point at `point` ends an abbreviation: a single letter ("J. Smith", "e.g."), or one of
    /// the usual ones.
    private static func isAbbreviation(in utf8: Span<UInt8>, from start: Int, endingAt point: Int) -> Bool {
        var packed: UInt64 = 0
        var count = 0
        while count < 8, point - count > start, isASCIILetter(utf8[point - count - 1]) {
            packed |= UInt64(utf8[point - count - 1] | 0x20) << UInt64(8 * count)
            count += 1
        }
        // The word must be all there: not the tail of a longer one, or of one with other letters in it.
        let isWhole = point - count == start || isBorder(utf8[point - count - 1])
        guard isWhole, (1...7).contains(count) else { return false }
        return count == 1 || abbreviations.contains(packed)
    }

    private static func isBorder(_ byte: UInt8) -> Bool {
        byte < 0x80 && !isASCIILetter(byte) && !isASCIIDigit(byte)
    }

    private static let abbreviations = Set(
        """
        mr mrs ms dr prof sr jr st vs cf etc al eg ie resp approx ca incl esp misc viz
        inc ltd co corp dept est fig figs eq eqs sec ch vol pp ed eds nr nos
        gen gov sen rep rev hon capt cmdr sgt col lt maj adm
        jan feb mar apr jun jul aug sep sept oct nov dec
        """
        .split(whereSeparator: \.isWhitespace).map { Affix(String($0)).packed })
}

private func isNewline(_ value: UInt32) -> Bool {
    switch value {
    case 0x0A, 0x0D, 0x85, 0x2028, 0x2029: true
    default: false
    }
}

/// The bytes of the white space at `index`; nil if there is none (Unicode's White_Space).
private func whiteSpace(in utf8: Span<UInt8>, at index: Int) -> Int? {
    let byte = utf8[index]
    if byte < 0x80 { return byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) ? 1 : nil }
    guard byte == 0xC2 || (0xE1...0xE3).contains(byte) else { return nil }
    let (value, byteCount) = decodeScalar(in: utf8, at: index)
    switch value {
    case 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: return byteCount
    default: return nil
    }
}
