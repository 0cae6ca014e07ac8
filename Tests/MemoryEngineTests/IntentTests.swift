import Testing

@testable import MemoryEngine

@Suite struct `The intent of a question` {
    @Test(arguments: [
        ("Why did the deploy fail?", Intent.why, "en: why"),
        ("What caused the outage?", .why, "en: what caused"),
        ("What was the reason for the delay?", .why, "en: what was the reason"),
        ("How come it broke?", .why, "en: how come"),
        ("Please explain why it fails.", .why, "en: explain why"),
        ("When did Ada go home?", .when, "en: when"), ("What year did she start?", .when, "en: what year"),
        ("In which month was he in Italy?", .when, "en: which month"),
        ("How long has she painted?", .when, "en: how long"),
        ("And when is it?", .when, "en: when"),
        ("Who wrote this?", .who, "en: who"), ("Whose dog is it?", .who, "en: whose"),
        ("With whom did he go?", .who, "en: whom"),
        ("Where is the file?", .where, "en: where"), ("Which city was he in?", .where, "en: which city"),
        ("What did she do when he left?", .what, "en: what"),
        ("Which book did he read where she lives?", .what, "en: which"),
        ("What's up with that?", .what, "en: what"), ("what about why", .what, "en: what"),
        ("How many weeks passed?", .howMany, "en: how many"),
        ("How much did it cost?", .howMany, "en: how much"),
        ("How did he relax?", .open, "en: how"), ("Tell me about the house.", .open, "en: tell me"),
        ("Tell me who wrote it.", .who, "en: who"), ("Did she go?", .open, "en: did"),
        ("The house is red.", .open, "en: is"),
        ("Red houses", .open, "none"), ("", .open, "none"), ("???", .open, "none"),
        ("Whyever, whomsoever, whenever", .open, "none"),
        ("Somewhere nowhere", .open, "none"),
        ("Was it raining?", .open, "en: was"), ("Was ist passiert?", .what, "de: was"),
        ("Warum ist das so?", .why, "de: warum"),
        ("Wie viele sind es?", .howMany, "de: wie viele"), ("Wann war der Termin?", .when, "de: wann"),
        ("WER HAT DAS GESAGT?", .who, "de: wer"),
        ("Wo wohnt sie?", .where, "de: wo"), ("Wie lange hat es gedauert?", .when, "de: wie lange"),
        ("¿Por qué no está el archivo?", .why, "es: por qué"),
        ("¿Cuándo fue la reunión?", .when, "es: cuándo"), ("¿Dónde está?", .where, "es: dónde"),
        ("¿Quién lo ha hecho?", .who, "es: quién"), ("¿Cuántos son?", .howMany, "es: cuántos"),
        ("Pourquoi est-ce que le test échoue ?", .why, "fr: pourquoi"),
        ("Où est le fichier ?", .where, "fr: où"), ("OÙ EST-IL ?", .where, "fr: où"),
        ("Quand est-il parti ?", .when, "fr: quand"),
        ("Combien de fichiers sont là ?", .howMany, "fr: combien"), ("Pourquoi ?", .why, "fr: pourquoi"),
    ])
    func `is told by the first question word of its language`(question: String, intent: Intent, rule: String)
    {
        let reading = IntentRules.classify(question)
        #expect(reading.intent == intent)
        #expect(reading.rule == rule)
        #expect((0...1).contains(reading.confidence))
    }

    @Test func `is surer at the start than further in, and surer of a word than of a hint`() {
        let confidences = ["Why?", "What year?", "the reason why", "Did he?", "Red"].map {
            IntentRules.classify($0).confidence
        }
        #expect(confidences == [0.95, 0.9, 0.8, 0.5, 0])
    }

    @Test func `is read from the first bytes of a long text`() {
        #expect(IntentRules.classify(String(repeating: "x ", count: 3_000) + "why").rule == "none")
        #expect(IntentRules.classify(String(repeating: "é", count: 5_000_000)).rule == "none")
    }

    @Test func `takes a table of another language`() {
        let dutch = IntentTable("nl", marks: "de het is", [(.why, .word, "waarom")])
        #expect(IntentRules.classify("Waarom is het stuk?", tables: [dutch]).rule == "nl: waarom")
        #expect(IntentRules.classify("Why is it?", tables: []).rule == "none")
    }
}

@Suite struct `Actors named by a question` {
    @Test(
        arguments: [
            ("When did Caroline go?", ["Caroline", "Melanie"], ["Caroline"]),
            ("what did caroline's mother do", ["Caroline"], ["Caroline"]),
            ("CAROLINE’S dog", ["Caroline"], ["Caroline"]),
            ("Did Melanie meet Caroline?", ["Caroline", "Melanie"], ["Melanie", "Caroline"]),
            ("Carolines, Carol, McCaroline", ["Caroline"], []),
            ("Ada Lovelace wrote it", ["Ada Lovelace"], ["Ada Lovelace"]),
            ("Did Ada write it?", ["Ada Lovelace"], ["Ada Lovelace"]),
            ("Did Lovelace write it?", ["Ada Lovelace"], []),
            ("Did Ada write it?", ["Ada Lovelace", "Ada King"], ["Ada Lovelace", "Ada King"]),
            ("Did Ada King write it?", ["Ada Lovelace", "Ada King"], ["Ada King"]),
            ("Will it rain?", ["Will"], []), ("it will", ["Will"], []),
            ("Did Will go?", ["Will"], ["Will"]), ("did will smith go", ["Will Smith"], ["Will Smith"]),
            ("Mark it", ["Mark"], []),
            ("José went", ["Jose"], ["Jose"]), ("Did Jose go", ["José Núñez"], ["José Núñez"]),
            ("did ci-bot fail", ["ci-bot"], ["ci-bot"]),
            ("Ivan и Иван", ["Иван Петров"], ["Иван Петров"]), ("", ["Ada"], []), ("Ada", [], []),
            ("Ada", ["", "A", "-"], []),
            ("Ada and Ada", ["Ada"], ["Ada"]), ("adalovelace", ["Ada"], []), ("x_Ada", ["Ada"], ["Ada"]),
        ] as [(String, [String], [String])])
    func `are those whose words it has`(question: String, actors: [String], named: [String]) {
        #expect(NamedActors.find(question, actors: actors) == named)
    }
}
