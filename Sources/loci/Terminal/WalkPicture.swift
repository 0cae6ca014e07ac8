import Foundation
import MemoryEngine

/// The walk of a recall as a picture (SVG 1.1): the question on the left, the hits in their order with what their scores are
/// made of, and on the right the memories that vouched for them and are no hits themselves.
struct WalkPicture {
    let svg: String

    private static let width = 1_180
    private static let row = 76
    private static let hit = (x: 270, width: 520)
    private static let voucher = (x: 930, width: 230)
    private static let colors = [
        "#4269d0", "#6cc5b0", "#efb118", "#a463f2", "#ff725c", "#3ca951", "#97bbf5", "#9c6b4e",
    ]
    /// The most memories that stand on the right.
    private static let voucherCount = 40

    /// - Throws: what reading the memories that vouched throws.
    init(of recall: Recall, to query: RecallQuery, _ engine: Engine) async throws {
        let places = Dictionary(
            recall.hits.enumerated().map { ($0.element.memory.id, $0.offset) },
            uniquingKeysWith: { first, _ in first })
        var vouchers: [(id: MemoryID, namespace: Namespace)] = []
        for hit in recall.hits {
            for step in hit.path {
                guard let id = Self.voucher(of: step), places[id] == nil, vouchers.count < Self.voucherCount,
                    !vouchers.contains(where: { $0.id == id })
                else { continue }
                vouchers.append((id, hit.memory.namespace.home))
            }
        }
        var texts: [MemoryID: String] = [:]
        for voucher in vouchers {
            texts[voucher.id] =
                try await engine.get(
                    voucher.id, in: voucher.namespace, asOf: query.asOf, validAt: query.validAt)?.content
                ?? "gone"
        }
        let rows = max(1, recall.hits.count, vouchers.count)
        let height = 70 + rows * Self.row
        var svg = """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(Self.width)" height="\(height)" \
            viewBox="0 0 \(Self.width) \(height)" font-family="sans-serif" font-size="12">
            <rect width="100%" height="100%" fill="#ffffff"/>

            """
        svg += Self.legend()
        let middle = 60 + recall.hits.count * Self.row / 2
        svg += Self.box(x: 20, y: middle - 34, width: 190, height: 68, fill: "#eef1fb")
        let question = query.text.isEmpty ? "what is shown" : query.text
        for (line, text) in Self.lines(question, width: 28, count: 3).enumerated() {
            svg += Self.text(text, x: 30, y: middle - 14 + 16 * line)
        }
        svg += Self.text("intent: \(recall.intent.name)", x: 30, y: middle + 50, fill: "#666666")
        let sums = recall.hits.map { hit in Self.parts(hit).reduce(0) { $0 + max(0, $1.value) } }
        let top = max(1e-9, sums.max() ?? 1, recall.hits.flatMap(\.path).map { abs($0.adds) }.max() ?? 0)
        for (index, hit) in recall.hits.enumerated() {
            svg += Self.lead(to: index, from: middle, hit, top)
        }
        for (index, hit) in recall.hits.enumerated() {
            var labels = 0
            for step in hit.path {
                guard let id = Self.voucher(of: step), id != hit.memory.id,
                    let from = places[id] ?? vouchers.firstIndex(where: { $0.id == id })
                else { continue }
                svg += Self.curve(from: from, isHit: places[id] != nil, to: index, step.adds, top)
                let sign = step.adds < 0 ? "" : "+"
                svg += Self.text(
                    "\(hit.label(of: step)) \(sign)\(String(format: "%.2f", step.adds))",
                    x: Self.hit.x + Self.hit.width + 6, y: Self.y(index) + 10 + 12 * labels, fill: "#555555",
                    size: 10)
                labels += 1
            }
        }
        for (index, hit) in recall.hits.enumerated() { svg += Self.draw(hit, index, top) }
        for (index, voucher) in vouchers.enumerated() {
            let y = Self.y(index)
            svg += Self.box(
                x: Self.voucher.x, y: y, width: Self.voucher.width, height: Self.row - 22, fill: "#f6f6f6")
            for (line, text) in Self.lines(texts[voucher.id] ?? "", width: 34, count: 2).enumerated() {
                svg += Self.text(text, x: Self.voucher.x + 8, y: y + 20 + 16 * line, fill: "#444444")
            }
        }
        self.svg = svg + "</svg>\n"
    }

    // MARK: Parts

    /// The memory that vouches by a step.
    private static func voucher(of step: Hit.Step) -> MemoryID? {
        switch step.reason {
        case .edge(_, _, let id), .session(let id): id
        default: nil
        }
    }

    private static func parts(_ hit: Hit) -> [(name: String, value: Double)] {
        Hit.ScoreParts.names.map { ($0.name, hit.parts[keyPath: $0.path]) }
    }

    private static func y(_ index: Int) -> Int { 60 + index * row }

    private static func legend() -> String {
        var svg = ""
        for (index, part) in Hit.ScoreParts.names.enumerated() {
            let x = hit.x + index * 88
            svg += "<rect x=\"\(x)\" y=\"22\" width=\"12\" height=\"12\" fill=\"\(color(index))\"/>\n"
            svg += text(part.name, x: x + 17, y: 33, fill: "#444444")
        }
        svg += text("dashed: against it", x: hit.x + Hit.ScoreParts.names.count * 88, y: 33, fill: "#444444")
        return svg
    }

    private static func color(_ index: Int) -> String { colors[index % colors.count] }

