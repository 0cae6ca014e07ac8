import Foundation

/// The different words of a text, in the order in which they first appear, with their hashes.
///
/// Hashes are of Unicode scalars and are part of the revision of `HashEmbedder`'s space: stored vectors
/// were made by them.
struct HashedWords {
    struct Entry {
        let hash: UInt64
        var count: Int
        /// What it weighs for its rarity.
        let weight: Float
        /// Where its scalars are; a mark of its beginning stands before them, one of its end behind.
        let range: Range<Int>
        let hasPieces: Bool
    }

    private(set) var entries: [Entry] = []
    private var scalars: [UInt32] = []
    private var entryOfHash: [UInt64: Int] = [:]

    /// Longer runs of letters and digits are no words (numbers, keys, encoded bytes): they are cut.
    static let maximumWordLength = 40

    private static let beginMark: UInt32 = 1
    private static let endMark: UInt32 = 2

    init(of text: String) {
        scalars.reserveCapacity(min(text.utf8.count + 16, 1 << 16))
        var word: [UInt32] = []
        word.reserveCapacity(Self.maximumWordLength)
        var needsFolding = false
        // The last character of a script without spaces, while such characters follow each other.
        var previous: UInt32?

        func endWord() {
            guard !word.isEmpty else { return }
            if needsFolding { word = Self.folded(word) }
            if !word.isEmpty { add(word, hasPieces: true) }
            word.removeAll(keepingCapacity: true)
            needsFolding = false
        }

        for scalar in text.unicodeScalars {
            let value = scalar.value
            if value < 0x80 {
                previous = nil
                switch value {
                case 0x61...0x7A, 0x30...0x39: word.append(value)
                case 0x41...0x5A: word.append(value | 0x20)
                default:
                    endWord()
                    continue
                }
            } else {
                switch Self.class(of: scalar) {
                case .letter:
                    previous = nil
                    word.append(value)
                    needsFolding = true
                case .mark:
                    // It belongs to the letter before it, and folding drops it.
                    continue
                case .pairs:
                    endWord()
                    if let previous {
                        add([previous, value], hasPieces: false)
                    } else {
                        add([value], hasPieces: false)
                    }
                    previous = value
                case .symbol:
                    endWord()
                    previous = nil
                    add([value], hasPieces: false)
                case .other:
                    endWord()
                    previous = nil
                    continue
                }
            }
            if word.count == Self.maximumWordLength { endWord() }
        }
        endWord()
    }

    private mutating func add(_ word: [UInt32], hasPieces: Bool) {
        var hash = FeatureHash(0)
        for scalar in word { hash.add(scalar) }
        if let index = entryOfHash[hash.state] {
            entries[index].count += 1
            return
        }
        entryOfHash[hash.state] = entries.count
        let begin = scalars.count
        scalars.append(Self.beginMark)
        scalars.append(contentsOf: word)
        scalars.append(Self.endMark)
        entries.append(
            Entry(
                hash: hash.state, count: 1, weight: WordRarity.weight(ofWord: hash.state),
                range: begin + 1..<scalars.count - 1,
                hasPieces: hasPieces))
    }

    /// Adds the word and its n-grams to `sum`, each at the component and with the sign of its hash.
    func addFeatures(ofWordAt index: Int, weight: Float, to sum: inout [Float]) {
        let entry = entries[index]
        FeatureHash(state: entry.hash).add(weight, to: &sum)
        guard entry.hasPieces else { return }
        let marked = entry.range.lowerBound - 1..<entry.range.upperBound + 1
        let count = marked.count
        // A word of n characters and two marks has n n-grams of length 3, n - 1 of 4 and n - 2 of 5.
        let pieceCount = max(0, count - 2) + max(0, count - 3) + max(0, count - 4)
        guard pieceCount > 0 else { return }
        let pieceWeight = weight * Self.pieceShare / Float(pieceCount).squareRoot()
        for begin in marked.lowerBound..<marked.upperBound - 2 {
            // The seed keeps pieces apart from words of the same characters.
            var hash = FeatureHash(1)
            hash.add(scalars[begin])
            hash.add(scalars[begin + 1])
            for end in begin + 2..<min(begin + 5, marked.upperBound) {
                hash.add(scalars[end])
                hash.add(pieceWeight, to: &sum)
            }
        }
    }

    /// The length of a word's n-grams together, where the word's own is 1.
    private static let pieceShare: Float = 1.5

    // MARK: Characters

    private enum Class { case letter, mark, pairs, symbol, other }

    private static func `class`(of scalar: Unicode.Scalar) -> Class {
        switch scalar.value {
        // Thai to Burmese and Khmer; kana; ideographs: no spaces between words.
        case 0x0E00...0x0EFF, 0x1000...0x109F, 0x1780...0x17FF, 0x3040...0x30FF, 0x3400...0x4DBF,
            0x4E00...0x9FFF,
            0xF900...0xFAFF, 0x20000...0x3FFFF:
            return .pairs
        // Dashes, quotation marks and other punctuation.
        case 0x2000...0x206F: return .other
        case 0xFE00...0xFE0F: return .mark
        default: break
        }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .decimalNumber,
            .letterNumber:
            return .letter
        case .nonspacingMark, .spacingMark, .enclosingMark: return .mark
        case .otherSymbol: return .symbol
        default: return .other
        }
    }

    /// The word in lower case and without accents: decomposed, and the marks left out.
    private static func folded(_ word: [UInt32]) -> [UInt32] {
        var text = String.UnicodeScalarView()
        for value in word { if let scalar = Unicode.Scalar(value) { text.append(scalar) } }
        return String(text).lowercased().decomposedStringWithCompatibilityMapping.unicodeScalars.compactMap {
            Self.class(of: $0) == .mark ? nil : $0.value
        }
    }
}

/// A hash of a sequence of Unicode scalars, and what it says of a feature: component and sign.
struct FeatureHash {
    private(set) var state: UInt64

    init(_ seed: UInt64) { state = 0x9E37_79B9_7F4A_7C15 &* (seed &+ 1) }
    init(state: UInt64) { self.state = state }

    /// A step of Knuth's multiplicative hashing with the high half folded down.
    @inline(__always)
    mutating func add(_ scalar: UInt32) {
        let product = (state ^ UInt64(scalar)) &* 0xD6E8_FEB8_6659_FD93
        state = product ^ product >> 32
    }

    @inline(__always)
    func add(_ weight: Float, to sum: inout [Float]) {
        // Scrambled once more (the finalizer of SplitMix64), so that each bit depends on every character.
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        mixed ^= mixed >> 31
        let index = Int(truncatingIfNeeded: ((mixed >> 32) &* UInt64(sum.count)) >> 32)
        sum[index] += mixed & 1 == 0 ? weight : -weight
    }
}
