import ArgumentParser
import Foundation
import Store

/// A matrix in numpy's file format (`.npy`, version 1.0, C order): `<f4`, or `<u2` with one number a row.
///
/// Safe because the map is as long as the file was when its header was compared with it, and it goes with the object.
@safe final class NumberFile {
    enum Element: String {
        case float32 = "<f4"
        case uint16 = "<u2"

        var byteCount: Int { self == .float32 ? 4 : 2 }
    }

    let path: String
    let rowCount: Int
    let columnCount: Int
    private let data: NSData
    private let start: Int

    /// Maps a file.
    ///
    /// - Throws: `ValidationError` if it is not one of these, or shorter than it says.
    init(_ path: String, of element: Element) throws {
        self.path = path
        guard let data = try? NSData(contentsOfFile: path, options: .mappedIfSafe) else {
            throw ValidationError("there is no file \(path) that can be read")
        }
        self.data = data
        let head = [UInt8](data.prefix(10))
        guard head.count == 10, head.starts(with: [0x93] + Array("NUMPY".utf8)), head[6] == 1, head[7] == 0
        else {
            throw ValidationError("\(path) is no .npy file of version 1.0")
        }
        start = 10 + Int(head[8]) + Int(head[9]) << 8
        let header = String(decoding: data.prefix(start).dropFirst(10), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        guard header.contains("'\(element.rawValue)'"), header.contains("'fortran_order': False"),
            let shape = header.firstMatch(of: /'shape': \((\d+),\s*(\d*)\)/), let rows = Int(shape.1)
        else {
            throw ValidationError("\(path) is no matrix of \(element.rawValue) in C order: \(header)")
        }
        rowCount = rows
        columnCount = shape.2.isEmpty ? 1 : Int(shape.2) ?? 0
        let (count, isTooLarge) = rowCount.multipliedReportingOverflow(by: columnCount * element.byteCount)
        guard !isTooLarge, data.length == start + count else {
            throw ValidationError("\(path) has \(data.length) bytes, and its header tells of others")
        }
    }

    /// The SHA-256 of the whole file.
    var digest: [UInt8] {
        var hash = SHA256()
        let part = 1 << 20
        for start in stride(from: 0, to: data.length, by: part) {
            let range = NSRange(location: start, length: min(part, data.length - start))
            hash.update([UInt8](data.subdata(with: range)))
        }
        return hash.finish()
    }

    /// A row of 32-bit floats.
    func floats(_ row: Int) -> [Float] {
        precondition((0..<rowCount).contains(row))
        return unsafe [Float](unsafeUninitializedCapacity: columnCount) { buffer, count in
            let bytes = columnCount * 4
            unsafe data.getBytes(
                buffer.baseAddress.unsafelyUnwrapped,
                range: NSRange(location: start + row * bytes, length: bytes))
            count = columnCount
        }
    }

    /// The number of a row of 16-bit numbers.
    func number(_ row: Int) -> UInt16 {
        precondition((0..<rowCount).contains(row))
        var number: UInt16 = 0
        unsafe data.getBytes(&number, range: NSRange(location: start + row * 2, length: 2))
        return UInt16(littleEndian: number)
    }
}