    /// From the question to a hit, as thick as what words and vectors add.
    private static func lead(to index: Int, from middle: Int, _ hit: Hit, _ top: Double) -> String {
        let (end, own) = (y(index) + 27, max(0, hit.parts.words + hit.parts.vectors))
        return "<path d=\"M210 \(middle) C240 \(middle) 240 \(end) \(Self.hit.x) \(end)\" fill=\"none\" "
            + "stroke=\"#b9c4ea\" stroke-width=\"\(number(0.7 + 7 * own / top))\"/>\n"
    }

    /// From what vouches to a hit.
    private static func curve(from: Int, isHit: Bool, to: Int, _ adds: Double, _ top: Double) -> String {
        let right = hit.x + hit.width
        let (start, end) = (y(from) + 34, y(to) + 34)
        let begin = isHit ? right : voucher.x
        let bend = isHit ? min(voucher.x, right + 34 + 6 * abs(from - to)) : (right + voucher.x) / 2
        let color = adds < 0 ? "#d0021b" : "#7a8a5a"
        return
            "<path d=\"M\(begin) \(start) C\(bend) \(start) \(bend) \(end) \(right) \(end)\" fill=\"none\" "
            + "stroke=\"\(color)\" stroke-width=\"\(number(0.7 + 7 * abs(adds) / top))\" stroke-opacity=\"0.55\"/>\n"
    }

    private static func draw(_ hit: Hit, _ index: Int, _ top: Double) -> String {
        let (x, y) = (Self.hit.x, y(index))
        var svg = box(x: x, y: y, width: Self.hit.width, height: row - 14, fill: "#fbfbf4")
        let head = [
            "\(index + 1)", String(format: "%.2f", hit.score), hit.memory.happened.lowerBound.day,
            String((hit.memory.actor ?? "").prefix(30)),
        ]
        svg += text(head.filter { !$0.isEmpty }.joined(separator: "  "), x: x + 10, y: y + 17, weight: "bold")
        svg += text(lines(hit.passage.text, width: 72, count: 1).first ?? "", x: x + 10, y: y + 35)
        var left = Double(x + 10)
        for (part, value) in parts(hit).map(\.value).enumerated() where value > 0 {
            let width = value / top * Double(Self.hit.width - 20)
            svg +=
                "<rect x=\"\(number(left))\" y=\"\(y + 44)\" width=\"\(number(width))\" height=\"8\" "
                + "fill=\"\(color(part))\"/>\n"
            left += width
        }
        // What counts against it begins at the right end, towards the left.
        var right = Double(x + Self.hit.width - 10)
        for (part, value) in parts(hit).map(\.value).enumerated() where value < 0 {
            let width = min(-value / top * Double(Self.hit.width - 20), right - left)
            guard width > 0 else { break }
            right -= width
            svg +=
                "<rect x=\"\(number(right))\" y=\"\(y + 44)\" width=\"\(number(width))\" height=\"8\" "
                + "fill=\"none\" stroke=\"\(color(part))\" stroke-dasharray=\"2 2\"/>\n"
        }
        return svg
    }

    // MARK: Text

    private static func number(_ value: Double) -> String { String(format: "%.1f", value) }

    private static func box(x: Int, y: Int, width: Int, height: Int, fill: String) -> String {
        "<rect x=\"\(x)\" y=\"\(y)\" width=\"\(width)\" height=\"\(height)\" rx=\"6\" fill=\"\(fill)\" "
            + "stroke=\"#bbbbbb\"/>\n"
    }

    private static func text(
        _ text: String, x: Int, y: Int, fill: String = "#111111", size: Int = 12, weight: String = "normal"
    ) -> String {
        "<text x=\"\(x)\" y=\"\(y)\" fill=\"\(fill)\" font-size=\"\(size)\" font-weight=\"\(weight)\">"
            + escaped(text) + "</text>\n"
    }

    /// The beginning of a text in lines of some `width` signs.
    private static func lines(_ text: String, width: Int, count: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.prefix(width * count * 4).split(whereSeparator: \.isWhitespace) {
            let word = word.count > width ? word.prefix(width - 1) + "…" : word
            if line.isEmpty {
                line = String(word)
            } else if line.count + 1 + word.count <= width {
                line += " " + word
            } else if lines.count + 1 == count {
                return lines + [String(line.prefix(width - 1)) + "…"]
            } else {
                lines.append(line)
                line = String(word)
            }
        }
        return line.isEmpty ? lines : lines + [line]
    }

    /// Text of other people as XML has it: its signs escaped, and controls as pictures of them.
    private static func escaped(_ text: String) -> String {
        Visible.line(text).replacingOccurrences(of: "&", with: "&amp;")
            .replacingOccurrences(of: "\u{FFFE}", with: "\u{FFFD}")
            .replacingOccurrences(of: "\u{FFFF}", with: "\u{FFFD}")
            .replacingOccurrences(of: "<", with: "&lt;").replacingOccurrences(of: ">", with: "&gt;")
    }
}

extension Hit {
    /// The reason of a step without the ids, which the picture shows by lines.
    fileprivate func label(of step: Step) -> String {
        switch step.reason {
        case .edge(let kind, let direction, _):
            switch (kind, direction) {
            case (.repliesTo, _): "reply"
            case (.next, .into): "after"
            case (.next, _): "before"
            default: kind.name
            }
        case .session: "session"
        default: words(for: step)
        }
    }
}
