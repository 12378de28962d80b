// The files of a cluster under test: a cluster file for each host, the scripts that start agents and VMs with the
// shim, and the files by which the shims are told what to do.

import Foundation
import Host
import Testbed

struct FaultClusterFiles: Sendable {
    struct Member: Sendable {
        let name: String
        let api: String
        let peer: String
        /// What the other host is told: the link's end.
        let peerForOthers: String
        /// What stands before its agent's command.
        let prefix: [String]
    }

    let folder: String
    let hosts = ["host-a", "host-b"]

    var agentProgram: String { "\(folder)/agent" }
    private var vmmProgram: String { "\(folder)/vmm" }
    private var shim: String { ProgramFolder.path + "/libFaultShim.so" }

    static func vmmControlName(host: String) -> String { "\(host)-vmm" }

    /// Writes all of them but the cluster file for `ferry`.
    func writeAllFiles(for members: [Member]) throws -> [String: FaultControl] {
        guard File.isPresent(at: shim) else {
            throw TestbedError("\(shim) is not there: build the product FaultShim")
        }
        var controls: [String: FaultControl] = [:]
        for member in members {
            try writeClusterFile(members: members, host: member.name)
            for name in [member.name, Self.vmmControlName(host: member.name)] {
                controls[name] = try FaultControl(path: "\(folder)/control-\(name)")
            }
            try writeScript(command: agentScript(for: member), to: "\(agentProgram)-\(member.name)")
        }
        // `ferry up` says: --config FILE --host HOST.
        try writeScript(command: "exec \"\(agentProgram)-$4\"", to: agentProgram)
        let real = ProgramFolder.path + "/ferry-vmm"
        try writeScript(
            command:
                "exec env \"LD_PRELOAD=\(shim)\" \"FERRY_FAULT_CONTROL=$FERRY_FAULT_CONTROL-vmm\" \"\(real)\" \"$@\"",
            to: vmmProgram)
        return controls
    }

    var stateFolder: String { "\(folder)/state" }
    func stateFolder(host: String) -> String { "\(stateFolder)/hosts/\(host)" }

    /// The cluster file of one host.
    /// - Parameter reserve: memory that it keeps from VMs; nil: as usual.
    func writeClusterFile(members: [Member], host: String, reserve: String? = nil) throws {
        try clusterConfiguration(members: members, seenFrom: host, reserve: reserve)
            .write(toFile: clusterFilePath(host: host), atomically: true, encoding: .utf8)
    }

    private func clusterFilePath(host: String) -> String { "\(folder)/cluster-\(host).yaml" }

    /// - Parameter host: nil for whoever only uses the APIs.
    func clusterConfiguration(
        members: [Member], seenFrom host: String?, reserve: String? = nil
    ) -> String {
        let entries = members.map { member in
            """
              - name: \(member.name)
                api: \(member.api)
                peer: \(member.name == host ? member.peer : member.peerForOthers)

            """
        }
        return """
            cluster: faults
            state-folder: \(stateFolder)
            keys-folder: \(folder)/keys
            memory-reserve: \(reserve ?? "64MiB")
            migration:
              keep-broken-for: 2s
            hosts:
            \(entries.joined())
            """
    }

    private func agentScript(for member: Member) -> String {
        let words =
            member.prefix + [
                "env", "LD_PRELOAD=\(shim)", "FERRY_FAULT_CONTROL=\(folder)/control-\(member.name)",
                ProgramFolder.path + "/ferry-agent", "--config", clusterFilePath(host: member.name),
                "--host",
                member.name, "--vmm", vmmProgram,
            ]
        return "exec " + words.map { "\"\($0)\"" }.joined(separator: " ")
    }

    private func writeScript(command: String, to path: String) throws {
        try "#!/bin/sh\n\(command)\n".write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
    }
}
