import Foundation

/// Requests in several wordings each (`requests.txt`).
package enum LabelledRequests {
    /// A list of wordings for each request.
    package static func all() throws -> [[String]] {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "requests.txt")
        let lines = String(decoding: try Data(contentsOf: path), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
        return lines.split { $0.isEmpty }
            .map { $0.filter { !$0.hasPrefix("#") }.map(String.init) }
            .filter { !$0.isEmpty }
    }
}
