import Glibc
import Store

/// Files of homes to look over and to damage.
enum CheckedHome {
    typealias Step = (borrowing WriteTransaction) throws -> Void

    static let pageByteCount = 4_096
    static let tables = ["memory", "content", "vectorSegment"].enumerated().map { Table(name: $1, index: $0) }

    /// Numbers that look random, the same for the same seed (SplitMix64).
    struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var word = state
            word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
            return word ^ (word >> 31)
        }

        mutating func bytes(_ count: Int) -> [UInt8] {
            (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
        }
    }

    /// A file in the temporary folder, removed with its lock file when this goes.
    final class File {
        let path: String

        init() {
            var template = Array("/tmp/file-check-XXXXXX".utf8CString)
            let descriptor = mkstemp(&template)
            precondition(descriptor >= 0, "no temporary file")
            close(descriptor)
            path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
            unlink(path)
        }

        deinit {
            unlink(path)
            unlink(path + "-lock")
        }

        var bytes: [UInt8] {
            get {
                var bytes = [UInt8](repeating: 0, count: fileSize(path) ?? 0)
                let descriptor = open(path, O_RDONLY)
                defer { close(descriptor) }
                precondition(read(descriptor, &bytes, bytes.count) == bytes.count)
                return bytes
            }
            set { replace(newValue[...], at: 0, endingAt: newValue.count) }
        }

        /// Writes `part` at `offset`, and makes the file end at `end`.
        func replace(_ part: ArraySlice<UInt8>, at offset: Int, endingAt end: Int) {
            let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
            defer { close(descriptor) }
            let written = part.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
            precondition(written == part.count && ftruncate(descriptor, off_t(end)) == 0)
        }
    }

    /// Makes a home's file by running `steps`, one commit each.
    static func make(_ file: File, steps: [Step]) throws -> Environment {
        var options = Environment.Options()
        options.durability = .none
        let environment = try Environment.open(path: file.path, tables: tables, options: options)
        for step in steps { try environment.write { try step($0) } }
        return environment
    }

    static func putting(_ keys: some Sequence<Int>, _ value: [UInt8], into table: Int = 0) -> Step {
        let keys = keys.map { Key().u64(UInt64($0)) }
        return { transaction in for key in keys { try tables[table].put(key, value, in: transaction) } }
    }

    /// Makes a file with every kind of page, free pages and none lost, and returns its bytes.
    static func makeDamageable(_ file: File) throws -> [UInt8] {
        var numbers = Numbers(state: 11)
        let steps: [Step] = (0..<6).map { round in
            let small = (0..<60).map { _ in
                let key = Key().u64(UInt64.random(in: 0..<400, using: &numbers))
                return (key, numbers.bytes(Int.random(in: 20...150, using: &numbers)))
            }
            let big = numbers.bytes(Int.random(in: 2_000...12_000, using: &numbers))
            return { transaction in
                for (key, value) in small { try tables[0].put(key, value, in: transaction) }
                try tables[2].put(Key().u64(UInt64(round % 4)), big, in: transaction)
                if round > 2 { try tables[0].remove(small[0].0, in: transaction) }
            }
        }
        try make(file, steps: steps).close()
        return file.bytes
    }

    /// Makes a file whose free list takes several pages, as of many commits while a snapshot is held.
    static func makeLongFreeList(_ file: File) throws -> [UInt8] {
        let environment = try make(file, steps: [putting(0..<1_500, [UInt8](repeating: 1, count: 200))])
        try environment.read { _ in
            for commit in 0..<90 {
                let keys = stride(from: commit, to: 1_500, by: 170)
                try environment.write { try putting(keys, [UInt8](repeating: 2, count: 200))($0) }
            }
        }
        environment.close()
        return file.bytes
    }
}
