/// What a word is to the rules of causes.
enum CueWord: UInt16 {
    case because = 1
    case due, to, caused, by, thanks, since, `in`, response, reason, led, leads, results, resulted, therefore,
        `as`, a, result, of, so
    case that, order, `is`, why, which, causes, owing, account, on, triggered, `for`, the, this, reverts,
        revert, commit, fixes, introduced, regression
    case broken, from, and
    /// Verbs of the present, behind which "since" is causal.
    case present
    /// Points of time behind "since".
    case time
    /// Verbs in which "due to" is no cause.
    case infinitive
    /// What keeps "so" from joining two clauses.
    case degree
    /// What may stand behind the verbs "causes" and "caused".
    case determiner
    /// Lengths of time, behind which "since" counts from a moment.
    case length

    static let lexicon: Lexicon = {
        var entries: [(word: String, tag: UInt16)] = []
        func add(_ kind: CueWord, _ words: String) {
            for word in words.split(whereSeparator: \.isWhitespace) {
                entries.append((String(word), kind.rawValue))
            }
        }
        for (kind, words) in [
            (.because, "because cuz"), (.due, "due"), (.to, "to"), (.caused, "caused"), (.by, "by"),
            (.thanks, "thanks"),
            (.since, "since"), (.in, "in"), (.response, "response"), (.reason, "reason"), (.led, "led"),
            (.leads, "leads leading lead"),
            (.results, "results"), (.resulted, "resulted"), (.therefore, "therefore consequently hence thus"),
            (.as, "as"), (.a, "a"),
            (.result, "result consequence"), (.of, "of"), (.so, "so"), (.that, "that"), (.order, "order"),
            (.is, "is"), (.why, "why"),
            (.which, "which"), (.causes, "causes"), (.owing, "owing"), (.account, "account"), (.on, "on"),
            (.triggered, "triggered"),
            (.for, "for"), (.the, "the"), (.this, "this"), (.reverts, "reverts"), (.revert, "revert"),
            (.commit, "commit"),
            (.fixes, "fixes fixed fix closes closed close resolves resolved"), (.introduced, "introduced"),
            (.regression, "regression"),
            (.broken, "broken broke"), (.from, "from"),
            (
                .present,
                """
                are has have can cannot can't do don does doesn isn aren hasn haven will won would should must may might need needs \
                want wants s re ve
                """
            ),
            (
                .time,
                """
                then last first early yesterday ago when version release january february march april june july august september \
                october november december monday tuesday wednesday thursday friday saturday sunday spring summer autumn winter \
                childhood birth day week month year
                """
            ),
            (
                .infinitive,
                "be start begin arrive expire end open launch ship finish come go take run land happen"
            ),
            (.degree, "far much many long little few on what"),
            (
                .determiner,
                "an its his her their our my your it us them him me all many some no any these those"
            ),
            (.length, "ages while time long years year days weeks months ever hours been"), (.and, "and"),
        ] as [(CueWord, String)] { add(kind, words) }
        // The apostrophe is a sign: "can't" and "don't" are read as can, don.
        var seen: Set<String> = []
        return Lexicon(entries.filter { seen.insert($0.word).inserted })
    }()
}

extension TextToken {
    var cue: CueWord? { CueWord(rawValue: tag) }
}
