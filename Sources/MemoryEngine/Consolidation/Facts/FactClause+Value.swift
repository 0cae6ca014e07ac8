/// Values, with what stands behind them, and the facts that are made of them.
extension FactClause {
    /// A value with what stands behind it.
    struct Reading {
        var value: FactValue
        var context = ""
        var former: FactValue?
        var isLately = false
    }

    /// Reads a value from some word on. Returns `nil` where there is none, or it is several or vague.
    func value(_ start: Int, until end: Int? = nil) -> Reading? {
        var end = end ?? tokens.endIndex
        guard start < end, !FactWords.contextual.contains(word(start)) else { return nil }
        var reading: Reading?
        var isLately = false
        var former: FactValue?
        // "Prometheus instead of Graphite".
        if let place = (start..<end).first(where: { word($0) == "instead" && word($0 + 1) == "of" }) {
            former = FactValue(tokens[(place + 2)..<end])
            (end, isLately) = (place, true)
        }
        var stop = start
        while stop < end, stop == start || !FactWords.contextual.contains(word(stop)) || word(stop) == "per" {
            stop += 1
        }
        var context = tokens[stop..<end].map(\.text)
        if context.starts(with: ["from", "now", "on"]) || context.first == "since"
            || context.starts(with: ["as", "of"])
        {
            (context, isLately) = ([], true)
        }
        var last = stop
        while last > start {
            let text = word(last - 1)
            if FactWords.lately.contains(text) {
                if FactWords.fresh.contains(text) { isLately = true }
                last -= 1
            } else if last - 2 > start, FactWords.passingTimes.contains("\(word(last - 2))_\(text)") {
                last -= 2
            } else if last - 2 > start, word(last - 2) == "any", text == "more" || text == "longer" {
                (last, isLately) = (last - 2, true)
            } else {
                break
            }
        }
        if let value = FactValue(tokens[start..<last]) {
            reading = Reading(
                value: value, context: context.joined(separator: " "), former: former, isLately: isLately)
        }
        return reading
    }

    func fact(
        _ subject: String, _ relations: [String], _ reading: Reading, isFunctional: Bool,
        isTimeless: Bool = false
    ) -> StatedFact {
        StatedFact(
            subject: subject, relations: relations, value: reading.value,
            isChange: reading.isLately || reading.former != nil,
            former: reading.former, context: reading.context, isFunctional: isFunctional,
            isTimeless: isTimeless,
            isWhole: Self.isShort(reading.context), range: range)
    }

    /// Whether a context only says where, when or for what.
    private static func isShort(_ context: String) -> Bool {
        let words = context.split(separator: " ")
        return words.count <= 4 && (words.isEmpty || FactWords.prepositions.contains(String(words[0])))
    }
}
