/// Cuts a stream into lines, or at another byte, and counts them.
struct LineReader {
    struct Line {
        /// From 1.
        let number: Int
        /// Without its end; of one that is too long, its beginning.
        let bytes: [UInt8]
        let isTooLong: Bool
    }

    let stream: ByteStream
    let separator: UInt8
    /// Longer lines are cut, so that a file without any end of line does not fill the memory.
    let maximumByteCount: Int

    private var piece: [UInt8] = []
    private var position = 0
    /// Lines given so far.
    private(set) var lineCount = 0

    init(_ stream: ByteStream, separator: UInt8 = UInt8(ascii: "\n"), maximumByteCount: Int = 32 << 20) {
        self.stream = stream
        self.separator = separator
        self.maximumByteCount = maximumByteCount
    }

    /// The next line; `nil` at the end. What follows the last separator is a line if it has a byte.
    mutating func next() throws(ImportError) -> Line? {
        var line: [UInt8] = []
        var isTooLong = false
        var hasBegun = false
        while true {
            if position == piece.count {
                piece = try stream.read()
                position = 0
                if piece.isEmpty {
                    guard hasBegun else { return nil }
                    break
                }
            }
            hasBegun = true
            let end = piece[position...].firstIndex(of: separator) ?? piece.count
            let room = maximumByteCount - line.count
            isTooLong = isTooLong || end - position > room
            line += piece[position..<min(end, position + room)]
            position = end
            if position < piece.count {
                position += 1
                break
            }
        }
        lineCount += 1
        return Line(number: lineCount, bytes: line, isTooLong: isTooLong)
    }
}
