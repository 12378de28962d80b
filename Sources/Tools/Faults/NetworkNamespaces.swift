// Two hosts in network namespaces: a bridge joins their peer links, and each has a link of its own to this
// process for the API, so that a cut between them leaves both within reach.
//
//   namespace host-a                     here                      namespace host-b
//   peer 10.213.9.1 ──── port ─── bridge ─── port ──── peer 10.213.9.2
//   api  10.213.1.2 ──── 10.213.1.1            10.213.2.1 ──── api 10.213.2.2

import Foundation
import Glibc
import Host
import Testbed

/// Needs root. Call `end` when done.
final class NetworkNamespaces: Link {
    struct Addresses: Sendable {
        let api: String
        let peer: String
    }

    private static let prefix = "ffns"
    private static let apiPort = 7100
    private static let peerPort = 7200

    private let tag: String
    private let hosts: [String]
    let addresses: [String: Addresses]

    /// Why they cannot be had here; nil when they can.
    static func unavailabilityReason() async -> String? {
        guard geteuid() == 0 else { return "network namespaces need root" }
        for program in ["ip", "bridge"] where programPath(named: program) == nil {
            return "the program \(program) is not there (package iproute2)"
        }
        let probe = "\(prefix)probe\(getpid())"
        do {
            try await runCommand("ip", arguments: "netns", "add", probe)
            try await runCommand("ip", arguments: "netns", "del", probe)
            return nil
        } catch { return "\(error)" }
    }

    init(hosts: [String]) async throws {
        self.hosts = hosts
        // Names of interfaces have at most 15 characters.
        tag = "ff\(getpid() % 100_000)"
        addresses = Dictionary(
            uniqueKeysWithValues: hosts.enumerated().map { index, host in
                (
                    host,
                    Addresses(
                        api: "10.213.\(index + 1).2:\(Self.apiPort)",
                        peer: "10.213.9.\(index + 1):\(Self.peerPort)")
                )
            })
        await removeStale()
        do { try await createNamespaces() } catch {
            await tearDown()
            throw error
        }
    }

    /// What stands before a command that is to run on a host.
    func commandPrefix(host: String) -> [String] {
        ["nsenter", "--net=/run/netns/\(namespaceName(host: host))"]
    }

    private func namespaceName(host: String) -> String { "\(Self.prefix)-\(getpid())-\(host)" }
    private var bridge: String { "\(tag)br" }
    private func peerPortName(index: Int) -> String { "\(tag)p\(index)" }
    private func apiPortName(index: Int) -> String { "\(tag)m\(index)" }

    private func createNamespaces() async throws {
        try await Self.runCommand("ip", arguments: "link", "add", bridge, "type", "bridge")
        try await Self.runCommand("ip", arguments: "link", "set", bridge, "up")
        for (index, host) in hosts.enumerated() {
            let (name, number) = (namespaceName(host: host), index + 1)
            try await Self.runCommand("ip", arguments: "netns", "add", name)
            try await Self.runCommand("ip", arguments: "-n", name, "link", "set", "lo", "up")
            try await connectNamespace(
                named: name, inside: "peer", outside: peerPortName(index: index),
                address: "10.213.9.\(number)/24")
            try await Self.runCommand(
                "ip", arguments: "link", "set", peerPortName(index: index), "master", bridge)
            try await connectNamespace(
                named: name, inside: "api", outside: apiPortName(index: index),
                address: "10.213.\(number).2/24")
            try await Self.runCommand(
                "ip", arguments: "address", "add", "10.213.\(number).1/24", "dev",
                apiPortName(index: index))
        }
    }

    private func connectNamespace(
        named namespace: String, inside: String, outside: String, address: String
    ) async throws {
        try await Self.runCommand(
            "ip", arguments: "link", "add", outside, "type", "veth", "peer", "name", inside,
            "netns", namespace
        )
        try await Self.runCommand(
            "ip", arguments: "-n", namespace, "address", "add", address, "dev", inside)
        try await Self.runCommand("ip", arguments: "-n", namespace, "link", "set", inside, "up")
        try await Self.runCommand("ip", arguments: "link", "set", outside, "up")
    }

    func cutTraffic(direction: CutDirection, source: String) async throws {
        guard direction != .both else {
            // The ports stay up and pass nothing: neither host sees its carrier go.
            for index in hosts.indices {
                try await Self.runCommand(
                    "bridge", arguments: "link", "set", "dev", peerPortName(index: index), "state",
                    "0")
            }
            return
        }
        for (index, host) in hosts.enumerated() {
            let isSender = (host == source) == (direction == .toDestination)
            guard isSender else { continue }
            let other = "10.213.9.\(2 - index)"
            // To nobody's card: what this host sends is dropped by the other's.
            try await Self.runCommand(
                "ip", arguments: "-n", namespaceName(host: host), "neigh", "replace", other,
                "lladdr",
                "02:00:00:00:00:99", "dev", "peer", "nud", "permanent")
        }
    }

    func restoreTraffic() async throws {
        for (index, host) in hosts.enumerated() {
            try await Self.runCommand(
                "bridge", arguments: "link", "set", "dev", peerPortName(index: index), "state", "3")
            // Asked for anew at the next packet.
            try await Self.runCommand(
                "ip", arguments: "-n", namespaceName(host: host), "neigh", "flush", "dev", "peer",
                "nud", "permanent")
        }
    }

    /// No one but the hosts can do it here.
    func resetConnections() throws {
        throw TestbedError("a link of namespaces resets no connections")
    }

    func tearDown() async {
        for (index, host) in hosts.enumerated() {
            // Interfaces go with their other ends; what was never made is no error here.
            for link in [peerPortName(index: index), apiPortName(index: index)] {
                try? await Self.runCommand("ip", arguments: "link", "del", link)
            }
            try? await Self.runCommand("ip", arguments: "netns", "del", namespaceName(host: host))
        }
        try? await Self.runCommand("ip", arguments: "link", "del", bridge)
    }

    /// Namespaces of drivers that were killed. Their interfaces go with them.
    private func removeStale() async {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/run/netns")) ?? []
        for name in names {
            let words = name.split(separator: "-")
            guard words.count > 2, words[0] == Self.prefix, let id = Int32(words[1]),
                ProcessFacts(id) == nil
            else { continue }
            try? await Self.runCommand("ip", arguments: "netns", "del", name)
            try? await Self.runCommand("ip", arguments: "link", "del", "ff\(id % 100_000)br")
        }
    }

    private static func programPath(named program: String) -> String? {
        ["/usr/sbin", "/sbin", "/usr/bin", "/bin"].map { "\($0)/\(program)" }
            .first { File.isPresent(at: $0) }
    }

    private static func runCommand(_ program: String, arguments: String...) async throws {
        guard let path = programPath(named: program) else {
            throw TestbedError("no program \(program)")
        }
        let result = try await FerryCommand.runProgram(at: path, arguments: arguments, folder: "/")
        guard result.exitCode == 0 else {
            throw TestbedError(
                "\(program) \(arguments.joined(separator: " ")): \(result.errors)")
        }
    }
}
