/// Random numbers that a seed repeats (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators",
/// 2014), and what tests of texts make of them.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func number(below bound: Int) -> Int { Int(next() % UInt64(bound)) }

    /// One of `choices`.
    mutating func choice<Element>(_ choices: [Element]) -> Element { choices[number(below: choices.count)] }

    /// Any characters: plain ones, those that JSON escapes, and far ones.
    mutating func text() -> String {
        var scalars = String.UnicodeScalarView()
        for _ in 0..<number(below: 12) {
            let bound: UInt32 = choice([0x80, 0x80, 0x800, 0x1_0000, 0x11_0000])
            if let scalar = Unicode.Scalar(UInt32(next() % UInt64(bound))) { scalars.append(scalar) }
        }
        return String(scalars)
    }

    /// `base` with some bytes changed, removed, put in or repeated.
    mutating func damaged(_ base: [UInt8]) -> [UInt8] {
        var bytes = base
        for _ in 0...number(below: 4) {
            guard !bytes.isEmpty else { break }
            let index = number(below: bytes.count)
            switch number(below: 5) {
            case 0: bytes[index] = UInt8(truncatingIfNeeded: next())
            case 1: bytes.remove(at: index)
            case 2: bytes.insert(choice(Array("{}[]\",:\\0123-.eE \n\0*()<>;=".utf8)), at: index)
            case 3: bytes.removeLast(min(bytes.count, number(below: 30)))
            default: bytes.insert(contentsOf: bytes[index...].prefix(number(below: 20)), at: index)
            }
        }
        return bytes
    }
}
