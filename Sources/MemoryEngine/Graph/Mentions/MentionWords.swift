/// What a word is to the rules of mentions.
enum MentionWord: UInt16 {
    /// Begins sentences and is no name: grammar, greetings, common verbs.
    case plain = 1
    /// A day or a month.
    case date
    /// Joins the words of a name: "of", "von".
    case particle
    /// Stands before a name with a point: "Dr.".
    case title
    /// A number of an issue may follow: "bug 1234".
    case issue
    /// A version may follow: "version 1.2".
    case version
    /// The ending of a file.
    case fileEnding
    /// The last part of a host.
    case domain

    static let lexicon: Lexicon = {
        var entries: [(word: String, tag: UInt16)] = []
        var seen: Set<String> = []
        func add(_ kind: MentionWord, _ words: String) {
            for word in words.split(whereSeparator: \.isWhitespace) where seen.insert(String(word)).inserted {
                entries.append((String(word), kind.rawValue))
            }
        }
        add(.particle, "of de von van der den del di da du la le ter bin ibn")
        add(
            .date,
            """
            monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun \
            january february march april may june july august september october november december jan feb mar \
            apr jun jul aug sep sept oct nov dec
            """)
        add(.title, "mr mrs ms dr prof st sir")
        add(.issue, "bug bugs issue issues pr ticket closes close closed fix fixes fixed resolves")
        add(.version, "version release v")
        add(
            .plain,
            """
            i im ive ill id a an the this that these those me my myself we our ours us you your yours he him his she her \
            hers it its they them their theirs what which who whom whose when where why how am is are was were be been \
            being have has had having do does did doing done can could will would shall should must might and but if or \
            because as until while nor so at by for with about against between into through during before after above \
            below to from up down in out on off over under again further then once here there all any both each few \
            more most other some such no not only own same than too very just now yes yeah yep nope ok okay oh ah wow hey \
            hi hello thanks thank thx please sorry well also still even ever never always often sometimes maybe perhaps \
            let lets get got go going gone come came make made take took see saw say said know think thought want need \
            like love hope hoping look looking feel felt try trying keep good great nice awesome cool sounds sure glad \
            happy congrats congratulations welcome bye goodbye today yesterday tomorrow tonight recently lately finally actually \
            anyway besides however although though since unless whether every everyone everything everybody someone \
            something anyone anything nobody nothing one two three first second last next another many much lots several guess \
            remember imagine speaking btw lol haha omg wait stop start started add added adds remove removed use used using \
            update updated fix note see per via without within despite instead given after dont doesnt didnt cant wont isnt \
            im thats whats hows youre theyre couldnt wouldnt shouldnt wasnt arent there theres heres been really pretty absolutely \
            youve weve theyve youll theyll itll havent hasnt hadnt howre howve youd theyd wont gonna gotta \
            wanna yup nah talk long stay plus looks feels agreed gotcha ask call meet email ping contact definitely totally exactly right true ugh hmm aw aww whoa yay cheers tell show give check read seeing being \
            having getting taking making doing working part new old big more less best better way time day week month year
            """)
        return Lexicon(entries)
    }()

    /// What the last part of a dotted name is; these are words too, so they have a table of their own.
    static let endings: Lexicon = {
        var entries: [(word: String, tag: UInt16)] = []
        func add(_ kind: MentionWord, _ words: String) {
            for word in words.split(separator: " ") { entries.append((String(word), kind.rawValue)) }
        }
        add(
            .fileEnding,
            """
            c h cc cpp hpp py rs go js ts tsx jsx swift java rb sh bash md txt rst json yaml yml toml xml html css so a o ko \
            deb dsc tar gz xz bz2 zip conf cfg ini log png jpg jpeg gif svg pdf sql csv service patch diff pl pm php lua el \
            mk cmake lock jsonl
            """)
        add(.domain, "org com net edu gov dev io eu uk de")
        return Lexicon(entries)
    }()

    static func of(_ key: WordKey) -> MentionWord? { MentionWord(rawValue: lexicon.tag(of: key)) }
}
