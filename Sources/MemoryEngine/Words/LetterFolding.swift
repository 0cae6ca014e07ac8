/// What letters are to the index: lower case, without the marks over and under them, and with the
/// ligatures of Latin taken apart. So "Crème", "crème" in its decomposed form and "CREME" are one term.
///
/// Latin, Greek and Cyrillic have a table, made when it is first asked for, because the standard library
/// knows the lower case of a scalar and not its decomposition. What is stored depends on this
/// table: a change of it is a new version of the index of words.
enum LetterFolding {
    /// The scalars of the table: Latin, Greek and Cyrillic, and their extensions with marks.
    private static let blocks: [Range<UInt32>] = [0x0080..<0x0530, 0x1E00..<0x2000]

    /// The entry of a scalar of the blocks; nil for every other one.
    static func entry(for scalar: UInt32) -> WordScalar? {
        if scalar < 0x0530 { return scalar < 0x0080 ? nil : entries[Int(scalar - 0x0080)] }
        return scalar >= 0x1E00 && scalar < 0x2000 ? entries[Int(scalar - 0x1E00) + 0x0530 - 0x0080] : nil
    }

    private static let entries: [WordScalar] = {
        var bases: [UInt32: [UInt32]] = [:]
        for (base, letters) in marked {
            for letter in letters.unicodeScalars { bases[letter.value] = base.unicodeScalars.map(\.value) }
        }
        return blocks.joined().map { value in
            guard let scalar = Unicode.Scalar(value) else { return .separator }
            let general = WordScalar(general: scalar)
            guard general.wordClass == .letter else { return general }
            let lowercase = scalar.properties.lowercaseMapping.unicodeScalars.first?.value ?? value
            return WordScalar(
                .letter, isUppercase: general.isUppercase, folded: bases[lowercase] ?? [lowercase])
        }
    }()

    /// The lower-case letters that are indexed as another letter or two.
    private static let marked: [(base: String, letters: String)] = [
        ("a", "ªàáâãäåāăąǎǟǡǻȁȃȧḁẚạảấầẩẫậắằẳẵặ"), ("ae", "æǣǽ"), ("b", "ƀɓḃḅḇ"), ("c", "çćĉċčḉ"),
        ("d", "ðďđɖɗḋḍḏḑḓ"), ("dz", "ǆǳ"), ("e", "èéêëēĕėęěȅȇȩḕḗḙḛḝẹẻẽếềểễệ"), ("f", "ƒḟ"),
        ("g", "ĝğġģǧǵḡ"), ("h", "ĥħȟḣḥḧḩḫẖ"), ("i", "ìíîïĩīĭįİıǐȉȋɨḭḯỉị"), ("ij", "ĳ"), ("j", "ĵǰ"),
        ("k", "ķĸǩḱḳḵ"), ("l", "ĺļľŀłḷḹḻḽ"), ("lj", "ǉ"), ("m", "ḿṁṃ"), ("n", "ñńņňŉŋǹṅṇṉṋ"), ("nj", "ǌ"),
        ("o", "ºòóôõöøōŏőơǒǫǭǿȍȏȫȭȯȱṍṏṑṓọỏốồổỗộớờởỡợ"), ("oe", "œ"), ("p", "ṕṗ"), ("r", "ŕŗřȑȓṙṛṝṟ"),
        ("s", "śŝşšſșṡṣṥṧṩẛẜẝ"), ("ss", "ß"), ("t", "ţťŧțṫṭṯṱẗ"), ("th", "þ"),
        ("u", "ùúûüũūŭůűųưǔǖǘǚǜȕȗʉṳṵṷṹṻụủứừửữự"), ("v", "ṽṿ"), ("w", "ŵẁẃẅẇẉẘ"), ("x", "ẋẍ"),
        ("y", "ýÿŷȳẏẙỳỵỷỹ"), ("z", "źżžẑẓẕ"), ("ʒ", "ǯ"), ("α", "άἀἁἂἃἄἅἆἇὰάᾀᾁᾂᾃᾄᾅᾆᾇᾰᾱᾲᾳᾴᾶᾷ"),
        ("ε", "έἐἑἒἓἔἕὲέ"), ("η", "ήἠἡἢἣἤἥἦἧὴήᾐᾑᾒᾓᾔᾕᾖᾗῂῃῄῆῇ"), ("ι", "ΐίϊἰἱἲἳἴἵἶἷὶίιῐῑῒΐῖῗ"),
        ("ο", "όὀὁὂὃὄὅὸό"), ("ρ", "ῤῥ"), ("σ", "ς"), ("υ", "ΰϋύὐὑὒὓὔὕὖὗὺύῠῡῢΰῦῧ"),
        ("ω", "ώὠὡὢὣὤὥὦὧὼώᾠᾡᾢᾣᾤᾥᾦᾧῲῳῴῶῷ"), ("ϒ", "ϓϔ"), ("а", "ӑӓ"), ("г", "ѓ"), ("е", "ѐёӗ"),
        ("ж", "ӂӝ"), ("з", "ӟ"), ("и", "йѝӣӥ"), ("к", "ќ"), ("о", "ӧ"), ("у", "ўӯӱӳ"), ("ч", "ӵ"),
        ("ы", "ӹ"), ("э", "ӭ"), ("і", "ї"), ("ѵ", "ѷ"), ("ә", "ӛ"), ("ө", "ӫ"),
    ]
}
