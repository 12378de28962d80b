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

    func measureMigration(under load: Load, folder: String) async throws -> Measurement {
        if encryption == .tls { try makeCertificates(folder: folder) }
        let recorder = try ConsoleRecorder(
            socketPaths: ["source", "destination"].map {
                QEMUProcess.consolePath(folder: folder, name: $0)
            })
        defer { recorder.stopRecording() }
        // The source first, and alone: its firmware does not always come up beside a second start.
        let source = try QEMUProcess(for: load, folder: folder, name: "source", incoming: false)
        defer { source.killAndWait() }
        let sourceQMP = try await source.connectToMonitor()
        try await load.waitUntilReady { recorder.lines }
        let destination = try QEMUProcess(
            for: load, folder: folder, name: "destination", incoming: true)
        defer { destination.killAndWait() }
        let destinationQMP = try await destination.connectToMonitor()
        let uri = "tcp:127.0.0.1:\(try findFreePort())"
        try configureMigration(through: sourceQMP, under: load, folder: folder, endpoint: "client")
        try configureMigration(
            through: destinationQMP, under: load, folder: folder, endpoint: "server")
        try destinationQMP.executeCommand("migrate-incoming", arguments: ["uri": uri])

        let meter = try CPUMeter(processes: [source.id, destination.id])
        let wireBefore = try loopbackBytes()
        let start = Instant.now
        try sourceQMP.executeCommand("migrate", arguments: ["uri": uri])
        let result = try await waitForMigration(through: sourceQMP)
        let end = Instant.now
        let wireAfter = try loopbackBytes()
        let cpu = meter.stopMeasuring()
        let trace = try await load.waitUntilSettled(after: end) { recorder.lines }
        return Measurement(
            totalMs: try numberValue(in: result, key: "total-time"),
            downtimeMs: try numberValue(in: result, key: "downtime"),
            longestHeartbeatGapMs: trace.longestGap(from: start, to: .now).milliseconds,
            cpuSeconds: cpu, wireMiB: Double(wireAfter - wireBefore) / Double(1 << 20),
            guestErrors: trace.errors)
    }

    /// Certificates of our own authority, under the names that QEMU looks for.
    private func makeCertificates(folder: String) throws {
        let authority = try ClusterAuthority(cluster: try ClusterName("bench"))
        for (name, part) in [("host-a", "client"), ("host-b", "server")] {
            let keys = KeyFolder("\(folder)/\(part)-keys")
            try authority.issueCertificate(as: .agent, name: try HostName(name), to: keys)
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

    private func configureMigration(
        through qmp: QMPClient, under load: Load, folder: String, endpoint: String
    ) throws {
        // 1 GiB/s is more than TLS can do here; QEMU's default of 128 MiB/s would measure the limit.
        var parameters: [String: Any] = [
            "max-bandwidth": 16 << 30, "downtime-limit": load.downtimeLimitMs,
        ]
        if encryption == .tls {
            try qmp.executeCommand(
                "object-add",
                arguments: [
                    "qom-type": "tls-creds-x509", "id": "tls0", "endpoint": endpoint,
                    "dir": folder + "/tls", "verify-peer": true,
                ])
            parameters["tls-creds"] = "tls0"
            parameters["tls-hostname"] = Self.serverName
        }
        if let channels {
            try qmp.executeCommand(
                "migrate-set-capabilities",
                arguments: ["capabilities": [["capability": "multifd", "state": true]]])
            parameters["multifd-channels"] = channels
            parameters["multifd-compression"] = compression
        }
        try qmp.executeCommand("migrate-set-parameters", arguments: parameters)
    }

    private func waitForMigration(through qmp: QMPClient) async throws -> [String: Any] {
        let deadline = Instant.now + .seconds(120)
        while Instant.now < deadline {
            let state = try qmp.executeCommand("query-migrate")
            switch state["status"] as? String {
            case "completed": return state
            case "failed", "cancelled": throw PeerError("QEMU's migration failed: \(state)")
            default: try await Task.sleep(for: .milliseconds(5))
            }
        }
        throw PeerError("QEMU's migration did not end in 120 s")
    }

    private func numberValue(in object: [String: Any], key: String) throws -> Double {
        guard let value = object[key] as? NSNumber else {
            throw PeerError("QEMU's answer has no \(key): \(object)")
        }
        return value.doubleValue
    }

    private func findFreePort() throws -> UInt16 {
        try TCPSocket.boundPort(
            of: TCPSocket.openListener(on: SocketAddress(ip: "127.0.0.1", port: 0)))
    }
}
