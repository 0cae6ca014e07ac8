/// How rare English words are, as the natural logarithm of one over their share of texts.
///
/// Counted once in 108,671 different paragraphs of 40 to 300 words each, from the documentation of 43
/// Debian 12 packages (manuals of the system, of languages and of programs, and changelogs; at most 8,000
/// paragraphs of a package): of each word, the paragraphs that hold it. The 1,500 most frequent are kept,
/// with words of conversation that such text avoids (`hey`, `she`, `thanks`), put beside its `you`.
/// All others weigh as rare.
///
/// The table belongs to the revision of `HashEmbedder`'s space: another table makes other vectors.
enum WordRarity {
    /// What the word of this hash weighs: its rarity above that of a word of every seventh text, which
    /// says nothing of what a text is about.
    static func weight(ofWord hash: UInt64) -> Float { max(0.05, (table[hash] ?? rare) - 2) }

    /// Of a word that is not in the table, about one in 700 paragraphs.
    private static let rare: Float = 6.5

    private static let table: [UInt64: Float] = {
        var table: [UInt64: Float] = [:]
        for line in lines.split(separator: "\n") {
            let parts = line.split(separator: ":")
            guard parts.count == 2, let quarters = Float(parts[0]) else {
                preconditionFailure("a line without its level: \(line)")
            }
            for word in parts[1].split(separator: " ") {
                var hash = FeatureHash(0)
                for scalar in word.unicodeScalars { hash.add(scalar.value) }
                table[hash.state] = quarters / 4
            }
        }
        return table
    }()

