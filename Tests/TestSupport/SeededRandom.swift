/// Numbers that look random, the same for the same seed (SplitMix64; Steele, Lea and Flood, 2014).
public struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// 128 random bits.
    public mutating func next128() -> UInt128 { UInt128(next()) << 64 | UInt128(next()) }

    public mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

    public mutating func chance(_ share: Double) -> Bool { Double.random(in: 0..<1, using: &self) < share }

    public mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
    }

    public mutating func pick<Element>(_ items: [Element]) -> Element { items[below(items.count)] }

    /// A text of `count` characters, some of which take up to four bytes.
    public mutating func text(_ count: Int) -> String {
        String((0..<count).map { _ in pick(Array("abcdefgh xyzÄßé語🙂%/.0189_-")) })
    }

    public mutating func vector(_ dimension: Int) -> [Float] {
        (0..<dimension).map { _ in Float.random(in: -1...1, using: &self) }
    }
}
