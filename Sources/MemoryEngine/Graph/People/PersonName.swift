/// A name taken apart: folded words, without titles and brackets, commas turned round.
struct PersonName: Hashable, Sendable {
    /// All words, in the order of first to last name.
    let words: [String]
    /// The words of two letters or more.
    let long: [String]
    /// It stands with the address of a list or a robot that passed on what the person wrote.
    let isPassedOn: Bool
    /// An address, or something of one, stands where the name should.
    private let isAddress: Bool

    /// What is read of a name, in bytes.
    private static let maximumByteCount = 256

    /// - Complexity: O(n) in its first 256 bytes.
    init(_ name: String) {
        var name = String(decoding: name.utf8.prefix(Self.maximumByteCount), as: UTF8.self)
        isAddress = name.utf8.contains(UInt8(ascii: "@"))
        // A list or a robot passed it on: "Ada Lovelace via devel".
        let passedOn = name.firstRange(of: " via ")
        isPassedOn = passedOn != nil
        if let passedOn { name = String(name[..<passedOn.lowerBound]) }
        let folded = FoldedKey.fold(Self.plain(Self.turned(name)))
        words = folded.split { !$0.isLetter && !$0.isNumber && $0 != "'" }
            .map { $0.filter { $0 != "'" } }
            .filter { !$0.isEmpty && !Self.titles.contains($0) }
        long = words.filter { $0.count > 1 }
    }

    /// "Lovelace, Ada" is "Ada Lovelace"; "Ada Lovelace, Jr." is not turned round.
    private static func turned(_ name: String) -> String {
        let halves = name.split(separator: ",", omittingEmptySubsequences: false)
        guard halves.count == 2, halves.allSatisfy({ $0.contains(where: \.isLetter) }),
            !titles.contains(FoldedKey.fold(halves[1].filter(\.isLetter)))
        else { return name }
        return halves[1] + " " + halves[0]
    }

    /// Without what stands in brackets and double quotes, unless nothing else stands there.
    private static func plain(_ name: String) -> String {
        var plain = ""
        var depth = 0
        var isQuoted = false
        for character in name {
            switch character {
            case "(", "[", "<": depth += 1
            case ")", "]", ">": depth = max(0, depth - 1)
            case "\"", "\u{201C}", "\u{201D}": isQuoted.toggle()
            default: if depth == 0, !isQuoted { plain.append(character) }
            }
        }
        return plain.contains(where: \.isLetter) ? plain : name
    }

    /// Two words or more that may be a person's.
    var isFull: Bool { long.count >= 2 && !isRole && !isAddress }

    var isRole: Bool {
        words.contains { RoleWords.inNames.contains($0) } || RoleWords.defaultNames.contains(key)
    }

    var key: String { words.joined(separator: " ") }
    /// Without initials, in the order of the alphabet.
    var sortedKey: String { long.sorted().joined(separator: " ") }
    var initials: [String] { words.filter { $0.count == 1 } }

    /// The words of a full name; none of any other.
    var fullWords: Set<String> { isFull ? Set(long) : [] }

    /// Whether the first and the last name are among the most common ones, so that two persons may well share them.
    var isCommon: Bool {
        guard long.count == 2 else { return false }
        return Self.commonPairs.contains { $0.first.contains(long[0]) && $0.last.contains(long[1]) }
            || Self.commonPairs.contains { $0.first.contains(long[1]) && $0.last.contains(long[0]) }
    }

    private static let titles: Set<String> = [
        "dr", "prof", "mr", "mrs", "ms", "jr", "sr", "phd", "md", "ing", "dipl", "ii", "iii",
    ]

    private static let commonPairs: [(first: Set<String>, last: Set<String>)] = [
        (
            [
                "john", "james", "robert", "michael", "david", "william", "richard", "thomas", "mark", "paul",
                "peter", "mike", "chris",
            ],
            [
                "smith", "johnson", "williams", "brown", "jones", "miller", "davis", "wilson", "anderson",
                "taylor",
            ]
        ),
        (
            [
                "wei", "li", "jun", "yang", "ming", "lei", "hui", "min", "jing", "yi", "bin", "bo", "tao",
                "jie",
                "feng", "peng", "hao", "chao", "xin", "yan", "fei", "ying", "qi", "kai", "gang", "liang",
                "bing",
                "yong", "ting", "rui", "xiao", "long", "jian", "qiang", "cheng", "dan", "na", "fang",
            ],
            [
                "wang", "li", "zhang", "liu", "chen", "yang", "huang", "zhao", "wu", "zhou", "xu", "sun",
                "ma",
                "zhu", "hu", "lin", "he", "gao", "guo", "luo", "song", "tang", "feng", "cao", "deng", "peng",
            ]
        ),
        (
            ["amit", "rahul", "ravi", "vinay", "ajay", "anil", "sanjay", "rajesh", "suresh"],
            ["kumar", "singh", "sharma"]
        ),
    ]

    /// Whether a word is a first name that many have.
    static func isCommonFirst(_ word: String) -> Bool { firstNames.contains(word) }

    private static let firstNames: Set<String> = [
        "abraham", "adrian", "alexander", "alexandre", "alexey", "andreas", "andrew", "anthony", "antoine",
        "antonio", "arnaud", "benjamin", "bernard", "bernhard", "brandon", "camille", "cedric", "charles",
        "christian", "christoph", "christopher", "claude", "claudio", "clemens", "daniel", "dennis", "dmitry",
        "dominik", "douglas", "edward", "emmanuel", "fabian", "federico", "felipe", "fernando", "florian",
        "francesco", "francois", "frederic", "gabriel", "george", "gerald", "gregory", "guillaume", "gustavo",
        "heinrich", "hubert", "jacques", "jeffrey", "jeremy", "jerome", "jessica", "joachim", "johannes",
        "jonathan", "joseph", "joshua", "julian", "julien", "justin", "kenneth", "laurent", "leonard",
        "leonardo", "lorenzo", "ludovic", "manuel", "marcel", "marcus", "markus", "martin", "matthew",
        "matthias", "matthieu", "maxime", "maximilian", "michael", "michal", "michel", "mikhail", "mohamed",
        "mohammed", "nathan", "nicholas", "nicolas", "nikita", "nikolai", "olivier", "patrick", "philip",
        "philipp", "philippe", "pierre", "rafael", "raphael", "raymond", "richard", "robert", "roberto",
        "romain", "russell", "samuel", "sebastian", "sebastien", "sergei", "sergey", "simone", "stefan",
        "stefano", "stephan", "stephane", "stephen", "steven", "sylvain", "thibault", "thierry", "thomas",
        "tobias", "vincent", "vladimir", "walter", "werner", "wilhelm", "william", "wolfgang", "xavier",
        "yannick",
    ]
}