    /// Rarity in quarters, then the words of it, in the order of the alphabet.
    private static let lines = """
        0: the
        1: a is of to
        2: and in
        3: be for that this
        4: are as if it not or with
        5: an by can on
        6: from used when which will you
        7: all but only s use
        8: also any at file has have may one other set using value
        9: 1 default each example function more must name no same see should so t then there
        10: code command data do does first into its list new number option some string such than these they
        10: time type values where
        11: 0 2 after argument been before c case current e files like line need note result specified system
        11: two up user was we your
        12: 3 am because both call called change could couldn did didn different doesn don either error
        12: functions get getting given going gonna got had he hello her hers hey hi him his however i
        12: information instead isn just ll make me method mine module most my myself non object oh ok okay
        12: order our ours output possible re read really return returns run she single text thanks them us
        12: variable ve version wasn way were who whom without won would wouldn yeah yours yourself
        13: about add always another arguments available being between character contains control create
        13: created database defined directory end even following form format g how input key many means
        13: memory message might mode names now otherwise out parameter path point process returned server
        13: since size source start support table their those true uses want what while within work x
        14: 4 5 8 above access added allows already automatically b cannot changes characters check class
        14: commands configuration contain empty expression field git index instance last level local match
        14: multiple n next objects options package part perl program required second section setting specific
        14: standard still test types useful well whether write zero
        15: address allow application array avoid back based behavior below bit bytes calls cases cause
        15: changed column common containing context corresponding currently details directly done during
        15: element elements enabled every exception f false find flag found full handle here implementation
        15: include integer interface itself left library lines long made named needed once optional over
        15: particular passed pattern problem property provide provided provides python query r rather
        15: reference results right running space special specify sqlite state stored syntax take through thus
        15: tree under unless until update usually variables very via vim written
        16: 6 actually additional allowed associated base binary block buffer build built calling client
        16: commit connection content contents copy d define described device document documentation effect
        16: entry environment etc event except existing fail feature fields generated id included including
        16: internal kernel later least length less log longer main makes map matches matching messages
        16: methods modules much necessary needs never normal normally null o off often old open operation
        16: operations original own packages page parameters per place pointer position present previous
        16: properties range release removed request row script search select sequence sets several shell
        16: similar specifies sql statement strings structure supported systems takes three top try unix users
        16: valid versions window windows works
        17: 10 7 able actual addition again against api appear applications applied apply appropriate assigned
        17: attribute bug byte causes certain columns compatible compile compiled compiler complete config
        17: considered core cursor debian definition depending determine display displayed django down driver
        17: enable encoding ensure entries equal equivalent errors executed exist exists explicitly
        17: expressions extension fix fixed followed future general global group handler header help host html
        17: ignored implemented important includes indicates insert inside installed item items keep keys know
        17: known language large let limit lists location look m maximum node none numbers operator org p
        17: parent pass patch performance points port postgresql pre procedure programs put regular remove
        17: require requires rows rules selected send sent separate shared show shown side simple simply
        17: something starting status store style supports sure tables target therefore though thread times
        17: too tt typically updated various warning whose word working writing y
        18: 32 64 9 accept active adding although anything around attempt beginning better bits bound branch
        18: cache checked checks clause compatibility configure configured consider correct count cpu creates
        18: creating defaults defines delete depends description directories disk doing double due entire
        18: erlang exactly examples execute execution exim exit expected external extra fails features few
        18: filename filter flags foo free further generally generate give good h hand handling happens hash
        18: having http immediately implement info initial install instances intended io k keyword l link
        18: linux listed load loaded low machine mechanism modified move nothing occurs operating os pages
        18: perform performed platform please prefix prevent previously print problems processes processing
        18: reading real reason recommended record refer references register relative remote report repository
        18: representation resulting root runtime rust safe scope security separated settings small solution
        18: sometimes src stack started starts storage supplied taken tests things together treated unicode
        18: utf v vector view virtual whole words
        19: 16 according action addresses allocated amount appears applies arbitrary area ascii attributes
        19: bacula basic become behaviour best binding body boolean box callback cell cells changing chapter
        19: checking child choose classes close collection color completion condition continue controls
        19: convert converted correctly custom date deleted detail determined difference directive disable
        19: disabled distribution domain dynamic earlier edit else enough enter evaluated events expansion
        19: explicit expr fact failure final floating follows force forms functionality generic ghc gives go
        19: greater handled hardware hence high higher https identifier image import indicate individual
        19: inserted installation int integers interpreted invoked issue job kind larger libraries likely lock
        19: loop lower macro making manual mapping mark matrix max meaning menu merge model modify negative
        19: nodes notice numeric occur offset older omitted operators outside override parts passing paths
        19: patterns platforms possibly primary printed prior probably produce project protocol queries racket
        19: raised received records related replace replaced reported represented represents requests reset
        19: resource respectively response returning rule runs save screen scripts session short shows signal
        19: software specification specifying sqlite3 statements step stream struct sub subsequent switch
        19: symbol tag term terminal terms testing third threads tools transaction tuple turn unique url usage
        19: visible w ways width yet z
        20: 11 12 20 absolute accepts accessed across actions adds affect algorithm allowing along alternative
        20: archive attempts auto backup bar becomes begin bindings blocks break bugs building button caller
        20: care char clear closed closes com commits completely complex component components conditions
        20: connections constant constructor contained controller conversion copied course ctrl daemon debug
        20: declared definitions depend desired determines developers devices dialog dictionary dir drop
        20: easier easy editing editor efficient encoded especially exact executable executing expanded
        20: extended extensions fast faster filesystem finally follow foreign four fully gets gt gui happen
        20: hard head headers history hold idea ignore implementations implements init internally interpreter
        20: interrupt introduced invalid ip issues label languages latter limited linked literal locale looks
        20: lookup manually maps marked mask matched minimum missing mod mouse moved multi native network nor
        20: ones opened others overridden pair parse parser people pg placed pointers policy positive posix
        20: power precision private produces prompt properly public purpose quite raw reads reasons receive
        20: regardless region registers relevant represent requested rest restore saved say scalar scheme
        20: selection sense servers service share sign similarly socket sort spaces split static stop
        20: structures subject suitable sys tab template temporary thing tool total trigger u undefined
        20: underlying unit unlike updates upstream usual wait web whenever why writes wrong zone
        21: 100 13 14 15 accepted affected alias allocation almost apache approach arrays assume assumed
        21: attached authentication automatic aware backend backslash backwards big bind bool boot builtin
        21: caused channel choice chosen click clients clock combination combined come comes comment comments
        21: compare compared comparison compilation conf connect connected consistent consists console
        21: constraint constraints construct corresponds crash databases debugging decimal declaration
        21: dependencies dependency dependent deprecated describe describes design designed detect detected
        21: dev development diff digits direct dns doc dpkg easily effects email embedded enables ends ensures
        21: escape evaluation everything exceptions expect export failed far fetch fit fixes formats forward
        21: frame garbage gnu groups guaranteed handles haskell home identical identifiers independent indexes
        21: indicating inherited interactive interfaces interrupts layer lead leading letter lib links listing
        21: little loading located looking lot macros mail major manager mapped maybe mean member mentioned
        21: namespace neither nested obtain obtained optimization optionally ordering ordinary pack pairs
        21: parallel parsing password period physical places plain plot plus post processed produced
        21: programming providing purposes queue quote quoted quotes raise random raster rcu recent recursive
        21: reduce ref referenced refers reg releases remaining reports representing resolution resources rfc
        21: routine scan schema seconds sections seen self semantics sending sequences series setup signature
        21: signed significant site situation situations skip smaller smtp specifically speed stable stores
        21: strict successful symbols systemd tags task tell terminated timeout trace track transport tries
        21: trying txt units unstable upon upper urgency usr verify wal warnings whatever whitespace wish www
        22: append assign away background bad broken buffers catalog comma completed computed contract
        22: convenient copies cost creation defining delivery derived descriptor documented drivers dst
        22: dynamically engine entirely eval evaluate font generates goes grid guarantee handlers heap height
        22: hidden hosts identify imported improve initialized instructions invoke join kept kinds leave
        22: logging logic logical management necessarily net newline octave overhead packed parentheses
        22: performs perhaps potentially practice pragma preferred printing proper push q question recognized
        22: registered remain removing requirements reverse slightly sources ssl startup states subset suffix
        22: supply tcp tells themselves trailing trait transactions translation turned understand variant
        22: visual volume waiting whereas wide yes
        """
}
