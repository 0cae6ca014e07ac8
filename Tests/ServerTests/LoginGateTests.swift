import Testing

@testable import Server

@Suite struct `The gate of logins` {
    private var gate = LoginGate()
    private let start = ContinuousClock.now

    @Test mutating func `lets five wrong passwords of a name pass, and then one in 30 seconds`() {
        for _ in 0..<5 {
            #expect(gate.wait(for: "ada", from: "here", at: start) == nil)
            gate.noteWrong("ada", from: "here", at: start)
        }
        #expect(gate.wait(for: "ada", from: "here", at: start) == .seconds(30))
        #expect(gate.wait(for: "ada", from: "here", at: start + .seconds(29)) == .seconds(1))
        #expect(gate.wait(for: "ada", from: "here", at: start + .seconds(30)) == nil)
        gate.noteWrong("ada", from: "here", at: start + .seconds(30))
        #expect(gate.wait(for: "ada", from: "here", at: start + .seconds(30)) == .seconds(30))
        // It stands in the way of nobody else.
        #expect(gate.wait(for: "ops", from: "here", at: start) == nil)
        #expect(gate.wait(for: "ada", from: "there", at: start) == nil)
        // In time everything is as at first.
        let later = start + .seconds(1_000)
        for _ in 0..<5 {
            #expect(gate.wait(for: "ada", from: "here", at: later) == nil)
            gate.noteWrong("ada", from: "here", at: later)
        }
    }

    @Test mutating func `lets fifty of an address pass, whatever the names`() {
        for number in 0..<50 {
            #expect(gate.wait(for: "user\(number)", from: "here", at: start) == nil)
            gate.noteWrong("user\(number)", from: "here", at: start)
        }
        #expect(gate.wait(for: "ada", from: "here", at: start) == .seconds(2))
        #expect(gate.wait(for: "ada", from: "here", at: start + .seconds(2)) == nil)
        #expect(gate.wait(for: "ada", from: "there", at: start) == nil)
    }

    @Test mutating func `keeps a bounded number of names`() {
        for number in 0..<2 * LoginGate.maximumCount {
            gate.noteWrong("\(number)", from: "\(number)", at: start)
        }
        #expect(gate.debts.count <= LoginGate.maximumCount + 2)
        for _ in 0..<5 { gate.noteWrong("ada", from: "here", at: start) }
        #expect(gate.wait(for: "ada", from: "here", at: start) == .seconds(30))
    }

    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2"), ("2001:db8::1", "2001:db8:0:0"),
        ("::1", "0:0:0:0"), ("2001:db8::4:5:6:7:8", "2001:db8:0:4"), ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
        ("unix", "unix"),
    ])
    func `takes for one address what is one's`(text: String, address: String) {
        #expect(LoginGate.address(text) == address)
    }
}
