import MemoryEngine

/// BERT's tokenizer: a text becomes words, and each word the longest pieces of the vocabulary that it can be put
/// together from (Devlin et al., 2018; Schuster and Nakajima, 2012).
///
/// Text is data: `[SEP]` in it is five signs and letters, not the mark that ends a text.
package struct WordPiece: Sendable {
    /// Longer words are unknown.
    static let maximumWordLength = 100
    package static let maximumVocabularyCount = 4 << 20

    package let count: Int
    private let unknown, begin, end: Int32
    private let isLowercase: Bool
    private let characters: CharacterPages

    // The pieces' bytes, without the `##` of those that go on a word; and a table of them by their hashes.
    private let bytes: [UInt8]
    private let starts: [UInt32]
    /// Token + 1; 0 = free.
    private let table: [UInt32]
    private let goesOn: [Bool]
    private let maximumPieceLength: Int

    /// - Parameter vocabulary: the bytes of `vocab.txt`, a token a line.
    /// - Throws: `EngineError` with code `corrupted`.
    package init(vocabulary: [UInt8], isLowercase: Bool) throws {
        var bytes: [UInt8] = []
        var starts: [UInt32] = [0]
        var goesOn: [Bool] = []
        var special: [String: Int32] = [:]
        bytes.reserveCapacity(vocabulary.count)
        guard vocabulary.count <= 64 << 20 else {
            throw EngineError(.corrupted, "damaged: a vocabulary of \(vocabulary.count) bytes")
        }
        var place = 0
        while place < vocabulary.count {
            var lineEnd = place
            while lineEnd < vocabulary.count, vocabulary[lineEnd] != 0x0A { lineEnd += 1 }
            var line = vocabulary[place..<lineEnd]
            if line.last == 0x0D { line.removeLast() }
            place = lineEnd + 1
            if line.first == 0x5B, line.count <= 8 {
                special[String(decoding: line, as: UTF8.self)] = Int32(goesOn.count)
            }
            let isContinuation = line.count > 2 && line.starts(with: [0x23, 0x23])
            bytes += isContinuation ? line.dropFirst(2) : line
            starts.append(UInt32(bytes.count))
            goesOn.append(isContinuation)
            guard goesOn.count <= Self.maximumVocabularyCount else {
                throw EngineError(.corrupted, "damaged: a vocabulary of too many tokens")
            }
        }
        guard let unknown = special["[UNK]"], let begin = special["[CLS]"], let end = special["[SEP]"] else {
            throw EngineError(.corrupted, "damaged: its vocabulary lacks [UNK], [CLS] or [SEP]")
        }
        (self.unknown, self.begin, self.end) = (unknown, begin, end)
        (self.bytes, self.starts, self.goesOn, count) = (bytes, starts, goesOn, goesOn.count)
        self.isLowercase = isLowercase
        characters = CharacterPages(isLowercase: isLowercase)

        var size = 1_024
        while size < 2 * goesOn.count { size *= 2 }
        var table = [UInt32](repeating: 0, count: size)
        var longest = 0
        for token in goesOn.indices {
            let range = Int(starts[token])..<Int(starts[token + 1])
            var hash = Self.seed(goesOn: goesOn[token])
            for byte in bytes[range] { hash = Self.step(hash, byte) }
            var slot = Self.slot(hash, size)
            while table[slot] != 0 { slot = (slot + 1) & (size - 1) }
            table[slot] = UInt32(token + 1)
            longest = max(longest, range.count)
        }
        self.table = table
        maximumPieceLength = longest
    }

    /// The tokens of a text between the marks of its begin and end, at most `limit` of them in all.
    ///
    /// - Precondition: `limit` is at least 2.
    package func tokens(of text: String, atMost limit: Int) -> [Int32] {
        var reading = Reading(limit: limit - 1)
        reading.tokens.reserveCapacity(min(limit, text.utf8.count / 3 + 4))
        reading.tokens.append(begin)
        read(text.utf8Span.span, &reading)
        reading.tokens.append(end)
        return reading.tokens
    }

    /// What was read of a text.
    private struct Reading {
        var tokens: [Int32] = []
        /// The normalised bytes of the word that is being read, and how many characters they are.
        var word: [UInt8] = []
        var length = 0
        var hashes: [UInt64] = []
        let limit: Int

        init(limit: Int) { self.limit = limit }
        var isFull: Bool { tokens.count >= limit }
    }

    private func read(_ text: borrowing Span<UInt8>, _ reading: inout Reading) {
        var pageNumber = UInt32.max
        var page = CharacterPages.Page()
        var place = 0
        while place < text.count {
            if reading.isFull { return }
            let byte = text[place]
            if byte < 0x80 {
                place += 1
                switch ASCIIKind.of[Int(byte)] {
                case .letter:
                    reading.word.append(isLowercase && byte &- 0x41 < 26 ? byte | 0x20 : byte)
                    reading.length += 1
                case .space: endWord(&reading)
                case .punctuation:
                    endWord(&reading)
                    reading.word.append(byte)
                    reading.length = 1
                    endWord(&reading)
                case .dropped: break
                }
                continue
            }
            // A string is valid UTF-8.
            let length = byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
            var value = UInt32(byte) & (0xFF >> UInt32(length + 1))
            for next in place + 1..<place + length { value = value << 6 | UInt32(text[next] & 0x3F) }
            place += length
            if value / CharacterPages.pageLength != pageNumber {
                pageNumber = value / CharacterPages.pageLength
                page = characters.page(pageNumber)
            }
            add(Int(value % CharacterPages.pageLength), of: page, &reading)
        }
        endWord(&reading)
    }

    private func add(_ index: Int, of page: CharacterPages.Page, _ reading: inout Reading) {
        let kind = page.kinds[index]
        switch kind {
        case .dropped: return
        case .space: return endWord(&reading)
        case .ideograph: endWord(&reading)
        case .word: break
        }
        for piece in page.pieces[page.starts[index]..<page.starts[index + 1]] {
            if piece.isPunctuation { endWord(&reading) }
            for byte in 0..<piece.byteCount {
                reading.word.append(UInt8(truncatingIfNeeded: piece.bytes >> UInt32(8 * byte)))
            }
            reading.length += 1
            if piece.isPunctuation { endWord(&reading) }
        }
        if kind == .ideograph { endWord(&reading) }
    }

    /// Adds the tokens of the word that was read: of what is left the longest piece, again and again.
    private func endWord(_ reading: inout Reading) {
        guard !reading.word.isEmpty else { return }
        defer {
            reading.word.removeAll(keepingCapacity: true)
            reading.length = 0
        }
        guard !reading.isFull else { return }
        guard reading.length <= Self.maximumWordLength else { return reading.tokens.append(unknown) }
        let first = reading.tokens.count
        var begin = 0
        while begin < reading.word.count {
            guard let (token, length) = longestPiece(from: begin, &reading) else {
                reading.tokens.removeLast(reading.tokens.count - first)
                reading.tokens.append(unknown)
                return
            }
            reading.tokens.append(token)
            begin += length
        }
        if reading.tokens.count > reading.limit {
            reading.tokens.removeLast(reading.tokens.count - reading.limit)
        }
    }

    private func longestPiece(from begin: Int, _ reading: inout Reading) -> (token: Int32, length: Int)? {
        let longest = min(reading.word.count - begin, maximumPieceLength)
        var hash = Self.seed(goesOn: begin > 0)
        reading.hashes.removeAll(keepingCapacity: true)
        for place in begin..<begin + longest {
            hash = Self.step(hash, reading.word[place])
            reading.hashes.append(hash)
        }
        for length in stride(from: longest, through: 1, by: -1) {
            if let token = find(reading.hashes[length - 1], reading.word, begin, length) {
                return (token, length)
            }
        }
        return nil
    }

    private func find(_ hash: UInt64, _ word: [UInt8], _ begin: Int, _ length: Int) -> Int32? {
        var slot = Self.slot(hash, table.count)
        while table[slot] != 0 {
            let token = Int(table[slot]) - 1
            let start = Int(starts[token])
            if Int(starts[token + 1]) - start == length, goesOn[token] == (begin > 0) {
                var same = 0
                while same < length, bytes[start + same] == word[begin + same] { same += 1 }
                if same == length { return Int32(token) }
            }
            slot = (slot + 1) & (table.count - 1)
        }
        return nil
    }

    private static func seed(goesOn: Bool) -> UInt64 {
        goesOn ? 0x9E37_79B9_7F4A_7C15 : 0xCBF2_9CE4_8422_2325
    }
    private static func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
        (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
    }
    private static func slot(_ hash: UInt64, _ size: Int) -> Int {
        Int(truncatingIfNeeded: hash ^ hash >> 29) & (size - 1)
    }
}
