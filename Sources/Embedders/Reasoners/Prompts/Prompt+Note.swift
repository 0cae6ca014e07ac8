extension Prompt {
    /// Purpose: to find a memory by words that it does not have, and to tie it to memories that are like it (after the notes of
    /// A-Mem; `ReasonerNote`).
    static let note = Prompt(
        name: "note", purpose: "Notes what one memory is about, and what it has to do with the others.",
        instructions: """
            Note the memory m0. The other memories, if there are any, are those that are most like it.

            keywords: words or short phrases by which somebody may look for m0 and which do not stand in it, such as another \
            name of the same thing. Only what m0 is about; few are better than many.
            tags: one or two broad subjects, in lower case.
            facts: what m0 states of the world, each as subject, relation and value in words of m0, with a quote of the words \
            that state it. Nothing that is only asked, planned, supposed or asked for.
            links: what m0 has to do with another memory. supersedes: m0 says what takes the place of what the other says. \
            contradicts: both cannot be true at once. causedBy: the other tells the cause of what m0 tells. paraphrases: both \
            say the same. relatesTo: both are about the same particular thing. Only where the texts show it; the confidence is \
            from 0 to 1.
            refinements: keywords and tags that another memory should have, now that m0 is known. Mostly there are none.

            A quote is copied from m0 letter by letter; an empty quote of a link means all of m0. Where there is nothing to say, \
            leave a list empty.
            """)
}
