import MemoryEngine
import Testing

@Suite struct `The Porter2 stemmer` {
    @Test func `gives the stems that Snowball 3.1 gives`() {
        for pair in Self.table.split(whereSeparator: \.isWhitespace) {
            let columns = pair.split(separator: "=", omittingEmptySubsequences: false)
            #expect(stem(String(columns[0])) == String(columns[1]), "of \(columns[0])")
        }
    }

    @Test func `brings the forms of a word together`() {
        let forms = ["connect", "connects", "connected", "connecting", "connection", "connections"]
        #expect(Set(forms.map(stem)) == ["connect"])
        #expect(stem("deployment") == stem("deployed"))
        #expect(stem("organ") != stem("organization"))
    }

    @Test func `leaves words of one and two letters and the empty word alone`() {
        for word in ["", "a", "is", "by", "'s", "'", "yy"] { #expect(stem(word) == word) }
    }

    @Test func `leaves what is longer than a term alone`() {
        let word = String(repeating: "connection", count: 6) + "sing"
        #expect(word.utf8.count == 64)
        #expect(stem(word).utf8.count < 64)
        #expect(stem(word + "s") == word + "s")
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `never makes a word longer, and keeps letters letters`(seed: UInt64) {
        var random = Random(state: seed)
        let letters = Array("aeiouyybcdlstngizr'".utf8)
        for _ in 0..<500 {
            let word = (0..<random.next(below: 14)).map { _ in letters[random.next(below: letters.count)] }
            var stemmed = word
            PorterStemmer.stem(&stemmed)
            #expect(stemmed.count <= word.count)
            #expect(stemmed.allSatisfy { ($0 >= 97 && $0 <= 122) || $0 == 39 })
        }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `takes any bytes`(seed: UInt64) {
        var random = Random(state: seed)
        for _ in 0..<500 {
            var word = (0..<random.next(below: 80)).map { _ in UInt8(random.next(below: 256)) }
            let byteCount = word.count
            PorterStemmer.stem(&word)
            #expect(word.count <= byteCount)
        }
    }

    private func stem(_ word: String) -> String {
        var bytes = Array(word.utf8)
        PorterStemmer.stem(&bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Words of English and their stems, made with PyStemmer 3.1.0: frequent words with each common ending,
    /// and the cases of the paper.
    private static let table = """
        about=about added=add adjustable=adjust adjustment=adjust adoption=adopt after=after agent=agent
        agreed=agre airliner=airlin allow=allow allowance=allow alternatives=altern always=alway
        analogously=analog analogy=analog andes=andes apply=appli archaeology=archaeolog arguments=argument
        arithmetic=arithmet arsenal=arsenal arsenic=arsenic atlas=atlas automatically=automat back=back
        bash=bash been=been before=befor bias=bias biologist=biolog bitmaps=bitmap bits=bit block=block
        bold=bold bowdlerize=bowdler boyish=boyish by=by bytes=byte callousness=callous calls=call
        canning=canning carelessly=careless cause=caus cease=ceas change=chang changed=chang changes=chang
        character=charact checks=check clean=clean closes=close command=command commands=command
        commit=commit communication=communic communism=communism community=communiti compile=compil
        condensed=condens conditional=condit configure=configur conflated=conflat conflict=conflict
        conformably=conform consider=consid contains=contain contributor=contributor controlled=control
        copies=copi copyright=copyright correctly=correct cosmos=cosmos cover=cover covered=cover cries=cri
        cry=cri decisiveness=decis default=default defensible=defens define=defin definitely=definit
        deletions=delet depend=depend dependent=depend derivative=deriv different=differ differently=differ
        digitizer=digit directory=directori disassembly=disassembl display=display distribute=distribut
        distribution=distribut document=document documentation=document done=done down=down dying=die
        each=each early=earli earring=earring easier=easier effective=effect egg=egg egged=egg
        electrical=electr electricity=electr emerge=emerg emergency=emergenc enable=enabl enabled=enabl
        enjoy=enjoy entry=entri environment=environ errors=error even=even evening=evening evenings=evening
        everyone=everyon example=exampl exceed=exceed exceeded=exceed experimental=experiment eyed=eye
        fail=fail family=famili favorite=favorit features=featur feed=feed feedly=feed feels=feel
        feudalism=feudal files=file find=find fitness=fit fitted=fit fonts=font form=form formality=formal
        formalize=formal formative=format formats=format found=found free=free gaps=gap gas=gas
        general=general generate=generat generic=generic generically=generic generous=generous gently=gentl
        goals=goal good=good goodness=good gracefully=grace groups=group guess=guess gyroscopic=gyroscop
        handler=handler have=have helped=help herring=herring hesitancy=hesit hidden=hidden
        homologous=homolog hopeful=hope hopefulness=hope hoping=hope hopped=hop hopping=hop host=host
        howe=howe however=howev idly=idl impact=impact includes=includ inference=infer initial=initi
        inner=inner inning=inning innings=inning insertions=insert install=instal instead=instead
        internal=internal international=internat introduced=introduc invariant=invari irritant=irrit
        james=jame kiwis=kiwi lance=lanc lang=lang last=last lately=late later=later lateral=lateral
        liability=liabil libraries=librari library=librari licenses=licens licensor=licensor
        likewise=likewis lines=line link=link linked=link linker=linker list=list load=load long=long
        longer=longer look=look lying=lie main=main maintainers=maintain make=make manual=manual mark=mark
        miscellaneous=miscellan modified=modifi modify=modifi must=must named=name native=nativ need=need
        newer=newer news=news notes=note notice=notic notices=notic object=object objects=object offer=offer
        offing=off only=onli operator=oper organ=organ organization=organiz organize=organiz original=origin
        other=other outing=outing outputs=output package=packag parse=pars part=part past=past paste=paste
        pasting=paste patch=patch patches=patch patrick=patrick permissions=permiss physical=physic
        place=place planned=plan planning=plan predication=predic previous=previous previously=previous
        print=print probate=probat proceed=proceed proceeding=proceed programs=program properly=proper
        provide=provid publish=publish published=publish purpose=purpos radically=radic rate=rate
        really=realli reason=reason recognize=recogn regenerate=regener regular=regular relational=relat
        release=releas removed=remov rename=renam replace=replac replacement=replac reported=report
        require=requir required=requir reset=reset revert=revert revival=reviv roll=roll rolling=roll
        running=run sans=san say=say sayings=say scripts=script second=second sensibility=sensibl
        sensitivity=sensit several=sever shell=shell simulator=simul since=sinc single=singl singly=singl
        sized=size skies=sky skis=ski sky=sky software=softwar sorry=sorri special=special standard=standard
        statistics=statist string=string succeed=succeed succeeding=succeed super=super support=support
        supports=support targets=target terms=term test=test tests=test things=thing this=this those=those
        through=through tied=tie ties=tie tools=tool triplicate=triplic troubling=troubl tying=tie
        types=type ugly=ugli under=under uninitialized=uniniti universe=univers university=universiti
        unsigned=unsign unstable=unstabl update=updat updated=updat urgency=urgenc used=use useful=use
        user=user users=user using=use valency=valenc values=valu version=version very=veri
        vietnamization=vietnam vilely=vile want=want will=will windows=window word=word words=word work=work
        written=written year=year years=year yes=yes young=young 'tis=tis boy's=boy boys'=boy '='
        o'clock=o'clock
        """
}

/// A small generator with a seed (xorshift64*), so that a failure repeats.
private struct Random {
    var state: UInt64

    mutating func next(below bound: Int) -> Int {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return Int((state &* 0x2545_F491_4F6C_DD1D) >> 33) % bound
    }
}
