/// What a word means in an expression of time. A tag of the lexicon is a word's class in the high byte and
/// its value in the low one.
enum TimeWord: UInt8, Sendable {
    case other = 0
    /// 1 to 12. `Flag.isName`: also a name or another word, so that it needs a sign that it is a month;
    /// `Flag.isVerb`: also a verb, so that in lower case it needs more.
    case month, monthShort
    /// 0 is Monday.
    case weekday, weekdayShort
    /// `TimeUnit`, with `Flag.isPlural`.
    case unit
    /// A number in words.
    case count
    /// "a few": `a couple` is 2, `few` 3, `several` 4.
    case vague
    /// yesterday 0, today 1, tomorrow 2.
    case day
    case tonight
    /// `DayPart`.
    case dayPart
    /// last 0, this 1, next 2; `past` 3 is last behind "this" and "the".
    case direction
    case ago
    /// `later`, `hence`, "from now".
    case now
    /// 0 is spring. `Flag.isVerb`: also another word.
    case season
    /// A third of a period, 0 to 2. `Flag.isNoun`: only with "of" behind it.
    case third
    case half
    case quarter
    /// first 1 to sixth 6.
    case ordinal
    /// st, nd, rd, th behind a number.
    case suffix
    /// The s of "1990s".
    case plural
    /// am 0, pm 12.
    case meridiem
    /// Hours east of Greenwich, plus 12.
    case zone
    /// `in`, `during`, `on` and what else may stand before a date; `Preposition`.
    case preposition
    case between, and, or, of, the, a, every, different
    /// "about five", "over a year".
    case nearly
    /// Says that what is told is yet to come, or is past.
    case future, past
    /// Has no meaning here; keeps "need" from being a past tense.
    case neutral
    /// A pronoun, an auxiliary or a conjunction: what may stand behind "on the 5th".
    case function
    /// A day with a name: its number in `NamedDay`.
    case namedDay
    /// "new" of New Year, "eve".
    case new, eve
    case t, w, q, h
}

enum TimeUnit: UInt8, Sendable {
    case minute = 0
    case hour, day, week, weekend, fortnight, month, year, decade
}

enum DayPart: UInt8, Sendable {
    case morning = 0
    case afternoon, evening, night, noon, midnight

    /// Minutes after midnight of the day. A night ends on the morning after its day.
    var minutes: Range<Int64> {
        switch self {
        case .morning: 5 * 60..<12 * 60
        case .afternoon: 12 * 60..<18 * 60
        case .evening: 17 * 60..<24 * 60
        case .night: 18 * 60..<30 * 60
        case .noon: 12 * 60..<12 * 60 + 1
        case .midnight: 0..<1
        }
    }
}

/// What stands before a date, and what it makes of it.
enum Preposition: UInt8, Sendable {
    case `in` = 0
    case on, at, during, over, from, to, since, until, before, after, by, around, asOf, within, `for`
}

extension TimeWord {
    enum Flag {
        static let isPlural: UInt16 = 0x80
        static let isName: UInt16 = 0x40
        static let isVerb: UInt16 = 0x20
        static let isNoun: UInt16 = 0x40
        static let value: UInt16 = 0x1F
    }

