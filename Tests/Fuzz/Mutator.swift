/// Changes bytes at random, the same way for the same seed (the numbers are SplitMix64's).
struct Mutator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

    /// One of `samples` with up to eight changes, or bytes from nowhere.
    mutating func input(from samples: [[UInt8]]) -> [UInt8] {
        guard let sample = samples.randomElement(using: &self), below(20) > 0 else {
            return (0..<below(300)).map { _ in UInt8.random(in: 0...255, using: &self) }
        }
        var bytes = sample
        for _ in 0..<below(9) { change(&bytes) }
        return bytes
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else {
            bytes.append(UInt8.random(in: 0...255, using: &self))
            return
        }
        let place = below(bytes.count)
        switch below(7) {
        case 0: bytes[place] ^= 1 << UInt8(below(8))
        case 1: bytes[place] = UInt8.random(in: 0...255, using: &self)
        case 2: bytes[place] = [0, 1, 0x7f, 0x80, 0xff][below(5)]
        case 3: bytes.insert(UInt8.random(in: 0...255, using: &self), at: place)
        case 4: bytes.remove(at: place)
        case 5: bytes.removeLast(bytes.count - place)
        default:
            // A number of four bytes becomes huge, as a damaged length would.
            for byte in place..<min(place + 4, bytes.count) { bytes[byte] = 0xff }
        }
    }
}
