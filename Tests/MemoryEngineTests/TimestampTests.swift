import TestSupport
import Testing

@testable import MemoryEngine

@Suite struct `A timestamp` {
    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func `reads back from its text`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let range = Timestamp.allowed.lowerBound.microseconds...Timestamp.allowed.upperBound.microseconds
        for step in 0..<500 {
            var microseconds = Int64.random(in: range, using: &random)
            if step % 3 == 0 { microseconds -= microseconds % 1_000_000 }
            let time = Timestamp(microseconds: microseconds)
            #expect(Timestamp(time.description) == time)
        }
    }

    @Test func `has a text at its bounds, and beyond those that a caller may give`() {
        #expect(Timestamp.allowed.lowerBound.description == "0001-01-01T00:00:00Z")
        #expect(Timestamp.allowed.upperBound.description == "9999-12-31T23:59:59.999999Z")
        #expect(Timestamp.distantFuture.description == "open")
        #expect(Timestamp.distantPast.description == "always")
        // A damaged file may hold any number; printing it must not stop the process.
        #expect(!Timestamp(microseconds: .min + 1).description.isEmpty)
        #expect(!Timestamp(microseconds: .max - 1).description.isEmpty)
    }

    @Test(arguments: [
        ("2026-11-23", "2026-11-23T00:00:00Z"), ("2026-11-23T08:30:00.25+01:00", "2026-11-23T07:30:00.25Z"),
        ("2026-11-23 08:30", "2026-11-23T08:30:00Z"), ("2024-02-29t23:59:59z", "2024-02-29T23:59:59Z"),
        ("2026-01-01T00:00:00-0130", "2026-01-01T01:30:00Z"),
        ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.5Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
    ])
    func `reads RFC 3339`(text: String, normal: String) {
        #expect(Timestamp(text)?.description == normal)
    }

    @Test(arguments: [
        "", "2026", "2026-13-01", "2026-02-29", "2026-00-10", "2026-01-00", "0000-01-01",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00Zx", "２０２６-01-01", "2026-01-01T", "9999-12-31T23:59:59-01:00", "now",
        "-026-01-01",
    ])
    func `refuses what is none`(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test func `advances without overflow`() {
        #expect(Timestamp(microseconds: 0).advanced(by: .milliseconds(-1_500)).microseconds == -1_500_000)
        #expect(Timestamp(microseconds: 5).advanced(by: .seconds(Int64.max)) == .distantFuture)
        #expect(Timestamp(microseconds: 5).advanced(by: .seconds(-Int64.max)) == .distantPast)
        #expect(Timestamp(microseconds: .max - 1).advanced(by: .seconds(1)) == .distantFuture)
        #expect(Timestamp(microseconds: .min + 1).advanced(by: .seconds(-1)) == .distantPast)
    }
}
