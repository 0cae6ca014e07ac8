import Foundation
import Testing

@testable import Server

@Suite struct `The page of the protocol` {
    /// A command of the page, and what it shows as its reply.
    private struct Exchange {
        let command: String
        let reply: String
        let line: Int
    }

    private static let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../docs/protocol.md").standardized.path

    private static func exchanges() throws -> [Exchange] {
        var exchanges: [Exchange] = []
        var open: (command: String, reply: [Substring], line: Int)?
        var isInside = false
        func close() {
            guard let ended = open else { return }
            exchanges.append(
                Exchange(command: ended.command, reply: ended.reply.joined(separator: "\n"), line: ended.line)
            )
            open = nil
        }
        let text = try String(contentsOfFile: page, encoding: .utf8)
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.hasPrefix("```") {
                close()
                isInside = line == "```session"
            } else if isInside, line.hasPrefix("> ") {
                close()
                open = (String(line.dropFirst(2)), [], number + 1)
            } else if isInside {
                open?.reply.append(line)
            }
        }
        return exchanges
    }

    /// Whether a text is as it is shown, where `…` stands for anything within a line.
    private static func isShown(_ text: String, as shown: String) -> Bool {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let shownLines = shown.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.count == shownLines.count
            && zip(lines, shownLines).allSatisfy { line, shown in
                var rest = line[...]
                let pieces = shown.split(separator: "…", omittingEmptySubsequences: false)
                guard let first = pieces.first, rest.hasPrefix(first) else { return false }
                rest = rest.dropFirst(first.count)
                for piece in pieces.dropFirst().dropLast() {
                    guard let found = rest.range(of: piece) else { return false }
                    rest = rest[found.upperBound...]
                }
                return pieces.count == 1 ? rest.isEmpty : rest.hasSuffix(pieces.last ?? "")
            }
    }

    @Test func `shows what a server answers`() async throws {
        let exchanges = try Self.exchanges()
        #expect(exchanges.count >= 18)
        try await ServedStore.serve { port in
            let client = try TestClient(port: port)
            _ = try client.ask("HELLO", "3")
            for exchange in exchanges {
                try client.send(Array((exchange.command + "\r\n").utf8))
                let reply = try client.receive().printed()
                #expect(
                    Self.isShown(reply, as: exchange.reply),
                    "docs/protocol.md:\(exchange.line): \(exchange.command)\n\(reply)")
            }
        }
    }

    @Test func `names every command`() throws {
        let text = try String(contentsOfFile: Self.page, encoding: .utf8)
        for entry in CommandTable.entries {
            let isGiven = ["`\(entry.name)", "\n    \(entry.name) ", "\n    \(entry.name)\n"].contains {
                text.contains($0)
            }
            #expect(isGiven, "\(entry.name)")
        }
    }
}
