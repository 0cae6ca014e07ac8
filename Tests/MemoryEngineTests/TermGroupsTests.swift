import TestSupport
import Testing

@testable import MemoryEngine

@Suite struct `Postings gathered by term` {
    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func `agree with a dictionary, in the order of keys`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var groups = TermGroups()
        var model: [[UInt8]: [Posting]] = [:]
        // More terms than half of the slots, so that the table grows; many share their first seven bytes.
        for passage in 0..<300 as Range<UInt32> {
            for _ in 0..<40 {
                let field: UInt8 = Bool.random(using: &random) ? 0x77 : 0x74
                let number = String(UInt16.random(in: 0..<12_000, using: &random))
                let term = Array((Bool.random(using: &random) ? "somewhere" : "").utf8) + Array(number.utf8)
                let posting = Posting(passage: passage, frequency: UInt8.random(in: 1...255, using: &random))
                groups.add(field, term.span, hash: TermHash.hash(term), posting)
                model[[field] + term, default: []].append(posting)
            }
        }
        var keys: [[UInt8]] = []
        groups.forEachTerm { term, postings in
            keys.append(term)
            #expect(postings == model[term])
        }
        #expect(keys == model.keys.sorted { $0.lexicographicallyPrecedes($1) })
    }

    @Test func `keep terms of one hash apart, and the empty one`() {
        var groups = TermGroups()
        let terms: [[UInt8]] = [Array("beta".utf8), Array("alpha".utf8), []]
        for (index, term) in terms.enumerated() {
            groups.add(1, term.span, hash: 7, Posting(passage: UInt32(index), frequency: 1))
        }
        var found: [[UInt8]] = []
        groups.forEachTerm { term, postings in
            found.append(term)
            #expect(postings.count == 1)
        }
        #expect(found == [[1], [1] + terms[1], [1] + terms[0]])
    }
}
