import Foundation
import HNSW
import MemoryEngine
import Server
import Store

extension FuzzTarget {
    /// A target for each decoder of bytes and text that come from outside.
    static func all(_ corpus: Corpus) -> [FuzzTarget] {
        RecordDecoder.all.map { record($0, corpus.records[$0.name] ?? []) }
            + [
                byteReader, tokenizer, query, splitter, timestamp, namespace, homeFile, space, memoryID,
                fileCheck(corpus), indexRecord, linkPage, command,
            ] + text + encoder
    }

    private static func record(_ decoder: RecordDecoder, _ samples: [[UInt8]]) -> FuzzTarget {
        FuzzTarget(name: decoder.name, samples: samples) { bytes in
            let result: [UInt8]?
            do {
                result = try decoder.decode(bytes)
            } catch {
                return .refused
            }
            // Records that are only read give no bytes.
            guard let decoded = result else { return .taken }
            guard let again = try? decoder.decode(decoded) ?? nil else {
                return .failed("its own encoding was refused")
            }
            return again == decoded ? .taken : .failed("it changed when it was encoded and decoded again")
        }
    }

    /// Commands of the network, whole and byte by byte.
    private static let command = FuzzTarget(
        name: "command",
        samples: texts([
            "*3\r\n$12\r\nMEM.REMEMBER\r\n$9\r\nproject/a\r\n$4\r\na\r\nb\r\n",
            "PING \"a\\x41\" 'b'\r\n*0\r\n*-1\r\n",
            "*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$0\r\n\r\n",
        ])
    ) { bytes in
        func decode(in pieces: [ArraySlice<UInt8>]) -> (commands: [[[UInt8]]], error: String?) {
            var decoder = CommandDecoder(limits: WireLimits())
            var commands: [[[UInt8]]] = []
            for piece in pieces {
                decoder.append(piece)
                do throws(ProtocolError) {
                    while let command = try decoder.next() { commands.append(command) }
                } catch {
                    return (commands, error.message)
                }
            }
            return (commands, nil)
        }
        let whole = decode(in: [bytes[...]])
        guard whole == decode(in: bytes.indices.map { bytes[$0...$0] }) else {
            return .failed("cut to pieces it is another command")
        }
        return whole.error == nil ? .taken : .refused
    }

    private static func texts(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }

    private static let sampleTexts = texts([
        "The deployment of Friday was rolled back: parse_http_header failed.\n\nIt's e-mail, 1,000 naïve cafés.",
        "東京都庁に行きました。ソフトウェア", "CVE-2024-1234 in libfoo-dev::bar /usr/lib/x.so #123 deploy* a.b@example.org",
        "ﬁ ﬀ ＡＢＣ １２３ e\u{301} ß İ 🙂👍🏽 \u{200d} \u{0} \u{feff}", "ภาษาไทย ລາວ ខ្មែរ 한국어",
    ])

    private static let byteReader = FuzzTarget(
        name: "byte-reader", samples: [[9, 1], [9, 1, 2, 3], [9, 1, 2, 3] + Array(4...19)]
    ) { bytes in
        guard let selector = bytes.first else { return .refused }
        // Safe because the array outlives the reader.
        var reader = unsafe ByteReader(bytes.span.bytes, at: 1)
        do {
            while reader.remaining > 0 {
                let before = reader.offset
                switch (selector &+ UInt8(truncatingIfNeeded: before)) % 10 {
                case 0: _ = try reader.u8()
                case 1: _ = try reader.u16()
                case 2: _ = try reader.u64()
                case 3: _ = try reader.u128()
                case 4: _ = try reader.string()
                case 5: _ = try reader.blob()
                case 6: _ = try reader.floats()
                case 7: _ = try reader.list { try $0.u8() }
                case 8: _ = try reader.optional { try $0.u32() }
                default: _ = try reader.bool()
                }
                guard reader.offset > before, reader.offset <= bytes.count else {
                    return .failed("it stands at \(reader.offset) of \(bytes.count)")
                }
            }
            return .taken
        } catch {
            return .refused
        }
    }

    private static let tokenizer = FuzzTarget(name: "tokenizer", samples: sampleTexts) { bytes in
        var count = 0
        var wrong: Int?
        Tokenizer().forEachTerm(in: bytes.span) { term in
            count += 1
            if !(1...Tokenizer.maximumTermByteCount).contains(term.count) { wrong = term.count }
        }
        if let wrong { return .failed("a term of \(wrong) bytes") }
        let list = Tokenizer().terms(in: bytes.span)
        guard Int(list.length) == count else { return .failed("\(count) terms, the list has \(list.length)") }
        guard (try? TermList(decoding: list.encoded.span)) == list else {
            return .failed("its list is refused")
        }
        return .taken
    }

    private static let query = FuzzTarget(name: "query", samples: sampleTexts) { bytes in
        let query = Tokenizer().query(String(decoding: bytes, as: UTF8.self))
        let isBounded = query.prefixes.allSatisfy {
            (1...Tokenizer.maximumTermByteCount).contains($0.bytes.count)
        }
        return isBounded ? .taken : .failed("a prefix out of its bounds")
    }

