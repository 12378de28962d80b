// How many moves are under way on each host, on each link and in all: what bounds how many more may begin.

import API
import Model
import Placement

struct MoveLoad {
    private let limits: MoveLimits
    private var hosts: [HostName: Int] = [:]
    private var links: [String: Int] = [:]
    private(set) var total = 0

    init(_ limits: MoveLimits) { self.limits = limits }

    var isFull: Bool { total >= limits.perCluster }

    /// Whether `count` more may go side by side. More than a limit allows may only go alone: a group that belongs
    /// together moves as a whole or not at all.
    func hasRoom(for count: Int, from: HostName, to: HostName, links ends: Set<String>) -> Bool {
        if total == 0 { return true }
        return total + count <= limits.perCluster
            && [from, to].allSatisfy { hosts[$0, default: 0] + count <= limits.perHost }
            && ends.allSatisfy { links[$0, default: 0] + count <= limits.perLink }
    }

    mutating func add(from: HostName, to: HostName, links ends: Set<String>) {
        total += 1
        hosts[from, default: 0] += 1
        hosts[to, default: 0] += 1
        for link in ends { links[link, default: 0] += 1 }
    }
}

extension Cluster {
    /// All moves that are ordered or under way, whoever wanted them.
    var moveLoad: MoveLoad {
        var load = MoveLoad(moveLimits())
        for move in moving.compactMap({ names[$0].flatMap { vms[$0]?.move } }) {
            load.add(from: move.from, to: move.to, links: links(move.from, move.to))
        }
        return load
    }

    /// The links that a migration between two hosts goes over. A host that names none has its own.
    func links(_ hosts: HostName...) -> Set<String> {
        Set(
            hosts.map { host in
                let link = self.hosts[host]?.registration.link ?? ""
                return link.isEmpty ? "host \(host)" : link
            })
    }
}
