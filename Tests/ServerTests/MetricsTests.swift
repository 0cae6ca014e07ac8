import CoreMetrics
import Foundation
import MemoryEngine
import Testing

@testable import Server

@Suite struct `Metrics` {
    @Test func `are told in the text format of Prometheus`() {
        let metrics = MetricsRegistry()
        Counter(label: "b_total", dimensions: [("kind", "a \"b\"\\\n")], factory: metrics).increment(by: 3)
        Counter(label: "b_total", dimensions: [("kind", "z")], factory: metrics).increment()
        Counter(label: "b_total", dimensions: [("kind", "z")], factory: metrics).increment()
        let open = Meter(label: "a.open", factory: metrics)
        open.increment()
        open.increment()
        open.decrement()
        let timer = CoreMetrics.Timer(
            label: "c_seconds", dimensions: [("command", "ping")], factory: metrics)
        _ = CoreMetrics.Timer(label: "d_seconds", factory: metrics)
        for nanoseconds in [50_000, 200_000, 20_000_000_000] { timer.recordNanoseconds(Int64(nanoseconds)) }
        let lines = metrics.text.split(separator: "\n")
        #expect(
            lines.prefix(7) == [
                "# TYPE a_open gauge", "a_open 1", "# TYPE b_total counter",
                #"b_total{kind="a \"b\"\\\n"} 3"#, #"b_total{kind="z"} 2"#, "# TYPE c_seconds histogram",
                #"c_seconds_bucket{command="ping",le="0.0001"} 1"#,
            ])
        #expect(lines.contains(#"c_seconds_bucket{command="ping",le="10"} 2"#))
        #expect(
            lines.suffix(3) == [
                #"c_seconds_bucket{command="ping",le="+Inf"} 3"#, #"c_seconds_sum{command="ping"} 20.00025"#,
                #"c_seconds_count{command="ping"} 3"#,
            ])
        #expect(metrics.total("b_total") == 5)
        #expect(metrics.total("c_seconds") == 3)
    }

    @Test func `of a server can be fetched over HTTP, and INFO tells the same`() async throws {
        var options = Server.Options()
        options.metricsPort = 0
        options.maximumConnections = 1
        try await ServedStore.serveAddresses(options) { addresses in
            let (port, metricsPort) = (try #require(addresses.port), try #require(addresses.metricsPort))
            let client = try TestClient(port: port)
            #expect(try client.ask("MEM.REMEMBER", "user/ada", "Tea.").elements.count == 8)
            for command in [["PING"], ["PING"], ["FLY"], ["MEM.STATS", "user/grace"]] {
                try client.send(command)
                _ = try client.receive()
            }
            #expect(try TestClient(port: port).receive() == .error("ERR max number of clients reached"))
            func fetch(_ request: String) throws -> String {
                let client = try TestClient(port: metricsPort)
                try client.send(Array("\(request) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
                return try client.receiveAll()
            }
            let answer = try fetch("GET /metrics")
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.contains("Content-Type: text/plain; version=0.0.4"))
            let lines = Set(answer.split(separator: "\n").map(String.init))
            for line in [
                #"loci_command_seconds_count{command="ping"} 2"#,
                #"loci_command_seconds_count{command="mem.remember"} 1"#,
                #"loci_errors_total{kind="ERR"} 1"#, #"loci_errors_total{kind="NOTFOUND"} 1"#,
                "loci_connections_open 1", "loci_connections_accepted_total 1",
                "loci_connections_refused_total 1", "loci_logins_refused_total 0",
            ] {
                #expect(lines.contains(line), "\(line)")
            }
            #expect(try fetch("GET /other").hasPrefix("HTTP/1.1 404 "))
            #expect(try fetch("POST /metrics").hasPrefix("HTTP/1.1 405 "))

            let told = try client.ask("INFO", "stats").string ?? ""
            for line in [
                "total_connections_received:1", "total_commands_processed:4", "rejected_connections:1",
                "total_error_replies:2",
            ] {
                #expect(told.contains(line + "\r\n"), "\(line)")
            }
            #expect(told.firstMatch(of: /total_net_input_bytes:[1-9]/) != nil)
            #expect(try client.ask("INFO", "clients").string?.contains("maxclients:1\r\n") == true)
        }
    }

    @Test func `count errors inside a transaction by their kinds`() async throws {
        var options = Server.Options()
        options.metricsPort = 0
        try await ServedStore.serveAddresses(options) { addresses in
            let client = try TestClient(port: try #require(addresses.port))
            _ = try client.ask("MEM.REMEMBER", "user/ada", "Tea.")
            for lines in [
                [["MEM.WHY", "user/ada", "nothing"], ["MEM.GET", "user/ada", "x", "VERSION", "0"]],
                [["VDIM", "s"], ["SELECT", "1"]],
            ] {
                _ = try client.ask("MULTI")
                for line in lines {
                    try client.send(line)
                    #expect(try client.receive() == .simple("QUEUED"))
                }
                #expect(try client.ask("EXEC").elements.count == 2)
            }
            let metrics = try TestClient(port: try #require(addresses.metricsPort))
            try metrics.send(Array("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
            let told = try metrics.receiveAll()
            #expect(told.contains("loci_errors_total{kind=\"NOTFOUND\"} 1\n"), "\(told)")
            #expect(told.contains("loci_errors_total{kind=\"ERR\"} 3\n"), "\(told)")
        }
    }
}
