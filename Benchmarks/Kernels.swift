import ArgumentParser
import CKernels
import Foundation
import HNSW

/// Inner products by the kernels, beside OpenBLAS.
struct Kernels: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels", abstract: "Nanoseconds for an inner product by the kernels, beside OpenBLAS.")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        var report = Report("kernels")
        for dimension in [384, 1_024] {
            // A quarter of a megabyte fits the second cache of a core.
            for (place, rowCount) in [("in cache", 65_536 / dimension), ("in memory", 100_000)] {
                let (ours, blas) = Self.measure(dimension, rowCount)
                let ratio = ours.median / blas.median
                report.add(
                    .init(
                        name: "dot of \(dimension)", parameters: "one query, \(rowCount) rows, \(place)",
                        median: ours.median, p99: ours.p99, unit: "ns",
                        peer: (name: "OpenBLAS", ratio: ratio), aim: .init(text: "≤ 1 ×", isMet: ratio <= 1)))
            }
        }
        for dimension in [384, 1_024] { Self.measureShort(dimension, &report) }
        report.note(
            "kernels: \(Distance.kernelName); OpenBLAS: a product of a vector and a matrix, one thread; rows of floats begin "
                + "where a cache line does, as in a store")
        report.print(json: common.json)
    }

    /// Rows in fewer bytes than floats, all read from memory: beside the time in which their bytes alone can be read.
    private static func measureShort(_ dimension: Int, _ report: inout Report) {
        let rowCount = 100_000 * 1_024 / dimension
        // Safe because the memory is there until the end, and no kernel reads behind its rows.
        let bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: rowCount * dimension * 2, alignment: 4_096)
        defer { unsafe bytes.deallocate() }
        // Every half is 1.0, so that no sum leaves the numbers that floats have.
        for place in 0..<bytes.count / 2 {
            unsafe bytes.storeBytes(of: 0x3f80, toByteOffset: place * 2, as: UInt16.self)
        }
        let floats = (0..<dimension).map { Float($0 % 7) - 3 }
        let signed = (0..<dimension * 8).map { Int8($0 % 7 - 3) }
        var sums = [Int32](repeating: 0, count: rowCount)
        var products = [Float](repeating: 0, count: rowCount)
        func add(_ name: String, _ rowBytes: Int, aim: Double?, _ body: () -> Void) {
            var (ours, reading, isFound) = (Samples(), Samples(), false)
            for _ in 0..<15 {
                var time = Samples()
                time.timeNow(body)
                ours.add(time.sum * 1e6 / Double(rowCount))
                time = Samples()
                // Nothing is found, so all is read; that is looked at, so that it is not left out.
                time.timeNow {
                    isFound =
                        unsafe isFound
                        || memchr(bytes.baseAddress.unsafelyUnwrapped, 0x11, rowCount * rowBytes) != nil
                }
                reading.add(time.sum * 1e6 / Double(rowCount))
            }
            precondition(!isFound)
            let ratio = ours.median / reading.median
            report.add(
                .init(
                    name: "\(name) of \(dimension)",
                    parameters: "\(rowCount) rows of \(rowBytes) bytes, in memory",
                    median: ours.median, p99: ours.p99, unit: "ns",
                    peer: (name: "reading the bytes", ratio: ratio),
                    aim: aim.map { .init(text: "≤ \($0) ×", isMet: ratio <= $0) }))
        }
        add("int8 dot", dimension, aim: 1.3) {
            unsafe kernels_dots_s8(signed, bytes.baseAddress, dimension, rowCount, dimension, &sums)
        }
        add("bf16 dot", dimension * 2, aim: nil) {
            unsafe kernels_dots_bf16(floats, bytes.baseAddress, dimension * 2, rowCount, dimension, &products)
        }
        // Codes lie side by side, as in a page that holds them all.
        var page: UnsafeRawPointer? = UnsafeRawPointer(bytes.baseAddress)
        let slots = (0..<UInt32(rowCount)).map { $0 }
        for bits in [1, 2, 4] {
            let blocks = (dimension * bits + 255) / 256
            let stride = blocks * 32 + 32
            add("\(bits)-bit code", stride, aim: nil) {
                unsafe withUnsafePointer(to: &page) { page in
                    var codes = unsafe kernels_codes(
                        pages: page, codes_per_page: UInt32(rowCount),
                        reciprocal: UInt64.max / UInt64(rowCount) + 1, first_code: 0, stride: stride,
                        blocks: blocks,
                        bits: UInt32(bits), is_one_page: 0)
                    unsafe kernels_estimates(&codes, signed, 0.01, 1, slots, rowCount, &products)
                }
            }
        }
    }

    private static func measure(_ dimension: Int, _ rowCount: Int) -> (ours: Samples, blas: Samples) {
        var random = SeededRandom(seed: 7)
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: rowCount * dimension * 4, alignment: 4_096)
        defer { unsafe memory.deallocate() }
        for place in 0..<rowCount * dimension {
            unsafe memory.storeBytes(
                of: Float.random(in: -1...1, using: &random), toByteOffset: place * 4, as: Float.self)
        }
        // Safe because the memory is there until the end.
        let rows = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(memory))
        let query = (0..<dimension).map { _ in Float.random(in: -1...1, using: &random) }
        var products = [Float](repeating: 0, count: rowCount)
        let repeats = max(1, 20_000 / rowCount)
        var ours = Samples()
        var blas = Samples()
        let perDot = 1e6 / Double(repeats * rowCount)
        for _ in 0..<40 {
            var time = Samples()
            time.timeNow {
                for _ in 0..<repeats {
                    var target = products.mutableSpan
                    // Safe because floats have no padding, and the span lives as long as the call.
                    unsafe Distance.dots(
                        query: query.span, rows: rows, strideBytes: dimension * 4, count: rowCount,
                        into: &target)
                }
            }
            ours.add(time.sum * perDot)
            time = Samples()
            time.timeNow {
                for _ in 0..<repeats { BLASProduct.dots(query: query, rows: rows, into: &products) }
            }
            blas.add(time.sum * perDot)
        }
        return (ours, blas)
    }
}