    static let lexicon: Lexicon = {
        var entries: [(word: String, tag: UInt16)] = []
        func add(_ word: TimeWord, _ value: UInt16, _ words: String) {
            for text in words.split(separator: " ") {
                entries.append((String(text), UInt16(word.rawValue) << 8 | value))
            }
        }
        func add(_ word: TimeWord, from first: UInt16, _ words: String) {
            for (index, text) in words.split(separator: " ").enumerated() {
                add(word, first + UInt16(index), String(text))
            }
        }
        for (month, name)
            in "january february march april may june july august september october november december"
            .split(separator: " ").enumerated()
        {
            let flags: UInt16 =
                ["march", "may"].contains(name)
                ? Flag.isName | Flag.isVerb : ["april", "june", "august"].contains(name) ? Flag.isName : 0
            add(.month, UInt16(month + 1) | flags, String(name))
        }
        for (name, month) in [
            ("jan", 1), ("feb", 2), ("mar", 3), ("apr", 4), ("jun", 6), ("jul", 7), ("aug", 8), ("sep", 9),
            ("sept", 9), ("oct", 10), ("nov", 11), ("dec", 12),
        ] as [(String, UInt16)] { add(.monthShort, month, name) }
        add(.weekday, from: 0, "monday tuesday wednesday thursday friday saturday sunday")
        for (name, day) in [
            ("mon", 0), ("tue", 1), ("tues", 1), ("wed", 2), ("weds", 2), ("thu", 3), ("thur", 3),
            ("thurs", 3), ("fri", 4), ("sat", 5), ("sun", 6),
        ] as [(String, UInt16)] { add(.weekdayShort, day, name) }
        for (unit, word) in [
            (.minute, "minute"), (.hour, "hour"), (.day, "day"), (.week, "week"), (.weekend, "weekend"),
            (.fortnight, "fortnight"), (.month, "month"), (.year, "year"), (.decade, "decade"),
        ] as [(TimeUnit, String)] {
            add(.unit, UInt16(unit.rawValue), word)
            add(.unit, UInt16(unit.rawValue) | Flag.isPlural, word + "s")
        }
        add(.unit, UInt16(TimeUnit.day.rawValue) | Flag.isPlural, "nights")
        add(.count, from: 1, "one two three four five six seven eight nine ten eleven twelve")
        add(.count, 15, "fifteen")
        add(.count, 20, "twenty")
        add(.vague, 2, "couple")
        add(.vague, 3, "few")
        add(.vague, 4, "several")
        add(.day, from: 0, "yesterday today tomorrow")
        add(.tonight, 0, "tonight")
        add(.dayPart, from: 0, "morning afternoon evening night noon midnight")
        add(.direction, 0, "last previous")
        add(.direction, 1, "this current")
        add(.direction, 2, "next coming upcoming")
        add(.direction, 3, "past")
        add(.ago, 0, "ago back")
        add(.now, 0, "later hence")
        add(.now, 1, "now")
        for (season, name) in [
            (0 | Flag.isVerb, "spring"), (1, "summer"), (2, "autumn"), (2 | Flag.isVerb, "fall"),
            (3, "winter"),
        ] as [(UInt16, String)] { add(.season, season, name) }
        add(.third, 0, "early")
        add(.third, 1, "mid")
        add(.third, 2, "late")
        add(.third, 0 | Flag.isNoun, "beginning start")
        add(.third, 1 | Flag.isNoun, "middle")
        add(.third, 2 | Flag.isNoun, "end")
        add(.half, 0, "half")
        add(.quarter, 0, "quarter")
        add(.ordinal, from: 1, "first second third fourth fifth sixth")
        add(.suffix, 0, "st nd rd th")
        add(.plural, 0, "s")
        add(.meridiem, 0, "am")
        add(.meridiem, 12, "pm")
        for (name, hours) in [
            ("utc", 0), ("gmt", 0), ("z", 0), ("cet", 1), ("cest", 2), ("est", -5), ("edt", -4),
            ("pst", -8), ("pdt", -7),
        ] as [(String, Int)] { add(.zone, UInt16(hours + 12), name) }
        for (preposition, words) in [
            (.in, "in"), (.on, "on"), (.at, "at"), (.during, "during throughout"), (.over, "over"),
            (.from, "from"), (.to, "to through thru"), (.since, "since"), (.until, "until till"),
            (.before, "before"), (.after, "after"), (.by, "by"), (.around, "around circa"), (.asOf, "as"),
            (.within, "within"), (.for, "for"),
        ] as [(Preposition, String)] { add(.preposition, UInt16(preposition.rawValue), words) }
        add(.between, 0, "between")
        add(.and, 0, "and")
        add(.or, 0, "or")
        add(.of, 0, "of")
        add(.the, 0, "the")
        add(.a, 0, "a an")
        add(.every, 0, "every each per any")
        add(.different, 0, "other")
        add(.nearly, 0, "about almost nearly roughly approximately just only exactly")
        add(
            .future, 0,
            """
            will ll shall gonna going plan plans planning hope hoping want wanna scheduled let lets see \
            soon forward expect expecting due
            """)
        add(
            .past, 0,
            """
            was were had did wasn weren hadn didn went got came saw took made met bought gave found left began ran said told won \
            lost spent built wrote broke felt kept fell sent been ate brought caught became held knew taught \
            drove flew grew led paid sold thought understood wore hit happened
            """)
        add(.neutral, 0, "need feed seed speed indeed shed hundred exceed proceed succeed breed weed")
        add(
            .function, 0,
            """
            i you he she it we they because so but is with if when where while who which that our my his her \
            their your not then though
            """)
        add(.namedDay, from: 0, "christmas halloween valentine thanksgiving easter")
        add(.new, 0, "new")
        add(.eve, 0, "eve")
        add(.t, 0, "t")
        add(.w, 0, "w")
        add(.q, 0, "q")
        add(.h, 0, "h")
        return Lexicon(entries)
    }()
}

extension TextToken {
    var time: TimeWord { TimeWord(rawValue: UInt8(truncatingIfNeeded: tag >> 8)) ?? .other }
    /// The value without its flags.
    var timeValue: Int { Int(tag & TimeWord.Flag.value) }
    func has(_ flag: UInt16) -> Bool { tag & flag != 0 }
    var unit: TimeUnit? { time == .unit ? TimeUnit(rawValue: UInt8(timeValue)) : nil }
    var dayPart: DayPart? { time == .dayPart ? DayPart(rawValue: UInt8(timeValue)) : nil }
    var preposition: Preposition? { time == .preposition ? Preposition(rawValue: UInt8(timeValue)) : nil }
}
