// Debian's QEMU moves the same guest between two processes on this machine.

import Foundation
import Host
import Keys
import Model
import Testbed

/// One way to migrate with QEMU.
struct QEMUContestant: Contestant {
    enum Encryption { case none, tls }

    let name: String
    let encryption: Encryption
    /// multifd channels; nil for QEMU's single stream.
    let channels: Int?
    let compression: String

    /// The DNS name in the destination's certificate.
    private static let serverName = "host-b.agent.bench.ferry.internal"

    static let all = [
        QEMUContestant(name: "qemu-tls", encryption: .tls, channels: nil, compression: "none"),
        QEMUContestant(
            name: "qemu-tls-multifd2", encryption: .tls, channels: 2, compression: "none"),
        QEMUContestant(
            name: "qemu-tls-multifd2-zstd", encryption: .tls, channels: 2, compression: "zstd"),
        QEMUContestant(name: "qemu-plain", encryption: .none, channels: nil, compression: "none"),
    ]

    func run(_ load: Load, in folder: String) async throws -> Measurement {
        if encryption == .tls { try makeCertificates(in: folder) }
        let recorder = try ConsoleRecorder(
            socketPaths: ["source", "destination"].map {
                QEMUProcess.consolePath(folder: folder, name: $0)
            })
        defer { recorder.end() }
        // The source first, and alone: its firmware does not always come up beside a second start.
        let source = try QEMUProcess(load, folder: folder, name: "source", incoming: false)
        defer { source.end() }
        let sourceQMP = try await source.connect()
        try await load.waitUntilReady { recorder.lines }
        let destination = try QEMUProcess(
            load, folder: folder, name: "destination", incoming: true)
        defer { destination.end() }
        let destinationQMP = try await destination.connect()
        let uri = "tcp:127.0.0.1:\(try freePort())"
        try configure(sourceQMP, load, folder, endpoint: "client")
        try configure(destinationQMP, load, folder, endpoint: "server")
        try destinationQMP.command("migrate-incoming", ["uri": uri])

        let meter = try CPUMeter(processes: [source.id, destination.id])
        let wireBefore = try loopbackBytes()
        let start = Instant.now
        try sourceQMP.command("migrate", ["uri": uri])
        let result = try await waitUntilComplete(sourceQMP)
        let end = Instant.now
        let wireAfter = try loopbackBytes()
        let cpu = meter.stop()
        let trace = try await load.settle(after: end) { recorder.lines }
        return Measurement(
            totalMs: try number(result, "total-time"), downtimeMs: try number(result, "downtime"),
            longestHeartbeatGapMs: trace.longestGap(from: start, to: .now).milliseconds,
            cpuSeconds: cpu, wireMiB: Double(wireAfter - wireBefore) / Double(1 << 20),
            guestErrors: trace.errors)
    }

    /// Certificates of our own authority, under the names that QEMU looks for.
    private func makeCertificates(in folder: String) throws {
        let authority = try ClusterAuthority(cluster: try ClusterName("bench"))
        for (name, part) in [("host-a", "client"), ("host-b", "server")] {
            let keys = KeyFolder("\(folder)/\(part)-keys")
            try authority.issue(role: .agent, name: try HostName(name), to: keys)
            let tls = "\(folder)/tls"
            try FileManager.default.createDirectory(
                atPath: tls, withIntermediateDirectories: true)
            for (from, to) in [
                (keys.certificate, "\(part)-cert.pem"), (keys.key, "\(part)-key.pem"),
                (keys.authorityCertificate, "ca-cert.pem"),
            ] where !FileManager.default.fileExists(atPath: "\(tls)/\(to)") {
                try FileManager.default.copyItem(atPath: from, toPath: "\(tls)/\(to)")
            }
        }
    }

    private func configure(
        _ qmp: QMPClient, _ load: Load, _ folder: String, endpoint: String
    ) throws {
        // 1 GiB/s is more than TLS can do here; QEMU's default of 128 MiB/s would measure the limit.
        var parameters: [String: Any] = [
            "max-bandwidth": 16 << 30, "downtime-limit": load.downtimeLimitMs,
        ]
        if encryption == .tls {
            try qmp.command(
                "object-add",
                [
                    "qom-type": "tls-creds-x509", "id": "tls0", "endpoint": endpoint,
                    "dir": folder + "/tls", "verify-peer": true,
                ])
            parameters["tls-creds"] = "tls0"
            parameters["tls-hostname"] = Self.serverName
        }
        if let channels {
            try qmp.command(
                "migrate-set-capabilities",
                ["capabilities": [["capability": "multifd", "state": true]]])
            parameters["multifd-channels"] = channels
            parameters["multifd-compression"] = compression
        }
        try qmp.command("migrate-set-parameters", parameters)
    }

    private func waitUntilComplete(_ qmp: QMPClient) async throws -> [String: Any] {
        let deadline = Instant.now + .seconds(120)
        while Instant.now < deadline {
            let state = try qmp.command("query-migrate")
            switch state["status"] as? String {
            case "completed": return state
            case "failed", "cancelled": throw PeerError("QEMU's migration failed: \(state)")
            default: try await Task.sleep(for: .milliseconds(5))
            }
        }
        throw PeerError("QEMU's migration did not end in 120 s")
    }

    private func number(_ object: [String: Any], _ key: String) throws -> Double {
        guard let value = object[key] as? NSNumber else {
            throw PeerError("QEMU's answer has no \(key): \(object)")
        }
        return value.doubleValue
    }

    private func freePort() throws -> UInt16 {
        try TCPSocket.port(of: TCPSocket.listen(on: SocketAddress(ip: "127.0.0.1", port: 0)))
    }
}
