import Foundation
import MemoryEngine

extension VectorSetCommands {
    private static let invalidVector = CommandError("ERR invalid vector specification")

    /// A vector at the front: `FP32 blob` or `VALUES count number ...`, behind `REDUCE dimension` where that may stand.
    private static func vector(
        _ words: inout ArraySlice<[UInt8]>, mayReduce: Bool
    ) throws(CommandError) -> (vector: [Float], reduced: Int?) {
        var reduced: Int?
        if mayReduce, words.count > 2, words.first?.equals("REDUCE") ?? false {
            words.removeFirst()
            guard let dimension = words.removeFirst().integer, dimension > 0 else { throw invalidVector }
            reduced = dimension
        }
        guard let form = words.popFirst(), let first = words.popFirst() else { throw invalidVector }
        let vector: [Float]
        if form.equals("FP32") {
            guard !first.isEmpty, first.count % 4 == 0, first.count / 4 <= VectorSetAddition.maximumDimension
            else {
                throw invalidVector
            }
            vector = first.floats
        } else if form.equals("VALUES") {
            guard let count = first.integer, (1...VectorSetAddition.maximumDimension).contains(count),
                words.count >= count
            else {
                throw invalidVector
            }
            var values: [Float] = []
            values.reserveCapacity(count)
            for _ in 0..<count {
                guard let word = words.popFirst(), let value = word.double, !value.isNaN else {
                    throw invalidVector
                }
                values.append(Float(value))
            }
            vector = values
        } else {
            throw invalidVector
        }
        if let place = vector.firstIndex(where: { !$0.isFinite }) {
            throw CommandError("\(invalidVector.message): component \(place) is \(vector[place])")
        }
        guard reduced ?? 0 <= vector.count else { throw invalidVector }
        return (vector, reduced)
    }

    // MARK: VADD key [REDUCE dim] FP32 blob | VALUES n v... element [CAS] [NOQUANT|Q8|BIN] [EF n] [SETATTR json] [M n]

    static func addition(_ words: [[UInt8]]) throws(CommandError) -> VectorSetAddition {
        var rest = words.dropFirst(2)
        let (vector, reduced) = try vector(&rest, mayReduce: true)
        guard let element = rest.popFirst() else {
            throw CommandError("ERR wrong number of arguments for 'VADD' command")
        }
        var addition = VectorSetAddition(set: words[1], element: element, vector: vector)
        addition.reducedDimension = reduced
        while let option = rest.popFirst() {
            if option.equals("CAS") {
                // Additions are always made without keeping others from reading.
            } else if option.equals("NOQUANT") {
                addition.quantization = .none
            } else if option.equals("Q8") {
                addition.quantization = .int8
            } else if option.equals("BIN") {
                addition.quantization = .binary
            } else if option.equals("EF"), let value = rest.popFirst() {
                // The index has its own; what is no number is refused all the same.
                guard let ef = value.integer, (1...1_000_000).contains(ef) else {
                    throw CommandError("ERR invalid EF")
                }
            } else if option.equals("M"), let value = rest.popFirst() {
                guard let m = value.integer, VectorSetAddition.allowedM.contains(m) else {
                    throw CommandError("ERR invalid M")
                }
                addition.m = m
            } else if option.equals("SETATTR"), let value = rest.popFirst() {
                addition.attribute = value
            } else {
                throw CommandError("ERR invalid option after element")
            }
        }
        return addition
    }

    // MARK: VSIM key ELE element | FP32 blob | VALUES n v... [options]

    /// A set that is not there has nothing alike, whatever else is wrong; and what is wrong with the vector comes before what is
    /// wrong with options.
    static func similar(_ words: [[UInt8]]) -> Plan {
        var rest = words.dropFirst(2)
        let query: VectorSetSearch.Query
        do throws(CommandError) {
            query = try Self.query(&rest)
        } catch {
            return Plan(.count([words[1]])) { answer in
                if case .number(0) = answer { return .array([]) }
                return error.reply
            }
        }
        var search = VectorSetSearch(set: words[1], query: query)
        var told = Told()
        var refusal: CommandError?
        do throws(CommandError) {
            try read(&rest, into: &search, &told)
        } catch {
            search = VectorSetSearch(set: words[1], query: query)
            refusal = error
        }
        let (shown, refused) = (told, refusal)
        return Plan(.search(search)) { answer in
            guard case .matches(let matches?) = answer else { return .array([]) }
            return refused?.reply ?? shown.reply(matches)
        }
    }

    private static func query(_ rest: inout ArraySlice<[UInt8]>) throws(CommandError) -> VectorSetSearch.Query
    {
        guard rest.first?.equals("ELE") ?? false else {
            return .vector(try vector(&rest, mayReduce: false).vector)
        }
        rest.removeFirst()
        return .element(rest.removeFirst())
    }

    /// What is told of each element.
    private struct Told {
        var scores = false
        var attributes = false

