extension JSONParser {
    /// The number that begins at the position: the `Double` nearest to its decimal digits.
    mutating func number() throws(JSONError) -> Double {
        let begin = position
        let isNegative = bytes[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }

        // All digits as one whole number, as long as it fits, and the power of ten that it is to be taken by.
        var digits: UInt64 = 0
        var digitCount = 0
        var exponent = 0
        func digit() -> UInt64? {
            guard position < bytes.count else { return nil }
            let value = bytes[position] &- UInt8(ascii: "0")
            return value < 10 ? UInt64(value) : nil
        }

        guard let first = digit() else { throw error("\(here) where a digit should be") }
        if first == 0 {
            position += 1
            guard digit() == nil else { throw error("a number that begins with 0") }
        }
        while let next = digit() {
            digitCount += 1
            digits = digits &* 10 &+ next
            position += 1
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            guard digit() != nil else { throw error("\(here) where a digit should be") }
            while let next = digit() {
                // Zeros before the first other digit take no room.
                if digits != 0 || next != 0 { digitCount += 1 }
                digits = digits &* 10 &+ next
                exponent -= 1
                position += 1
            }
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            var isDivisor = false
            if position < bytes.count, [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(bytes[position]) {
                isDivisor = bytes[position] == UInt8(ascii: "-")
                position += 1
            }
            guard digit() != nil else { throw error("\(here) where a digit should be") }
            var given = 0
            while let next = digit() {
                given = min(given * 10 + Int(next), 1_000_000)
                position += 1
            }
            exponent += isDivisor ? -given : given
        }

        // 19 digits fit into 64 bits.
        if digitCount <= 19, let value = Self.nearest(to: digits, timesTenTo: exponent) {
            return isNegative ? -value : value
        }
        guard let value = Double(String(decoding: bytes[begin..<position], as: UTF8.self)), value.isFinite
        else {
            throw JSONError(offset: begin, message: "a number that is too large")
        }
        return value
    }

    /// The `Double` nearest to `digits` × 10^`exponent`, ties to even; `nil` where the quick ways do not reach.
    static func nearest(to digits: UInt64, timesTenTo exponent: Int) -> Double? {
        if digits == 0 { return 0 }
        if digits <= 1 << 53, (-22...22).contains(exponent) {
            // Both are exact in a `Double`, so the one operation rounds correctly (Clinger, "How to Read
            // Floating Point Numbers Accurately", 1990).
            return exponent < 0
                ? Double(digits) / exactPowersOfTen[-exponent] : Double(digits) * exactPowersOfTen[exponent]
        }
        guard (-27..<0).contains(exponent) else { return nil }
        // 5^27 is below 2^63, so that one division of 128 by 64 bits gives at least 62 bits of the quotient.
        // Whether there is a remainder goes into the last of them, far below the place of rounding, so that
        // rounding to 53 bits is that of the exact quotient. The power of two is exact: the result is normal.
        let five = powersOfFive[-exponent]
        let high = digits << UInt64(digits.leadingZeroBitCount)
        let divisor = five << UInt64(five.leadingZeroBitCount)
        let (quotient, remainder) = divisor.dividingFullWidth((high >> 1, high << 63))
        let rounded = Double(remainder == 0 ? quotient : quotient | 1)
        let power = five.leadingZeroBitCount - digits.leadingZeroBitCount - 63 + exponent
        return rounded * Double(sign: .plus, exponent: power, significand: 1)
    }

    private static let exactPowersOfTen: [Double] = (0...22).map { count in
        (0..<count).reduce(1) { power, _ in power * 10 }
    }

    private static let powersOfFive: [UInt64] = (0...27).map { count in
        (0..<count).reduce(1) { power, _ in power * 5 }
    }
}
