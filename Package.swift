// swift-tools-version: 6.2
import PackageDescription

/// Every target is in Swift 6 language mode; sources mark what is unsafe.
let sourceSettings: [SwiftSetting] = [.swiftLanguageMode(.v6), .strictMemorySafety()]
/// Targets that lend bytes of a snapshot need the lifetimes of spans.
let spanSettings = sourceSettings + [.enableExperimentalFeature("Lifetimes")]
let testSettings: [SwiftSetting] = [.swiftLanguageMode(.v6)]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

let package = Package(
    name: "loci",
    products: [
        .library(name: "Loci", targets: ["MemoryEngine", "Embedders"]),
        .executable(name: "loci", targets: ["loci"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // The ground floor: C.
        .systemLibrary(name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"])]),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .target(name: "CChecksum"),
        .target(name: "CKernels"),
        .target(name: "CEncoder"),

        // The floors; each imports only what is below it.
        .target(name: "Store", dependencies: ["CLMDB", "CChecksum", "CCrypto"], swiftSettings: spanSettings),
        .target(name: "HNSW", dependencies: ["Store", "CKernels", "COpenBLAS"], swiftSettings: spanSettings),
        .target(name: "MemoryEngine", dependencies: ["Store", "HNSW"], swiftSettings: spanSettings),
        .target(
            name: "Embedders", dependencies: ["MemoryEngine", "CEncoder", "CCurl"],
            swiftSettings: sourceSettings),
        .target(
            name: "Server",
            dependencies: [
                "MemoryEngine", logging, lifecycle, metrics,
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
            ],
            swiftSettings: sourceSettings),
        .executableTarget(
            name: "loci",
            dependencies: ["MemoryEngine", "Embedders", "Server", argumentParser, logging, lifecycle],
            swiftSettings: sourceSettings),

        // Speed, and damage on purpose.
        .executableTarget(
            name: "bench",
            dependencies: [
                "MemoryEngine", "Embedders", "Server", "Store", "HNSW", "CKernels", "CLMDB", "COpenBLAS",
                "Labelled", argumentParser, logging, .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Benchmarks", exclude: ["peers"], swiftSettings: sourceSettings),
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "MemoryEngine", "Embedders", "Server", "Store", "HNSW", "TestSupport", argumentParser,
            ],
            path: "Tests/Fuzz", swiftSettings: spanSettings),

        // Tests.
        .target(
            name: "TestSupport", dependencies: ["MemoryEngine"], path: "Tests/TestSupport",
            swiftSettings: testSettings),
        .target(
            name: "Labelled", dependencies: ["MemoryEngine"], path: "Tests/Labelled",
            exclude: ["entities.txt", "contradictions.jsonl", "requests.txt"],
            swiftSettings: sourceSettings),
        .testTarget(name: "StoreTests", dependencies: ["Store", "CChecksum"], swiftSettings: testSettings),
        .testTarget(name: "HNSWTests", dependencies: ["HNSW", "CKernels"], swiftSettings: testSettings),
        .testTarget(
            name: "MemoryEngineTests",
            dependencies: ["MemoryEngine", "Embedders", "Labelled", "TestSupport"],
            swiftSettings: testSettings + [.enableExperimentalFeature("Lifetimes")]),
        .testTarget(
            name: "EmbeddersTests",
            dependencies: ["Embedders", "MemoryEngine", "CEncoder", "Labelled", "TestSupport"],
            swiftSettings: testSettings),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "Server", "MemoryEngine", "Embedders", "TestSupport", "loci", metrics,
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            swiftSettings: testSettings),
        .testTarget(
            name: "LociCommandTests", dependencies: ["loci", "MemoryEngine", "TestSupport"],
            swiftSettings: testSettings),
        .executableTarget(
            name: "crashchild", dependencies: ["MemoryEngine", "Embedders", "Store"],
            path: "Tests/CrashChild",
            swiftSettings: sourceSettings),
        .testTarget(
            name: "CrashTests", dependencies: ["MemoryEngine", "Embedders", "Store", "crashchild"],
            swiftSettings: testSettings),
        .testTarget(name: "TidyTests", swiftSettings: testSettings),
    ]
)
