// A folder with a cluster file and an operator's keys, and nothing that runs.

import Foundation
import Testbed

struct TestFolder: ~Copyable {
    let path: String

    /// - Parameter extra: lines of the cluster file.
    init(_ extra: String = "") throws {
        path = FileManager.default.temporaryDirectory.path + "/ferry-commands-\(UUID())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        // Nobody listens on these ports of 127.0.0.0/8.
        let configuration = """
            cluster: quiet
            state-folder: state
            keys-folder: keys
            \(extra)
            hosts:
              - name: host-a
                api: 127.66.0.1:7101
                peer: 127.66.0.1:7201
              - name: host-b
                api: 127.66.0.1:7102
                peer: 127.66.0.1:7202
            """
        try configuration.write(
            toFile: "\(path)/cluster.yaml", atomically: true, encoding: .utf8)
    }

    static let controllers = """
        controllers:
          - name: controller-1
            api: 127.66.0.1:7100
        """

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func makeKeys() async throws {
        _ = try await ferry("pki", "init", "--cluster", "quiet", "--out", "keys/authority")
        for (role, name) in [("operator", "admin"), ("controller", "controller-1")] {
            let issued = try await ferry(
                "pki", "issue", "--ca", "keys/authority", "--role", role, "--name", name, "--out",
                "keys/\(role)-\(name)")
            guard issued.exitCode == 0 else { throw TestbedError(issued.errors) }
        }
    }

    func ferry(
        _ arguments: String..., environment: [String: String] = [:]
    ) async throws -> FerryCommand.Result {
        try await FerryCommand.runFerry(
            arguments: arguments, folder: path,
            environment: environment.merging(["FERRY_CLUSTER": "cluster.yaml"]) { old, _ in old })
    }
}
