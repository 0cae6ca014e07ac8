/// What a sentence says of a subject: one relation, and what stands in it.
struct StatedFact: Sendable, Equatable {
    /// Whom or what it is about: folded, without articles, in the order of owner and owned ("server port" of "the port of the
    /// server").
    var subject: String
    /// By what name the value is found: "is", "lives", "at", …; a change may end more than one ("moved to").
    var relations: [String]
    var value: FactValue
    var isDenied = false
    /// It says that it was otherwise before.
    var isChange = false
    /// What it says is over, beside what is denied.
    var former: FactValue?
    /// Where, when or for whom it holds; two of different contexts do not contradict each other.
    var context = ""
    /// One value holds at a time; else only what denies it contradicts it.
    var isFunctional = false
    /// Its subject has a name, or is the speaker's; else it is "the budget" or the like, of whatever is spoken of.
    var isNamed = false
    /// It cannot change: where somebody was born.
    var isTimeless = false
    /// The sentence says nothing else.
    var isWhole = false
    /// The bytes of the part of the sentence.
    var range: Range<Int>
}