    private static let splitter = FuzzTarget(name: "splitter", samples: sampleTexts) { bytes in
        for maximum in [4, 16, 64] {
            var end = 0
            for passage in PassageSplitter(maximumByteCount: maximum).split(bytes.span) {
                guard passage.lowerBound >= end, passage.upperBound <= bytes.count,
                    (1...maximum).contains(passage.count)
                else {
                    return .failed("passage \(passage) after \(end), at most \(maximum) bytes")
                }
                end = passage.upperBound
            }
        }
        return .taken
    }

    private static let timestamp = FuzzTarget(
        name: "timestamp",
        samples: texts([
            "2026-11-23T08:30:00.25+01:00", "2026-11-23", "0001-01-01T00:00:00Z", "2016-12-31T23:59:60Z",
        ])
    ) { bytes in
        if bytes.count == 8 {
            // Safe because a number of eight bytes is copied out.
            _ = Timestamp(microseconds: unsafe bytes.span.bytes.i64(at: 0)).description
        }
        guard let time = Timestamp(String(decoding: bytes, as: UTF8.self)) else { return .refused }
        return Timestamp(time.description) == time ? .taken : .failed("\(time) does not read back")
    }

    private static let namespace = FuzzTarget(
        name: "namespace",
        samples: texts([
            "@acme/project/atlas/session/s1", "user/u-7", "collective", "@t", "project/Ä %2e+",
            "project/e\u{301}",
        ])
    ) { bytes in
        guard let namespace = try? Namespace(path: String(decoding: bytes, as: UTF8.self)) else {
            return .refused
        }
        guard (try? Namespace(path: namespace.description)) == namespace else {
            return .failed("`\(namespace)` does not read back")
        }
        return .taken
    }

    private static let homeFile = FuzzTarget(
        name: "home-file",
        samples: texts(
            ["@acme/project/%41tlas.loci", "user/u-7.loci", "collective.loci"] + [
                // A long name is cut into directories.
                Namespace.project(String(repeating: "é", count: 60)).relativePath + ".loci"
            ])
    ) { bytes in
        guard let home = Namespace(relativePath: String(decoding: bytes, as: UTF8.self)) else {
            return .refused
        }
        guard Namespace(relativePath: home.relativePath + ".loci") == home, !home.relativePath.contains("..")
        else {
            return .failed("`\(home)` has the file \(home.relativePath)")
        }
        return .taken
    }

    private static let space = FuzzTarget(
        name: "space-name",
        samples: texts(["org/model@v1/384/cosine", "m/8", "m/8/l2", "a@b@c/1/innerProduct"])
    ) { bytes in
        guard let space = EmbeddingSpace(name: String(decoding: bytes, as: UTF8.self)) else {
            return .refused
        }
        // A name may be given in several ways; the one that a space gives must be read back the same.
        guard let again = EmbeddingSpace(name: space.name) else {
            return .failed("`\(space.name)` does not read back")
        }
        return again.name == space.name ? .taken : .failed("`\(space.name)` became `\(again.name)`")
    }

    private static let memoryID = FuzzTarget(
        name: "memory-id",
        samples: texts(["01890a5d-ac96-774b-bcce-b302099a8057", "01890a5dac96774bbcceb302099a8057"])
    ) { bytes in
        guard let id = MemoryID(String(decoding: bytes, as: UTF8.self)) else { return .refused }
        return MemoryID(id.description) == id ? .taken : .failed("\(id) does not read back")
    }

    /// Looks over a home file whose pages are damaged; it never reaches LMDB.
    private static func fileCheck(_ corpus: Corpus) -> FuzzTarget {
        let path = NSTemporaryDirectory() + "/loci-fuzz-\(ProcessInfo.processInfo.processIdentifier).loci"
        return FuzzTarget(name: "file-check", samples: [corpus.file], share: 50) { bytes in
            defer { try? FileManager.default.removeItem(atPath: path) }
            do {
                try Data(bytes).write(to: URL(fileURLWithPath: path))
                guard try FileCheck.quick(path: path).isEmpty else { return .refused }
                return try FileCheck.full(path: path).problems.isEmpty ? .taken : .refused
            } catch {
                return .refused
            }
        }
    }

    private static let indexRecord: FuzzTarget = {
        var full = IndexState(HNSWParameters(), generation: 7)
        full.linkedSlots = 1_000
        full.entryPoint = 12
        full.nodeCount = 990
        full.topLevel = 2
        let samples = [IndexState(HNSWParameters(), generation: 1), full].map { $0.encode() }
        return FuzzTarget(name: "index-record", samples: samples) { bytes in
            // Safe because the array outlives the call.
            guard let state = try? unsafe IndexState(decoding: bytes.span.bytes) else { return .refused }
            return state.encode() == bytes ? .taken : .failed("it changed when it was encoded again")
        }
    }()

    private static let linkPage: FuzzTarget = {
        let pages = LinkPages(
            table: Table(name: "link", index: 0), kind: .bottom, space: 1, listLength: 32)
        var sample = pages.empty(3)
        for place in 44..<200 { sample[place] = UInt8(place & 31) }
        return FuzzTarget(name: "link-page", samples: [pages.empty(3), sample]) { bytes in
            // Safe because the array outlives the call.
            let payload = unsafe bytes.span.bytes
            guard pages.isPage(3, payload) else { return .refused }
            for place in 0..<pages.listsPerPage
            where pages.entries(place, of: payload).count > pages.listLength {
                return .failed("list \(place) has more entries than a list may")
            }
            return .taken
        }
    }()
}
