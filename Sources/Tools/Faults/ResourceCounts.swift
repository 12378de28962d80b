// What a process holds, counted by kind, so that a leak shows: descriptors, and threads that belong to a migration.

import Foundation
import Host

struct ResourceCounts: Hashable, Sendable {
    private(set) var counts: [String: Int] = [:]

    /// Threads that end with what they were started for.
    private static let passingThreads = [
        "mig-", "ferry-send-", "ferry-peer-", "settle-", "leave-", "discard-", "adopt-", "create-",
        "delete-", "forget-",
    ]

    /// - Parameter peerPorts: where hosts take migrations; connections of the API are the driver's own and not
    ///   counted.
    init(of process: Int32, peerPorts: Set<UInt16>) {
        let connections = TCPTable(of: process)
        for descriptor in Self.directoryEntries(at: "/proc/\(process)/fd") {
            guard
                let target = try? FileManager.default.destinationOfSymbolicLink(
                    atPath: "/proc/\(process)/fd/\(descriptor)")
            else { continue }
            guard
                let kind = Self.resourceKind(
                    target: target, connections: connections, peerPorts: peerPorts)
            else { continue }
            counts[kind, default: 0] += 1
        }
        for thread in Self.directoryEntries(at: "/proc/\(process)/task") {
            let path = "/proc/\(process)/task/\(thread)/comm"
            guard let name = try? String(contentsOfFile: path, encoding: .utf8),
                let prefix = Self.passingThreads.first(where: name.hasPrefix)
            else { continue }
            counts["thread \(prefix)", default: 0] += 1
        }
    }

    init() {}

    /// Nil for what is not counted.
    private static func resourceKind(
        target: String, connections: TCPTable, peerPorts: Set<UInt16>
    ) -> String? {
        if target.hasPrefix("/memfd:") {
            return "memory file \(target.dropFirst(7).prefix { $0 != " " })"
        }
        if target.hasPrefix("anon_inode:") { return "\(target.dropFirst(11))" }
        if target.hasPrefix("pipe:") { return "pipe" }
        guard target.hasPrefix("socket:[") else { return "file" }
        guard let entry = connections[Int(target.dropFirst(8).dropLast()) ?? 0] else {
            return "Unix socket"
        }
        if entry.isListening { return "listener" }
        return peerPorts.contains(entry.localPort) || peerPorts.contains(entry.remotePort)
            ? "connection to a peer" : nil
    }

    /// More of something than `usual`, in words.
    func describeExcess(over usual: ResourceCounts) -> [String] {
        counts.filter { $0.value > usual.counts[$0.key, default: 0] }
            .map { "\($0.value) of \($0.key), not \(usual.counts[$0.key, default: 0])" }
            .sorted()
    }

    /// The greater of each count.
    func mergingMaxima(with other: ResourceCounts) -> ResourceCounts {
        var union = self
        union.counts.merge(other.counts) { max($0, $1) }
        return union
    }

    private static func directoryEntries(at path: String) -> [String] {
        // A process that has ended holds nothing.
        (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    }
}

/// The TCP sockets of a process's network namespace, by inode.
private struct TCPTable {
    struct Entry {
        let localPort: UInt16
        let remotePort: UInt16
        let isListening: Bool
    }

    private var entries: [Int: Entry] = [:]

    init(of process: Int32) {
        for name in ["tcp", "tcp6"] {
            let text = try? String(contentsOfFile: "/proc/\(process)/net/\(name)", encoding: .utf8)
            for line in (text ?? "").split(separator: "\n").dropFirst() {
                let words = line.split(separator: " ")
                guard words.count > 9, let inode = Int(words[9]),
                    let local = Self.parsePortNumber(from: words[1]),
                    let remote = Self.parsePortNumber(from: words[2])
                else { continue }
                entries[inode] = Entry(
                    localPort: local, remotePort: remote, isListening: words[3] == "0A")
            }
        }
    }

    subscript(inode: Int) -> Entry? { entries[inode] }

    /// "0100007F:1BBD"
    private static func parsePortNumber(from address: Substring) -> UInt16? {
        address.split(separator: ":").last.flatMap { UInt16($0, radix: 16) }
    }
}