        func reply(_ matches: [VectorSetMatch]) -> Reply {
            func attribute(_ match: VectorSetMatch) -> Reply { match.attribute.map(Reply.bulk) ?? .null }
            func name(_ match: VectorSetMatch) -> Reply { .bulk(match.element) }
            switch (scores, attributes) {
            case (false, false): return .array(matches.map(name))
            case (true, false): return .map(matches.map { .init(key: name($0), value: .double($0.score)) })
            case (false, true): return .map(matches.map { .init(key: name($0), value: attribute($0)) })
            case (true, true):
                return .flattened(
                    matches.map {
                        .init(key: name($0), value: .array([.double($0.score), attribute($0)]))
                    })
            }
        }
    }

    private static func read(
        _ rest: inout ArraySlice<[UInt8]>, into search: inout VectorSetSearch, _ told: inout Told
    ) throws(CommandError) {
        /// A number behind an option, from `least` on.
        func number(
            _ name: String, _ rest: inout ArraySlice<[UInt8]>, upTo most: Int = .max
        ) throws(CommandError) -> Int {
            guard let value = rest.popFirst()?.integer, (1...most).contains(value) else {
                throw CommandError("ERR invalid \(name)")
            }
            return value
        }
        while let option = rest.popFirst() {
            if option.equals("WITHSCORES") {
                told.scores = true
            } else if option.equals("WITHATTRIBS") {
                told.attributes = true
            } else if option.equals("TRUTH") {
                search.isExact = true
            } else if option.equals("NOTHREAD") {
                // Searches keep nobody waiting.
            } else if rest.isEmpty {
                throw CommandError("ERR syntax error in VSIM command")
            } else if option.equals("COUNT") {
                search.count = try number("COUNT", &rest)
            } else if option.equals("EF") {
                search.ef = try number("EF", &rest, upTo: 1_000_000)
            } else if option.equals("FILTER-EF") {
                search.filterEf = try number("FILTER-EF", &rest)
            } else if option.equals("EPSILON") {
                guard let epsilon = rest.popFirst()?.double, epsilon > 0 else {
                    throw CommandError("ERR invalid EPSILON")
                }
                search.leastScore = 1 - epsilon
            } else if option.equals("FILTER") {
                search.filter = try filter(rest.removeFirst())
            } else {
                throw CommandError("ERR syntax error in VSIM command")
            }
        }
        search.wantsAttributes = told.attributes
    }

    private static func filter(
        _ text: [UInt8]
    ) throws(CommandError) -> @Sendable ([UInt8]) -> Bool {
        do throws(FilterSyntaxError) {
            let expression = try FilterExpression(text)
            return { expression.matches(attribute: $0) }
        } catch {
            throw CommandError("ERR \(error.message)")
        }
    }

    // MARK: VEMB key element RAW

    static func raw(_ stored: StoredVector) -> Reply {
        let norm = stored.norm
        let unit = norm > 0 ? stored.vector.map { Float(Double($0) / norm) } : stored.vector
        var reply: [Reply] = [.simple(stored.quantization.told)]
        switch stored.quantization {
        case .none:
            reply.append(.bulk(unit.flatMap { $0.bitPattern.littleEndianBytes }))
            reply.append(.double(norm))
        case .binary:
            var words = [UInt64](repeating: 0, count: (unit.count + 63) / 64)
            for (place, value) in unit.enumerated() where value > 0 {
                words[place / 64] |= 1 << UInt64(place % 64)
            }
            reply.append(.bulk(words.flatMap(\.littleEndianBytes)))
            reply.append(.double(norm))
        case .int8:
            let range = unit.reduce(0) { max($0, abs($1)) }
            let bytes = unit.map { value in
                range > 0 ? UInt8(bitPattern: Int8((value / range * 127).rounded())) : 0
            }
            reply += [.bulk(bytes), .double(norm), .double(Double(range))]
        }
        return .array(reply)
    }
}

extension VectorSetQuantization {
    /// The name that Redis has for it.
    var told: String {
        switch self {
        case .none: "f32"
        case .int8: "int8"
        case .binary: "bin"
        }
    }
}

extension StoredVector {
    /// The components that a client is told: of signs there are only these.
    var told: [Float] { quantization == .binary ? vector.map { $0 > 0 ? 1 : -1 } : vector }

    var norm: Double { vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot() }
}

extension FixedWidthInteger {
    fileprivate var littleEndianBytes: [UInt8] {
        (0..<Self.bitWidth / 8).map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) }
    }
}

extension [UInt8] {
    /// Whether it is a word in capitals, in letters of any case.
    func equals(_ word: String) -> Bool {
        count == word.utf8.count
            && zip(self, word.utf8).allSatisfy { byte, letter in
                byte == letter || (0x61...0x7a).contains(byte) && byte - 0x20 == letter
            }
    }

    /// A whole number as Redis reads it: digits, and a sign if it is below 0.
    var integer: Int? {
        guard count <= 20, let value = Int(String(decoding: self, as: UTF8.self)) else { return nil }
        // No sign that says nothing, and no zeros at the front.
        return elementsEqual(String(value).utf8) ? value : nil
    }

    var double: Double? {
        guard count <= 64 else { return nil }
        return Double(String(decoding: self, as: UTF8.self))
    }
}
