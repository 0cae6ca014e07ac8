import Foundation
import MemoryEngine

/// What BERT's basic tokenizer makes of each character beyond ASCII: nothing, a space, a piece of a word, a word of
/// its own; decomposed, without accents, and in lower case where the model wants that.
///
/// Made for 128 neighbouring characters when the first of them is seen.
final class CharacterPages: Sendable {
    /// A character of the normalised text.
    struct Piece {
        /// Its UTF-8, the first byte lowest.
        let bytes: UInt32
        let byteCount: Int
        let isPunctuation: Bool
    }

    enum Kind { case dropped, space, word, ideograph }

    struct Page {
        fileprivate(set) var kinds: [Kind] = []
        /// Where the pieces of character i begin, and those of i + 1.
        fileprivate(set) var starts: [Int] = [0]
        fileprivate(set) var pieces: [Piece] = []
    }

    /// Characters to a page.
    static let pageLength: UInt32 = 128

    private let isLowercase: Bool
    private let pages = Mutex<[UInt32: Page]>([:])

    init(isLowercase: Bool) { self.isLowercase = isLowercase }

    /// The page that holds a character.
    func page(_ number: UInt32) -> Page {
        pages.withLock { pages in
            if let page = pages[number] { return page }
            var page = Page()
            for place in 0..<Self.pageLength { add(number * Self.pageLength + place, to: &page) }
            pages[number] = page
            return page
        }
    }

    private func add(_ value: UInt32, to page: inout Page) {
        defer { page.starts.append(page.pieces.count) }
        guard let scalar = Unicode.Scalar(value), !Self.isDropped(scalar) else {
            page.kinds.append(.dropped)
            return
        }
        if scalar.properties.isWhitespace {
            page.kinds.append(.space)
            return
        }
        page.kinds.append(Self.isIdeograph(value) ? .ideograph : .word)
        for folded in folded(scalar) {
            var bytes: UInt32 = 0
            let utf8 = Array(String(Character(folded)).utf8)
            for (place, byte) in utf8.enumerated() { bytes |= UInt32(byte) << UInt32(8 * place) }
            page.pieces.append(
                Piece(bytes: bytes, byteCount: utf8.count, isPunctuation: Self.isPunctuation(folded)))
        }
    }

    private func folded(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        guard isLowercase else { return [scalar] }
        return String(Character(scalar)).decomposedStringWithCanonicalMapping.unicodeScalars
            .filter { Self.category($0) != .nonspacingMark }
            .flatMap { Array($0.properties.lowercaseMapping.unicodeScalars) }
    }

    /// The category, of characters of Unicode 8: models were trained with a tokenizer that knows no later ones, and what
    /// was made with one Unicode must not change with the next.
    private static func category(_ scalar: Unicode.Scalar) -> Unicode.GeneralCategory {
        guard let age = scalar.properties.age, age.major <= 8 else { return .unassigned }
        return scalar.properties.generalCategory
    }

    private static func isDropped(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value == 0xFFFD { return true }
        switch category(scalar) {
        case .control, .format, .privateUse, .surrogate: return true
        default: return false
        }
    }

    private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x80 { return ASCIIKind.of[Int(scalar.value)] == .punctuation }
        switch category(scalar) {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
            .initialPunctuation, .finalPunctuation, .otherPunctuation:
            return true
        default: return false
        }
    }

    /// The blocks that BERT holds to be Chinese characters, which each are a word.
    private static func isIdeograph(_ value: UInt32) -> Bool {
        switch value {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
            0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }
}

/// The same of ASCII.
enum ASCIIKind: UInt8 {
    case dropped, space, letter, punctuation

    static let of: [ASCIIKind] = (0..<128).map { (byte: UInt8) in
        switch byte {
        case 0x09, 0x0A, 0x0D, 0x20: .space
        case 0x00..<0x20, 0x7F: .dropped
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: .letter
        default: .punctuation
        }
    }
}
