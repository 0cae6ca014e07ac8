/// The floors of the house: which target may import what. SwiftPM does not keep this (an import
/// that no dependency declares builds without a word), so `TidyTests` does.
///
/// To add a target: give it a line in `imports`, on the floor where it stands in
/// `docs/architecture.md`. To let one import more: say in the commit why it must.
enum Floors {
    /// What each target under `Sources` may import, of this package, of others and of Swift's own.
    static let imports: [String: Set<String>] = [
        // The C floor: header, module map, C code; no Swift.
        "CLMDB": [],
        "COpenBLAS": [],
        "CCurl": [],
        "CKernels": [],
        "CChecksum": [],
        "CCrypto": [],
        "CEncoder": [],

        // Knows pages and bytes of the file, and no memories.
        "Store": system.union(foundation).union(["CLMDB", "CChecksum", "CCrypto"]),

        // Knows ordinals and vectors, and no memories.
        "HNSW": system.union(["Store", "CKernels", "COpenBLAS"]),

        // Opens no socket: nothing here that could.
        "MemoryEngine": system.union(foundation).union(["Store", "HNSW"]),

        "Embedders": system.union(foundation).union(["MemoryEngine", "CEncoder", "CCurl"]),

        // The only one that pays for sockets.
        "Server": system.union(foundation).union([
            "MemoryEngine", "Logging", "CoreMetrics", "NIOCore", "NIOHTTP1", "NIOPosix", "NIOSSL", "NIOTLS",
            "ServiceLifecycle",
        ]),

        "loci": system.union(foundation).union([
            "MemoryEngine", "Embedders", "Server", "ArgumentParser", "Logging", "ServiceLifecycle",
        ]),
    ]

    /// Folders that must do with less than their target, and why.
    static let withoutFoundation: [String: String] = [
        "Sources/MemoryEngine/Words": "words are bytes and scalars; Foundation's strings are slow and change",
        "Sources/MemoryEngine/Lexing": "tokens are bytes; what is derived from them is stored",
        "Sources/MemoryEngine/Graph/Cues": "cues are bytes; they may be stored",
        "Sources/MemoryEngine/Recall/Intent": "questions are read as passages are",
        "Sources/MemoryEngine/Graph/Mentions": "mentions are bytes; they are stored",
        "Sources/MemoryEngine/Time":
            "the calendar is ours: Foundation's changes with the machine's zone and locale",
    ]

    /// Modules that only one target may import, whatever its list says.
    static let soleImporter: [String: String] = [
        "CLMDB": "Store",
        "CChecksum": "Store",
        "CCrypto": "Store",
        "CKernels": "HNSW",
        "COpenBLAS": "HNSW",
        "CCurl": "Embedders",
        "CEncoder": "Embedders",
        "CoreMetrics": "Server",
        "NIOCore": "Server",
        "NIOHTTP1": "Server",
        "NIOPosix": "Server",
        "NIOSSL": "Server",
        "NIOTLS": "Server",
    ]

    /// The folders of `Sources` where pointers may live: targets, the client of HTTP and the local encoder.
    static let pointerFolders: Set<String> = ["Store", "HNSW", "Embedders/HTTP", "Embedders/Local"]

    /// Files elsewhere that hold a pointer all the same, and why that cannot be otherwise.
    static let pointerFiles: [String: String] = [:]

    /// Files of more than `maximumLineCount` lines that are one idea all the same, and why.
    static let longFiles: [String: String] = [:]

    static let maximumLineCount = 500

    static let system: Set<String> = ["Swift", "Synchronization", "Dispatch", "Glibc", "Musl", "Darwin"]
    static let foundation: Set<String> = ["Foundation", "FoundationEssentials"]
}
