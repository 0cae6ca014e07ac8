import ArgumentParser
import Foundation
import Testing

@testable import loci

@Suite struct `The verb serve` {
    @Test func `reads a setting from its option, else from the environment, else takes the default`() throws {
        let environment = [
            "LOCI_SERVE_PORT": "7000", "LOCI_SERVE_MAX_CONNECTIONS": "12", "LOCI_SERVE_IDLE": "",
            "LOCI_SERVE_PROT": "1", "LOCI_STORE": "/a",
        ]
        var reader = SettingReader(Settings(environment: environment, file: nil))
        let number = Accept.count(0...65_535, as: 6_399)
        #expect(try reader.value("port", "8000", default: "6399", number) == 8_000)
        #expect(try reader.value("max-connections", nil, default: "10000", number) == 12)
        #expect(try reader.value("idle", nil, default: "0", number) == 0)
        #expect(try reader.optional("unix", nil) { $0 } == nil)
        #expect(try reader.optional("store", nil, variable: "LOCI_STORE") { $0 } == "/a")
        #expect(
            reader.settings == [
                .init(name: "port", value: "8000", source: .flag),
                .init(name: "max-connections", value: "12", source: .environment),
                .init(name: "idle", value: "0", source: .byDefault),
                .init(name: "unix", value: nil, source: .byDefault),
                .init(name: "store", value: "/a", source: .environment),
            ])
        #expect(reader.unknownVariables == ["LOCI_SERVE_PROT"])
    }

    @Test func `prints each setting, its value and where that is from`() throws {
        try Shell.run { shell in
            let environment = ["LOCI_SERVE_MAX_CONNECTIONS": "500", "LOCI_SERVE_DURABILITY": "everySecond"]
            let answer = try shell.loci(
                "serve", "--print-config", "--port", "7000", "--quota", "2G", environment: environment)
            #expect(answer.status == 0, "\(answer.errors)")
            let rows = answer.lines.map { $0.split(separator: " ").map(String.init) }
            for row in [
                ["port", "7000", "flag"], ["max-connections", "500", "environment"],
                ["durability", "everySecond", "environment"], ["command-time", "60", "default"],
                ["unix", "-", "default"], ["store", shell.store, "environment"],
                ["quota", "2147483648", "flag"],
            ] {
                #expect(rows.contains(row), "\(row)")
            }
            // In columns.
            let places = answer.lines.compactMap { line in
                ["flag", "environment", "default"].first { line.hasSuffix(" \($0)") }.map {
                    line.count - $0.count
                }
            }
            #expect(places.count == answer.lines.count && Set(places).count == 1)

            let json = try shell.loci("serve", "--print-config", "--json", environment: environment)
            let objects = try json.lines.map { try JSONParser.parse($0) }
            let limit = objects.first { $0["name"]?.string == "max-connections" }
            #expect(limit?["value"]?.string == "500" && limit?["source"]?.string == "environment")
            #expect(objects.count == rows.count)

            try shell.write("LOCI_STORE=elsewhere\nLOCI_SERVE_PORT=1\n", to: ".env")
            let printed = try shell.bash("unset LOCI_STORE; loci serve --print-config")
            let found = printed.lines.map { $0.split(separator: " ").map(String.init) }
            #expect(found.contains(["store", "elsewhere", ".env"]), "\(printed)")
            #expect(found.contains(["port", "6399", "default"]))
            let own = try shell.loci("serve", "--print-config").lines
            let line = try #require(own.first { $0.hasPrefix("store ") })
            #expect(line.hasSuffix("\(shell.store)  environment"), "\(line)")
        }
    }

    @Test func `says which option or variable is wrong`() throws {
        try Shell.run { shell in
            for (arguments, environment, name) in [
                (["--port", "much"], [:], "'--port'"),
                ([], ["LOCI_SERVE_PORT": "70000"], "'LOCI_SERVE_PORT'"),
                (["--max-argument", "1K"], [:], "'--max-argument'"),
                ([], ["LOCI_SERVE_DURABILITY": "never"], "'LOCI_SERVE_DURABILITY'"),
                (["--tls-key", "key.pem"], [:], "--tls-certificate"),
            ] as [([String], [String: String], String)] {
                let answer = try shell.run(
                    ["serve", "--print-config"] + arguments, environment: environment)
                #expect(answer.status == ExitStatus.usage, "\(arguments) \(environment)")
                #expect(answer.errors.contains(name), "\(answer.errors)")
            }
            let missing = try shell.loci(
                "serve", "--tls-certificate", "none.pem", "--tls-key", "none.key")
            #expect(missing.status == ExitStatus.notFound)
            #expect(missing.errors.contains("none.pem"))
        }
    }
}
