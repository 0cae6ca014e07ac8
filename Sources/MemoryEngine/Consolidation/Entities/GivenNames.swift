/// Given names that are borne often: what begins with one looks like a person's name.
enum GivenNames {
    static func contains(_ word: some StringProtocol) -> Bool { names.contains(String(word)) }

    private static let names: Set<String> = Set(
        """
        ada adam adele adrian agatha agnes ahmed aisha alan albert alec alessandro alex alexander alexandra alexei alfred \
        alice alicia alison allison alonzo alphonse amanda amelia amy ana anders andré andre andrea andreas andrei andrew \
        andrey andy angela anita ann anna anne annie anthony antoine anton antonio arnold arthur astrid audrey august \
        aurelie barbara barry beatrice becky ben benjamin bernard bert bertrand beth betty bill bjarne björn bob boris brad \
        brenda brent brian bruce bruno caitlin camille carl carla carlos carmen carol caroline carolyn catherine cecilia \
        chantal charles charlie charlotte chen chloe chris christian christina christine christoph christopher claire clara \
        claude claudia colin connie craig cynthia daisy daniel daniela danielle dave david deborah debra denis dennis diana \
        diane diego dirk dmitri dmitry don donald donna doris dorothy doug douglas edgar edith edmund edsger eduard edward \
        edwin eileen elaine eleanor elena eli elias elisabeth elizabeth ella ellen elsa emil emily emma emmanuel emmy enrico \
        eric erica erich erik erika ernest erwin esther ethan eugene eva evan evelyn ezra fabrice federico felix fernando \
        fiona florence florian frances francesca francesco francis frank françois fred frederick friedrich fritz gabriel \
        gary gavin gene geoffrey george gerald gerhard gina giovanni giulia giuseppe gloria gordon gottfried grace graham \
        greg gregory greta guido guillaume gustav guy hannah hans harald harold harriet harry hayao hector heidi heinrich \
        helen helena helga henri henry herbert herman hermann hilary hiroshi howard hugo ian igor ingrid irene irina isaac \
        isabel isabella ivan jack jackie jacob jacques jake james jamie jan jane janet jason javier jay jean jeannette jeff \
        jeffrey jennifer jenny jeremy jerome jerry jesse jessica jill jim jimmy joan joanna joe joel johan johann johannes \
        john johnny jon jonas jonathan jorge jose josé josef joseph josh joshua joyce juan judith judy julia julian julie \
        julien julius jürgen justin karen karim karl kate katherine kathleen kathryn katie keith kelly ken kenji kenneth \
        kevin kim klaus konrad kurt kyle larry lars laura lauren laurence laurent leah lee leo leon leonard leonhard leonid \
        leslie lewis liam lillian linda linus lisa lise lorenzo louis louise lucas lucia lucy ludwig luigi luis luke lydia \
        magnus malcolm manuel marc marcel marcus margaret margarita maria marian marianne marie marilyn mario marion mark \
        markus martha martin martina marvin mary maryam mateo matt matteo matthew matthias maurice max maya megan melanie \
        melissa michael michel michelle miguel mikael mike mikhail mila milan miriam mohamed mohammed molly monica morgan \
        muhammad nadia nancy naomi natalia natalie nathan neil nelson nicholas nick nicola nicolas nicole niels nigel nikita \
        niklaus nikola nina noah nora norman oliver olivia oscar otto owen pablo pamela paola patricia patrick paul paula \
        pauline pedro peggy penelope per peter petra philip philippe phil phyllis pierre rachel radia rafael ralph ray raymond \
        rebecca renata rené richard rita rob robert roberta roberto robin rodney roger roland ron ronald rosa rosalind rose \
        ross roy rudolf russell ruth ryan sally sam samantha samuel sandra sara sarah scott sean sebastian sergei sergey \
        seymour sharon shigeru shirley simon simone sofia sofie sonia sophia sophie srinivasa stanislaw stefan stella stephan \
        stephanie stephen steve steven stuart sue susan suzanne sven sylvia tanya ted teresa terry theo theodore theresa \
        thomas tim timothy tina tobias toby todd tom tommy tony tracy trevor tristan ulrich ursula valentina vanessa vera \
        victor victoria vincent viktor vint virginia vladimir walter wanda warren wayne wendy werner wilhelm will willem william \
        wolfgang xavier yann yuki yukihiro yves yvonne zoe
        """.split(whereSeparator: \.isWhitespace).map { FoldedKey.fold(String($0)) })
}
