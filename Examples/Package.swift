// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Examples",
    dependencies: [.package(name: "loci", path: "..")],
    targets: [
        .executableTarget(
            name: "FourLines", dependencies: [.product(name: "Loci", package: "loci")],
            swiftSettings: [.swiftLanguageMode(.v6)]),
        .executableTarget(
            name: "AlongEdges", dependencies: [.product(name: "Loci", package: "loci")],
            swiftSettings: [.swiftLanguageMode(.v6)]),
        .executableTarget(
            name: "OneTransaction", dependencies: [.product(name: "Loci", package: "loci")],
            swiftSettings: [.swiftLanguageMode(.v6)]),
        .executableTarget(
            name: "OneView", dependencies: [.product(name: "Loci", package: "loci")],
            swiftSettings: [.swiftLanguageMode(.v6)]),
        .executableTarget(
            name: "OwnEmbedder", dependencies: [.product(name: "Loci", package: "loci")],
            swiftSettings: [.swiftLanguageMode(.v6)]),
        .executableTarget(
            name: "TwoClocks", dependencies: [.product(name: "Loci", package: "loci")],
            swiftSettings: [.swiftLanguageMode(.v6)]),
    ]
)
