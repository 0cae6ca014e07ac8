extension FilterExpression {
    /// Turns a text into a program, with operators that wait for their right side on a stack of its own (the
    /// shunting yard of Dijkstra, 1961), so that no depth of the text is a depth of calls.
    struct Parser {
        /// What waits on the stack.
        private enum Waiting {
            /// With its place in the text.
            case parenthesis(Int)
            case `operator`(Operator)
        }

        private let text: [UInt8]
        private var position = 0
        private var waiting: [Waiting] = []
        /// How many of `waiting` are parentheses or nest to the right.
        private var nesting = 0

        private var program: [Instruction] = []
        private var depth = 0
        private(set) var stackDepth = 0
        /// In the order of their first use.
        private var fields: [ArraySlice<UInt8>: Int] = [:]

        init(_ text: [UInt8]) throws(FilterSyntaxError) {
            guard text.count <= FilterExpression.maximumByteCount else {
                throw FilterSyntaxError(
                    "FILTER expression is longer than \(FilterExpression.maximumByteCount) bytes")
            }
            self.text = text
        }

        mutating func parse() throws(FilterSyntaxError) {
            repeat {
                try parseOperand()
            } while try parseOperator()
            while let last = waiting.popLast() {
                switch last {
                case .parenthesis(let begin): throw error(at: begin)
                case .operator(let last): emit(.apply(last))
                }
            }
        }

        /// The program, with its fields numbered by their sorted names.
        func programWithSortedFields() -> ([Instruction], [[UInt8]]) {
            let sorted = fields.sorted { $0.key.lexicographicallyPrecedes($1.key) }
            var newIndices = [Int](repeating: 0, count: sorted.count)
            for (index, field) in sorted.enumerated() { newIndices[field.value] = index }
            let renumbered = program.map { instruction in
                if case .pushField(let index) = instruction {
                    Instruction.pushField(newIndices[index])
                } else {
                    instruction
                }
            }
            return (renumbered, sorted.map { Array($0.key) })
        }

        // MARK: Operands

        /// Everything up to the end of an operand, with what stands before it.
        private mutating func parseOperand() throws(FilterSyntaxError) {
            while true {
                skipSpace()
                let begin = position
                guard let byte = byte() else { throw error(at: begin) }
                switch byte {
                case UInt8(ascii: "("):
                    position += 1
                    try wait(.parenthesis(begin))
                case UInt8(ascii: "!"):
                    position += 1
                    try wait(.operator(.not))
                case UInt8(ascii: "."):
                    return try parseField()
                case UInt8(ascii: "["):
                    return emit(.push(try list()))
                default:
                    guard isASCIILetter(byte) else { return emit(.push(try scalar())) }
                    switch word() {
                    case "not": try wait(.operator(.not))
                    case "null": return emit(.push(.null))
                    default: throw error(at: begin)
                    }
                }
            }
        }

        private mutating func parseField() throws(FilterSyntaxError) {
            let begin = position
            position += 1
            while let byte = byte(), isFieldNameByte(byte) { position += 1 }
            let name = text[(begin + 1)..<position]
            guard !name.isEmpty else { throw error(at: begin) }
            let index = fields[name] ?? fields.count
            fields[name] = index
            emit(.pushField(index))
        }

        private mutating func list() throws(FilterSyntaxError) -> FilterValue {
            position += 1
            skipSpace()
            if skip(UInt8(ascii: "]")) { return .list([]) }
            var values: [FilterValue] = []
            repeat {
                skipSpace()
                values.append(try scalar())
                skipSpace()
            } while skip(UInt8(ascii: ","))
            guard skip(UInt8(ascii: "]")) else { throw error(at: position) }
            return .list(values)
        }

        /// A number, a string or `null`.
        private mutating func scalar() throws(FilterSyntaxError) -> FilterValue {
            let begin = position
            guard let first = byte() else { throw error(at: begin) }
            switch first {
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                return .string(try string(in: first))
            case UInt8(ascii: "-"):
                position += 1
                guard let number = readDecimal(text, at: &position) else { throw error(at: begin) }
                return .number(-number)
            default:
                if let number = readDecimal(text, at: &position) { return .number(number) }
                guard isASCIILetter(first), word() == "null" else { throw error(at: begin) }
                return .null
            }
        }

        private mutating func string(in quote: UInt8) throws(FilterSyntaxError) -> ArraySlice<UInt8> {
            let begin = position
            position += 1
            var unescaped: [UInt8]?
            while let byte = byte() {
                if byte == quote {
                    position += 1
                    return unescaped?[...] ?? text[(begin + 1)..<(position - 1)]
                }
                var meant = byte
                if byte == UInt8(ascii: "\\") {
                    if unescaped == nil { unescaped = Array(text[(begin + 1)..<position]) }
                    position += 1
                    guard let escaped = self.byte() else { break }
                    meant =
                        switch escaped {
                        case UInt8(ascii: "n"): UInt8(ascii: "\n")
                        case UInt8(ascii: "r"): UInt8(ascii: "\r")
                        case UInt8(ascii: "t"): UInt8(ascii: "\t")
                        default: escaped
                        }
                }
                unescaped?.append(meant)
                position += 1
            }
            throw error(at: begin)
        }

        // MARK: Operators

        /// What stands behind an operand, up to where the next one must stand. Returns `false` at the end.
        private mutating func parseOperator() throws(FilterSyntaxError) -> Bool {
            while true {
                skipSpace()
                guard position < text.count else { return false }
                let begin = position
                if skip(UInt8(ascii: ")")) {
                    guard closeParenthesis() else { throw error(at: begin) }
                    continue
                }
                guard let found = binaryOperator() else { throw error(at: begin) }
                while case .operator(let last)? = waiting.last, last.goesBefore(found) {
                    waiting.removeLast()
                    if last.nestsToTheRight { nesting -= 1 }
                    emit(.apply(last))
                }
                try wait(.operator(found))
                return true
            }
        }

        private mutating func binaryOperator() -> Operator? {
            guard let first = byte() else { return nil }
            if isASCIILetter(first) {
                return switch word() {
                case "or": .or
                case "and": .and
                case "in": .within
                default: nil
                }
            }
            position += 1
            switch first {
            case UInt8(ascii: "|"): return skip(first) ? .or : nil
            case UInt8(ascii: "&"): return skip(first) ? .and : nil
            case UInt8(ascii: "="): return skip(first) ? .equal : nil
            case UInt8(ascii: "!"): return skip(UInt8(ascii: "=")) ? .notEqual : nil
            case UInt8(ascii: ">"): return skip(UInt8(ascii: "=")) ? .greaterOrEqual : .greater
            case UInt8(ascii: "<"): return skip(UInt8(ascii: "=")) ? .lessOrEqual : .less
            case UInt8(ascii: "+"): return .plus
            case UInt8(ascii: "-"): return .minus
            case UInt8(ascii: "*"): return skip(first) ? .power : .times
            case UInt8(ascii: "/"): return .dividedBy
            case UInt8(ascii: "%"): return .remainder
            default: return nil
            }
        }

        /// Applies what waits since the last parenthesis. Returns whether there was one.
        private mutating func closeParenthesis() -> Bool {
            while let last = waiting.popLast() {
                switch last {
                case .parenthesis:
                    nesting -= 1
                    return true
                case .operator(let last):
                    if last.nestsToTheRight { nesting -= 1 }
                    emit(.apply(last))
                }
            }
            return false
        }

        private mutating func wait(_ item: Waiting) throws(FilterSyntaxError) {
            let isNested =
                switch item {
                case .parenthesis: true
                case .operator(let item): item.nestsToTheRight
                }
            if isNested {
                nesting += 1
                guard nesting <= FilterExpression.maximumNesting else {
                    throw FilterSyntaxError(
                        "FILTER expression is nested deeper than \(FilterExpression.maximumNesting) levels")
                }
            }
            waiting.append(item)
        }

        private mutating func emit(_ instruction: Instruction) {
            switch instruction {
            case .push, .pushField: depth += 1
            case .apply(.not): break
            case .apply: depth -= 1
            }
            stackDepth = max(stackDepth, depth)
            program.append(instruction)
        }

        // MARK: Bytes

        private func byte() -> UInt8? { position < text.count ? text[position] : nil }

        private mutating func skip(_ byte: UInt8) -> Bool {
            guard self.byte() == byte else { return false }
            position += 1
            return true
        }

        private mutating func skipSpace() {
            // Tabulator to carriage return, as C's `isspace`.
            while let byte = byte(), byte == 0x20 || (0x09...0x0D).contains(byte) { position += 1 }
        }

        /// The whole word that begins here; as text only where it may be one that means something.
        private mutating func word() -> String? {
            let begin = position
            while let byte = byte(), isWordByte(byte) { position += 1 }
            return position - begin > 4 ? nil : String(decoding: text[begin..<position], as: UTF8.self)
        }

        private func error(at offset: Int) -> FilterSyntaxError {
            FilterSyntaxError(
                "syntax error in FILTER expression near: "
                    + String(decoding: text[min(offset, text.count)...], as: UTF8.self))
        }
    }
}

extension FilterExpression.Operator {
    /// Whether this operator, on the left, is applied before `next`, on the right of the same operand.
    fileprivate func goesBefore(_ next: Self) -> Bool {
        precedence > next.precedence || precedence == next.precedence && self != .power
    }
}

private func isASCIILetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }

private func isWordByte(_ byte: UInt8) -> Bool {
    isASCIILetter(byte) || byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "_")
}

private func isFieldNameByte(_ byte: UInt8) -> Bool { isWordByte(byte) || byte == UInt8(ascii: "-") }
