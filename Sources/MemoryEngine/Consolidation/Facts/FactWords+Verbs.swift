/// The relations of which one value holds at a time, by the nouns and verbs that tell of them.
extension FactWords {
    static let be = set("is are am was were be been being 's")
    static let denying = set("not never")
    /// Nouns of which there is one for a thing: what they are called, cost, weigh, or who does something for them.
    static let attributes = set(
        """
        port version limit timeout address phone number password region branch deadline price cost size status colour color name \
        title capital host server database language framework licence license format default maximum minimum budget temperature \
        threshold interval frequency salary rent model brand email birthday birthplace date time location venue room office \
        headquarters height width weight length depth capacity encoding protocol compiler editor supplier vendor provider currency \
        unit schedule release mascot motto prefix suffix level manager speed resolution domain hostname url username user key token \
        pin code extension nickname surname hometown employer job profession occupation school university major shell os platform \
        runtime engine backend frontend theme font locale timezone zone timeouts ttl count total rate score rank grade age hours \
        flavour flavor codename tag channel repository registry prompt interpreter linter formatter orm queue broker cdn dns registrar bank \
        airline carrier isp primary fallback gateway subnet path folder directory bucket cluster namespace mode state
        """)
    /// Who there is one of for a thing; their value is a name.
    static let roles = set(
        """
        lead leader maintainer owner manager boss ceo cto cfo president chair chairman chairwoman chairperson director head editor \
        treasurer secretary author architect coordinator captain coach mayor principal landlord landlady dentist doctor gp lawyer \
        accountant husband wife spouse partner boyfriend girlfriend fiance fiancee supervisor advisor mentor therapist teacher tutor \
        vet barber hairdresser assistant inventor founder composer designer king queen chancellor minister governor
        """)
    /// Of which one may have several.
    static let plural = set(
        "sister brother son daughter friend colleague cousin uncle aunt neighbour neighbor child pet dog cat hobby book song film movie part member contributor reason goal problem thing example"
    )

    /// Participles behind a form of "be", with the prepositions that bring the value: what they say of a subject, of which one
    /// value holds.
    static let participles: [String: (prepositions: Set<String>, relation: String)] = table(
        """
        hosted on at in by = hosted; deployed on to in = deployed; written in = written in; rewritten in = written in; \
        maintained by = maintainer; owned by = owner; led by = lead; managed by = manager; headed by = head; chaired by = chair; \
        edited by = editor; operated by = operator; run by = operator; licensed under = license; released under = license; \
        stored in on at = stored; kept in on at under = stored; located in at on = at; situated in = at; based in on = based; \
        built on with = built; scheduled for on at = at; due on at in = at; set to for at = is; called = called; named = called; \
        assigned to = assignee; employed by at = employer; backed by = backed; powered by = powered; handled by = handled; \
        sponsored by = sponsor; registered to with = registered; connected to = connected; pinned to at = is; capped at = limit; \
        limited to = limit; priced at = price; served by from = served; sold by at = sold; parked in on at = at; \
        dating = partner; engaged to = partner; married to = partner; mounted on at = mounted; installed in on = installed; rebuilt in = rebuilt; \
        changed to = +is; set_ to = +is; raised to = +is; increased to = +is; reduced to = +is; lowered to = +is; cut to = +is; \
        bumped to = +is; upgraded to = +is; downgraded to = +is; updated to = +is; extended to = +is; shortened to = +is; \
        doubled to = +is; renamed to as = +called; rebranded to as = +called; moved to = +at; postponed to = +at; pushed to = +at; \
        rescheduled to for = +at; shifted to = +at; delayed to = +at; relocated to = +at; switched to = +is; migrated to = +is; \
        transferred to = +owner; acquired by = +owner; bought by = +owner; replaced by with = +replaced; converted to = +is; \
        ported to = +written in; reassigned to = +assignee; painted = +is; \
        born in on = !born; invented by = !inventor; discovered by = !discoverer; designed by = !designer; founded in on by = !founded; \
        composed by = !composer; painted_ by = !painter; directed by = !director; written_ by = !author; completed in on = !completed; \
        built_ in = !built in; launched in on = !launched; released in on = !released; established in = !founded
        """)

    /// Verbs with what follows them, and what they say.
    static let verbs: [String: (prepositions: Set<String>, relation: String)] = table(
        """
        live in = lives; reside in = lives; work at for = employer; work_ as = job; run on = runs on; \
        run_ at = at; rely_ on = relies; listen on at = listens; cost = price; weigh = weight; open at = opens; close at = closes; \
        start at on = starts; begin at on = starts; end at on = ends; finish at on = ends; leave at = leaves; depart at = leaves; \
        arrive at = arrives; expire after on in at = expires; take = takes; belong to = owner; report to = reports; \
        last = lasts; study at = studies at; stay at = stays; sit in on = at; stand in on = at; \
        move to = +lives; relocate to = +lives; switch to = +is; migrate to = +is; change to = +is; rise to = +is; drop to = +is; \
        fall to = +is; go to_ = goes; join = +employer; die in on at = !died; resides in = lives
        """)
    /// What somebody is to the object of the verb.
    static let inverse: [String: String] = [
        "maintain": "maintainer", "own": "owner", "lead": "lead", "manage": "manager", "chair": "chair",
        "head": "head",
    ]
    /// "We raised the limit to 5": the subject stands behind the verb.
    static let setting = set(
        "changed set raised increased reduced lowered cut bumped upgraded downgraded updated extended shortened renamed moved switched migrated postponed pushed rescheduled shifted relocated converted ported transferred"
    )
    /// Participles of verbs without "be": "has moved to", "moved to".
    static let past: [String: String] = [
        "moved": "move", "relocated": "relocate", "switched": "switch", "migrated": "migrate",
        "changed": "change",
        "joined": "join", "rose": "rise", "risen": "rise", "dropped": "drop", "fell": "fall",
        "fallen": "fall", "died": "die",
        "rised": "rise", "left": "leave_",
    ]
    static let stopping = set("stopped quit gave ceased stops")

    /// "verb prepositions = relation; …". A relation with a plus is a change, with an exclamation mark one that never changes;
    /// an underscore at the end tells two entries of one verb apart.
    private static func table(_ text: String) -> [String: (prepositions: Set<String>, relation: String)] {
        var found: [String: (prepositions: Set<String>, relation: String)] = [:]
        for entry in text.split(separator: ";") {
            let sides = entry.split(separator: "=")
            let words = sides[0].split(whereSeparator: \.isWhitespace).map(String.init)
            found[words[0]] = (Set(words.dropFirst()), sides[1].trimming())
        }
        return found
    }

    /// A verb as it stands in the tables: "runs" of "run", "studying" of "study".
    static func base(_ word: String) -> String {
        if let base = past[word] { return base }
        if verbs[word] != nil || inverse[word] != nil { return word }
        var candidates: [String] = []
        if word.hasSuffix("ies") { candidates.append(word.dropLast(3) + "y") }
        if word.hasSuffix("es") { candidates.append(String(word.dropLast(2))) }
        if word.hasSuffix("s") { candidates.append(String(word.dropLast())) }
        if word.hasSuffix("ing") { candidates += [String(word.dropLast(3)), word.dropLast(3) + "e"] }
        return candidates.first { verbs[$0] != nil || inverse[$0] != nil } ?? candidates.last ?? word
    }

    static func isVerb(_ word: String) -> Bool {
        let base = base(word)
        return verbs[base] != nil || inverse[base] != nil || base == "use"
    }
}

extension StringProtocol {
    fileprivate func trimming() -> String { split(whereSeparator: \.isWhitespace).joined(separator: " ") }
}
