/// The words that the reader of facts knows.
enum FactWords {
    static func set(_ words: String) -> Set<String> {
        Set(words.split(whereSeparator: \.isWhitespace).map(String.init))
    }

    static let articles = set("the a an")
    /// What stands for something else, so that it is not clear of whom a sentence tells; and what tells of several.
    static let unclear = set(
        """
        he she it they them him her this that these those there here what who whom whose which where when why how you your his its \
        their someone somebody everyone everybody nobody one ones each every some most many few all any no none both either neither \
        another other others several half such nothing something everything let please thing things same
        """)
    static let notInSubject = set(
        "has have had can cannot may might do does did not let be to following first next")
    /// What makes a sentence one about what may be, was long ago, or somebody else says.
    static let hedging = set(
        """
        if would could might may should shall must maybe perhaps probably possibly likely plan plans planning planned intend intends \
        intended hope hopes hoping wish wishes want wants wanted suppose supposed imagine consider considers considering considered \
        propose proposes proposed suggest suggests suggested suggestion unless whether said says say saying told tell tells think \
        thinks thought thinking believe believes believed claim claims claimed heard according reportedly apparently supposedly \
        allegedly asked asks ask wonder wonders wrote example examples almost nearly about around approximately roughly dream dreamed \
        dreaming expect expects expected tomorrow ago formerly previously originally temporarily until till will \
        need needs feel feels seems seem someday eventually soon pretend joke joking guess assume assuming assumes before \
        once example sometimes partly mostly usually often rarely occasionally
        """)
    static let hedgingPairs = set(
        """
        going_to about_to at_least at_most up_to more_than less_than next_week next_month next_year next_spring next_summer \
        next_autumn next_winter back_then as_if used_as in_case
        """)
    /// What may begin a sentence, or stand between its subject and its verb, and changes nothing.
    static let openers = set(
        """
        so well actually oh hey yes yeah okay ok and but hi hello wow also too then finally btw fyi note update good great luckily \
        unfortunately just still already officially recently only really currently always
        """)
    /// What says that it is so from now on.
    static let fresh = set("now nowadays again anymore henceforth instead since meanwhile")
    static let additive = set("also too additionally another besides")
    /// What brings a part of a sentence that says when, where or for what it is so.
    static let prepositions = set("in on at for with from by per as under")
    /// The same, and what begins another clause.
    static let contextual = set(
        "in on at for with from during after while under over by per within without through across as to into behind near via than because when where that which who so but and or unless though although until then using inside outside between against"
    )
    /// What stands behind a value and only says since when.
    static let lately = set(
        "now again today currently nowadays anymore recently meanwhile instead already yesterday though still"
    )
    /// Of a day that is not named: what is said of it is soon over.
    static let passing = set("today tonight yesterday")
    static let passingTimes = set(
        "last_week last_month last_year this_week this_month this_year this_morning this_evening this_afternoon"
    )
    /// Relations in which one has often more than one, so that only who tells of a change takes back what was said.
    static let loose = set(
        "uses deployed stored built connected sponsor listens relies handled served backed powered operator mounted installed"
    ).union(["runs on", "written in"])
    /// A value with such a word is several, or not exact.
    static let notInValue = set(
        "and or not also too either both nor than very quite too rather more less most least better worse later earlier there here it them me him her us you that this these those what how so going being"
    )
    static let inName = set("license licence of de la le der die das von van den und & for and")
    static let actors = set("i we")

    // MARK: Folding

    /// A noun as it is without the ending of its plural.
    static func plain(_ word: String) -> String {
        guard word.count > 3, word.hasSuffix("s"), !word.hasSuffix("ss"), !word.hasSuffix("us"),
            !word.hasSuffix("is")
        else { return word }
        return String(
            word.dropLast(word.hasSuffix("ies") || word.hasSuffix("ches") || word.hasSuffix("xes") ? 2 : 1))
    }

    /// A verb without the endings of its forms: "uses", "using" and "use" are one.
    static func stem(_ word: String) -> String {
        var stem = word
        for ending in ["ing", "ed", "es", "s", "e"]
        where stem.hasSuffix(ending) && stem.count > ending.count + 1 {
            stem.removeLast(ending.count)
            break
        }
        if stem.hasSuffix("e"), stem.count > 2 { stem.removeLast() }
        if stem.count > 3, let last = stem.last, stem.dropLast().last == last, !"aeiouls".contains(last) {
            stem.removeLast()
        }
        return stem
    }
}
