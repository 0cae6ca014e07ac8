/// Numbers, units, times, states and places among the values of facts.
extension FactWords {
    /// What says how something is, and not what.
    static let judging = set(
        """
        good bad high low slow fast wrong correct great nice new old important empty unknown missing required optional long short \
        ready fine ok broken big small large different similar enough easy hard available visible invalid valid clear nearly tight \
        beautiful done fixed safe secret set stable unstable hidden known due fun awesome amazing cool
        """)
    /// Of an object with such words it is not clear what it is.
    static let notInObject = set(
        "it them him her us that this these those there here what who which but because so when where and or")

    static let numbers: [String: Int] = [
        "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
        "nine": 9, "ten": 10,
        "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
        "sixty": 60,
        "ninety": 90, "hundred": 100,
    ]
    static let weekdays: [String: Int] = [
        "monday": 1, "tuesday": 2, "wednesday": 3, "thursday": 4, "friday": 5, "saturday": 6, "sunday": 7,
        "mondays": 1,
        "tuesdays": 2, "wednesdays": 3, "thursdays": 4, "fridays": 5, "saturdays": 6, "sundays": 7,
    ]
    private static let months = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
        "november",
        "december",
    ]

    /// The day, the month and the year that a date names; nothing where some word belongs to none.
    static func dateParts(_ words: [String]) -> [String: Int] {
        var parts: [String: Int] = [:]
        for word in words {
            let digits =
                word.hasSuffix("st") || word.hasSuffix("nd") || word.hasSuffix("rd") || word.hasSuffix("th")
                ? String(word.dropLast(2)) : word
            if let month = months.firstIndex(where: { $0 == word || $0.prefix(3) == word }) {
                parts["month"] = month + 1
            } else if let number = Int(digits), number >= 1, number <= 31 {
                parts["day"] = number
            } else if let number = Int(word), number >= 1000, number <= 2200 {
                parts["year"] = number
            } else if word.count == 10, word.split(separator: "-").count == 3 {
                let all = word.split(separator: "-").compactMap { Int($0) }
                guard all.count == 3 else { return [:] }
                parts = ["year": all[0], "month": all[1], "day": all[2]]
            } else if word != "of" {
                return [:]
            }
        }
        // A number alone is none.
        return parts["month"] != nil ? parts : [:]
    }

    /// "9:30", "9 am", "19:00", "noon", as minutes.
    static func clock(_ words: [String]) -> Double? {
        if words == ["noon"] { return 720 }
        if words == ["midnight"] { return 0 }
        var text = words.joined()
        var afternoon: Bool?
        for (ending, isLate) in [
            ("a.m", false), ("p.m", true), ("am", false), ("pm", true), ("o'clock", nil as Bool?),
        ] where text.hasSuffix(ending) {
            text.removeLast(ending.count)
            afternoon = isLate
            if isLate == nil { afternoon = false }
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...3).contains(parts.count), let hour = parts[0], (0...24).contains(hour),
            afternoon != nil || parts.count > 1
        else { return nil }
        var minutes = 0
        if parts.count > 1 {
            guard let given = parts[1], (0..<60).contains(given) else { return nil }
            minutes = given
        }
        let late = afternoon == true && hour < 12 ? 12 : 0
        return Double((hour + late) * 60 + minutes)
    }

    private static let units: [String: (kind: String, factor: Double)] = {
        var found: [String: (kind: String, factor: Double)] = [:]
        for (kind, factor, names) in [
            ("time", 0.001, "ms millisecond milliseconds"), ("time", 1, "s sec secs second seconds"),
            ("time", 60, "min mins minute minutes"), ("time", 3_600, "h hour hours"),
            ("time", 86_400, "day days"),
            ("time", 604_800, "week weeks"), ("bytes", 1, "b byte bytes"),
            ("bytes", 1_024, "kb kib kilobytes"),
            ("bytes", 1_048_576, "mb mib megabytes"), ("bytes", 1_073_741_824, "gb gib gigabytes"),
            ("bytes", 1_099_511_627_776, "tb tib terabytes"), ("euro", 1, "euro euros eur €"),
            ("dollar", 1, "dollar dollars usd $"), ("pound", 1, "pounds gbp £"), ("percent", 1, "percent %"),
            ("degree", 1, "degree degrees"), ("length", 1, "m metre metres meter meters"),
            ("length", 1_000, "km kilometre kilometres kilometer kilometers"),
            ("length", 0.01, "cm centimetres"),
            ("weight", 1, "kg kilograms kilos"), ("weight", 0.001, "g grams"),
        ] as [(String, Double, String)] {
            for name in set(names) { found[name] = (kind, factor) }
        }
        return found
    }()

    /// A number with or without a unit: "30 seconds", "512mb", "$20", "1920x1080" is none.
    static func measure(_ words: [String]) -> (value: Double, unit: String)? {
        var text = words[0]
        var unit = words.dropFirst().joined(separator: " ")
        if text.hasPrefix("$") {
            text.removeFirst()
            unit = "dollars"
        }
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == "." || $0 == ",") }
        guard let value = Double(digits.replacing(",", with: "")) else { return nil }
        let rest = text.dropFirst(digits.count)
        if !rest.isEmpty {
            guard units[String(rest)] != nil else { return nil }
            unit = unit.isEmpty ? String(rest) : "\(rest) \(unit)"
        }
        // "12 Crescent Road" is an address, and "2.4.1" no number.
        let parts = unit.split(separator: " ", maxSplits: 1).map(String.init)
        guard let first = parts.first else { return (value, "") }
        guard !(first.first?.isNumber ?? false),
            parts.count == 1 || first == "per" || parts[1].hasPrefix("per ") || parts[1].hasPrefix("of ")
                || first == "requests"
        else { return nil }
        let tail = parts.count > 1 ? " " + parts[1] : ""
        guard let known = units[first] else { return (value, plain(first) + tail) }
        return (value * known.factor, known.kind + tail)
    }

    /// States, of which a thing is in one of a line.
    private static let states: [String: Set<Int>] = {
        let lines = [
            "enabled|disabled|on|off|turned on|turned off|switched on|switched off|activated|deactivated",
            "open|closed|shut",
            "locked|unlocked", "up|down|online|offline", "passing|failing", "green|red|broken",
            "broken|working|out of order|defective",
            "public|private", "active|inactive|retired|deprecated", "running|paused|stopped",
            "mandatory|optional",
            "single|divorced|widowed|married", "alive|dead", "empty|full",
            "pending|shipped|delivered|cancelled",
            "green|red|blue|orange|purple|white|black|grey|yellow|pink|brown|turquoise|silver|gold",
        ]
        var found: [String: Set<Int>] = [:]
        for (line, names) in lines.enumerated() {
            for name in names.split(separator: "|") { found[String(name), default: []].insert(line) }
        }
        return found
    }()

    static func isState(_ text: String) -> Bool { states[text] != nil }

    static func excludes(_ state: String, _ other: String) -> Bool {
        !(states[state] ?? []).isDisjoint(with: states[other] ?? [])
    }

    private static let places = set(
        """
        drawer table kitchen office room shelf cabinet garage hall floor basement attic box safe desk fridge car closet cupboard lab \
        library bedroom bathroom garden cellar vault wiki doormat folder corridor lobby hallway shed trunk wallet backpack hook wardrobe
        """)
    private static let numbered = set("room shelf floor building hall gate platform desk level rack seat")

    static func isPlace(_ words: [String]) -> Bool {
        guard let first = words.first, let last = words.last, words.count <= 3 else { return false }
        return places.contains(last) || numbered.contains(first) && words.count == 2
    }

    /// Countries, and parts of them and unions of them that people name in their place.
    static let countries: Set<String> = Set(
        """
        germany|france|spain|portugal|italy|austria|switzerland|belgium|netherlands|holland|luxembourg|denmark|sweden|norway|finland|\
        iceland|ireland|england|scotland|wales|united kingdom|uk|great britain|britain|poland|czechia|slovakia|hungary|romania|\
        bulgaria|greece|turkey|ukraine|russia|estonia|latvia|lithuania|croatia|serbia|slovenia|usa|us|united states|america|canada|\
        mexico|brazil|argentina|chile|peru|colombia|cuba|china|japan|india|pakistan|korea|south korea|vietnam|thailand|indonesia|\
        malaysia|singapore|philippines|australia|new zealand|egypt|morocco|algeria|nigeria|kenya|ethiopia|south africa|ghana|\
        israel|iran|iraq|saudi arabia|europe|asia|africa|bavaria|saxony|california|texas|florida|new jersey|massachusetts|\
        washington state|oregon|virginia|ohio|michigan|illinois|pennsylvania|colorado|arizona|nevada
        """.split(separator: "|").map(String.init))
}
