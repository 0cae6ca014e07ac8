/// The parts of an identifier, by which two spellings of it are compared: `openHomes`, `open_homes`, `open-homes` and
/// `OpenHomes` have the same.
struct NameSpelling: Hashable, Sendable {
    /// In lower case, joined; what is scoped (`a.b`, `a::b`) by its scopes.
    let key: String
    /// Constants (`OPEN_HOMES`) are other things than variables.
    let isAllCapitals: Bool
    let isFlag: Bool

    /// `nil` for what has one part only, or begins or ends with an underscore.
    init?(_ surface: String, isFlag: Bool) {
        var text = Substring(surface)
        if text.hasSuffix("()") { text = text.dropLast(2) }
        if isFlag { text = text.drop { $0 == "-" } }
        guard text.utf8.count >= 4, let first = text.first, first.isLetter, let last = text.last,
            last.isLetter || last.isNumber,
            text.utf8.allSatisfy({ $0 < 0x80 && (MentionForms.isNameByte($0) || "-.:".utf8.contains($0)) })
        else { return nil }
        var parts: [[UInt8]] = [[]]
        var count = 1
        var previous: UInt8 = 0
        let bytes = Array(text.utf8)
        for (index, byte) in bytes.enumerated() {
            let isUpper = byte &- UInt8(ascii: "A") < 26
            let wasLower = previous &- UInt8(ascii: "a") < 26
            let wasUpper = previous &- UInt8(ascii: "A") < 26
            let isBehindDigit = isASCIIDigit(previous)
            let nextIsLower = index + 1 < bytes.count && bytes[index + 1] &- UInt8(ascii: "a") < 26
            switch byte {
            case UInt8(ascii: "_"), UInt8(ascii: "-"):
                parts.append([])
                count += 1
            case UInt8(ascii: "."), UInt8(ascii: ":"):
                parts.append([byte])
                parts.append([])
            default:
                let begins =
                    isUpper && (wasLower || wasUpper && nextIsLower)
                    || isASCIIDigit(byte) && (wasLower || wasUpper)
                    || isBehindDigit && !isASCIIDigit(byte)
                if begins, !(parts.last?.isEmpty ?? true) {
                    parts.append([])
                    count += 1
                }
                parts[parts.count - 1].append(isUpper ? byte | 0x20 : byte)
            }
            previous = byte
        }
        guard count >= 2, !parts.contains(where: \.isEmpty) || text.contains(":") else { return nil }
        key = parts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "_")
        isAllCapitals = !bytes.contains { $0 &- UInt8(ascii: "a") < 26 }
        self.isFlag = isFlag
    }
}

extension NamedThings {
    /// What is one name, but was found in two ways: between backticks and without, as who speaks and as who is spoken of.
    var alike: [NamePair] {
        var pairs: [NamePair] = []
        for (index, thing) in all.enumerated() {
            let key = thing.name.key
            let others: [Int]
            switch thing.name.sort {
            case .code:
                let plain = FoldedKey.fold(key)
                others =
                    indexes(key).filter { other in
                        switch all[other].name.sort {
                        case .identifier, .flag, .url, .handle, .address: true
                        case .name:
                            isTelling(thing) && isTelling(all[other])
                                && all[other].surfaces.contains(thing.name.surface)
                        default: false
                        }
                    }
                    + thing.surfaces.compactMap { self.index(.path, $0) }
                    + (plain.hasSuffix("()") ? [] : [key + "()"].compactMap { self.index(.identifier, $0) })
            case .actor:
                // A single name is a person's where both stand in one thread.
                others =
                    [self.index(.name, FoldedKey.fold(key))].compactMap { $0 }.filter {
                        thing.words.count > 1 || meet(index, $0)
                    } + [self.index(.handle, "@" + key)].compactMap { $0 }
            default: continue
            }
            for other in others {
                pairs.append(pair(index, other, .alike, says: nil))
            }
        }
        return pairs
    }

    /// Whether a name is written as no other word is: with two capitals or more.
    private func isTelling(_ thing: NamedThing) -> Bool {
        thing.surfaces.allSatisfy { $0.count(where: \.isUppercase) >= 2 }
    }

    /// The spellings of one identifier, or of one flag.
    var spellings: [NamePair] {
        var groups: [NameSpelling: [Int]] = [:]
        for (index, thing) in all.enumerated() {
            let isFlag: Bool
            switch thing.name.sort {
            case .identifier, .name: isFlag = false
            case .code: isFlag = thing.name.key.hasPrefix("--")
            case .flag: isFlag = true
            default: continue
            }
            for spelling in Set(thing.surfaces.compactMap { NameSpelling($0, isFlag: isFlag) }) {
                groups[spelling, default: []].append(index)
            }
        }
        return groups.values.flatMap { group in
            zip(group, group.dropFirst()).filter { !areStrangers($0, $1) }.map {
                pair($0, $1, .spelling, says: nil)
            }
        }.sorted { ($0.first, $0.second) < ($1.first, $1.second) }
    }

    func pair(_ a: Int, _ b: Int, _ rule: EntityMerges.Rule, says: String?) -> NamePair {
        NamePair(
            first: a, second: b, rule: rule, says: says,
            places: [all[a].places.first, all[b].places.first].compactMap { $0 })
    }
}
