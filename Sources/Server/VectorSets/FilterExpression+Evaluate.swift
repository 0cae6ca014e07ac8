import Glibc

extension FilterExpression {
    /// How many fields and values on the stack together need no memory of their own.
    private static let inlineCount = 16

    /// Whether an element with this attribute passes. One without an attribute never does, nor one whose
    /// attribute is no JSON object as far as it is read (see `AttributeObject`).
    ///
    /// - Complexity: O(bytes of the attribute + steps of the program), where a step costs O(1) on numbers and
    ///   O(bytes) on strings and lists. Beyond 16 fields and values it allocates once, for strings with escapes
    ///   and for lists once each.
    func matches(attribute: [UInt8]?) -> Bool {
        guard let attribute else { return false }
        if fieldNames.count + stackDepth <= Self.inlineCount {
            var values = InlineArray<16, FilterValue>(repeating: .absent)
            var span = values.mutableSpan
            return matches(attribute, with: &span)
        }
        var values = [FilterValue](repeating: .absent, count: fieldNames.count + stackDepth)
        var span = values.mutableSpan
        return matches(attribute, with: &span)
    }

    /// - Parameter values: room for the fields, and above them for the stack.
    private func matches(_ attribute: [UInt8], with values: inout MutableSpan<FilterValue>) -> Bool {
        var object = AttributeObject(attribute)
        guard object.read(fieldNames, into: &values) else { return false }
        var count = fieldNames.count
        for instruction in program {
            switch instruction {
            case .push(let value):
                values[count] = value
                count += 1
            case .pushField(let index):
                values[count] = values[index]
                count += 1
            case .apply(.not):
                values[count - 1] = .number(values[count - 1].isTrue ? 0 : 1)
            case .apply(let `operator`):
                count -= 1
                values[count - 1] = .number(`operator`.result(of: values[count - 1], values[count]))
            }
        }
        return values[count - 1].isTrue
    }
}

extension FilterExpression.Operator {
    fileprivate func result(of left: FilterValue, _ right: FilterValue) -> Double {
        switch self {
        case .or: left.isTrue || right.isTrue ? 1 : 0
        case .and: left.isTrue && right.isTrue ? 1 : 0
        case .equal: left.equals(right) ? 1 : 0
        case .notEqual: left.equals(right) ? 0 : 1
        case .greater: left.asNumber > right.asNumber ? 1 : 0
        case .greaterOrEqual: left.asNumber >= right.asNumber ? 1 : 0
        case .less: left.asNumber < right.asNumber ? 1 : 0
        case .lessOrEqual: left.asNumber <= right.asNumber ? 1 : 0
        case .within: left.isWithin(right) ? 1 : 0
        case .plus: left.asNumber + right.asNumber
        case .minus: left.asNumber - right.asNumber
        case .times: left.asNumber * right.asNumber
        case .dividedBy: left.asNumber / right.asNumber
        case .remainder: fmod(left.asNumber, right.asNumber)
        case .power: pow(left.asNumber, right.asNumber)
        case .not: preconditionFailure("`not` has one operand")
        }
    }
}

extension FilterValue {
    /// NaN is true, as in C.
    var isTrue: Bool {
        switch self {
        case .number(let number): number != 0
        case .string(let bytes): !bytes.isEmpty
        case .list(let values): !values.isEmpty
        case .null, .absent: false
        }
    }

    /// 0 for what is no number.
    var asNumber: Double {
        switch self {
        case .number(let number): number
        case .string(let bytes): numberSpelled(by: bytes)
        case .list, .null, .absent: 0
        }
    }

    /// What `==` says, which is not Swift's: a number equals a string that spells it.
    func equals(_ other: FilterValue) -> Bool {
        switch (self, other) {
        case (.string(let left), .string(let right)): left == right
        case (.null, .null): true
        case (.null, _), (_, .null): false
        default: asNumber == other.asNumber
        }
    }

    fileprivate func isWithin(_ other: FilterValue) -> Bool {
        switch (self, other) {
        case (_, .list(let values)): values.contains { equals($0) }
        case (.string(let part), .string(let whole)): contains(whole, part)
        default: false
        }
    }
}

/// The number that all of `bytes` spells, but for space before it; 0 if it spells none.
private func numberSpelled(by bytes: ArraySlice<UInt8>) -> Double {
    let trimmed = bytes.drop { $0 == 0x20 || (0x09...0x0D).contains($0) }
    guard let first = trimmed.first else { return 0 }
    switch first {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "i"), UInt8(ascii: "I"), UInt8(ascii: "n"), UInt8(ascii: "N"):
        return Double(String(decoding: trimmed, as: UTF8.self)) ?? 0
    default: return 0
    }
}

/// Whether `part` stands somewhere in `whole`, in a time that is linear in both.
private func contains(_ whole: ArraySlice<UInt8>, _ part: ArraySlice<UInt8>) -> Bool {
    guard let first = part.first else { return true }
    guard part.count <= whole.count else { return false }
    guard part.count <= 32 else { return containsLong(whole, part) }
    // The part is short, so trying it at every place is linear too.
    let rest = part.dropFirst()
    let lastBegin = whole.endIndex - part.count
    var begin = whole.startIndex
    while begin <= lastBegin {
        if whole[begin] == first, whole[(begin + 1)...].starts(with: rest) { return true }
        begin += 1
    }
    return false
}

/// The search of Knuth, Morris and Pratt (1977), for parts whose repetitions would make trying quadratic.
private func containsLong(_ whole: ArraySlice<UInt8>, _ part: ArraySlice<UInt8>) -> Bool {
    let part = Array(part)
    // How long a beginning of `part` still fits where the byte behind `index` bytes did not.
    var fallbacks = [Int](repeating: 0, count: part.count)
    var matched = 0
    for index in 1..<part.count {
        while matched > 0, part[index] != part[matched] { matched = fallbacks[matched - 1] }
        if part[index] == part[matched] { matched += 1 }
        fallbacks[index] = matched
    }
    matched = 0
    for byte in whole {
        while matched > 0, byte != part[matched] { matched = fallbacks[matched - 1] }
        if byte == part[matched] { matched += 1 }
        if matched == part.count { return true }
    }
    return false
}
