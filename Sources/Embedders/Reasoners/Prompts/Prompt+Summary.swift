extension Prompt {
    /// Purpose: to have a session or thread in a few sentences, which stand for it where it does not fit
    /// (`Reasoner.summary`).
    static func summary(wordCount: Int) -> Prompt {
        Prompt(
            name: "summary", purpose: "Tells in a few sentences what a session or thread was about.",
            instructions: """
                The memories are one session or thread, in the order of their ids (m0 is the first). Tell in at most \
                \(wordCount) words what was found, decided and done, by whom, and what is left open. Names, numbers, dates and \
                identifiers are kept as they stand. Say nothing that does not stand there, ask nothing, and address nobody.
                """)
    }
}
