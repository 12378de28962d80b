// How many migrations are under way on each host, on each link and in all: what limits how many more may begin.

import Model
import Placement

struct MigrationLoad {
    /// The ends of one migration, and the links that it uses.
    struct Route {
        var from: HostName
        var to: HostName
        var links: Set<String>
    }

    private let limits: MoveLimits
    private var hosts: [HostName: Int] = [:]
    private var links: [String: Int] = [:]
    private var total = 0

    init(limits: MoveLimits) { self.limits = limits }

    var isFull: Bool { total >= limits.perCluster }

    /// Whether `count` more may go side by side. More than a limit allows may only go alone: a group that belongs
    /// together moves as a whole or not at all.
    func hasCapacity(count: Int, along route: Route) -> Bool {
        if total == 0 { return true }
        return total + count <= limits.perCluster
            && [route.from, route.to].allSatisfy { hosts[$0, default: 0] + count <= limits.perHost }
            && route.links.allSatisfy { links[$0, default: 0] + count <= limits.perLink }
    }

    mutating func addMigration(along route: Route) {
        total += 1
        hosts[route.from, default: 0] += 1
        hosts[route.to, default: 0] += 1
        for link in route.links { links[link, default: 0] += 1 }
    }
}

extension Cluster {
    /// All migrations that are ordered or under way, of operations and of requests alike.
    var migrationLoad: MigrationLoad {
        var load = MigrationLoad(limits: moveLimits())
        for move in records.vms.recordsWithMigration.compactMap(\.move) {
            load.addMigration(along: migrationRoute(from: move.from, to: move.to))
        }
        return load
    }

    func migrationRoute(from: HostName, to: HostName) -> MigrationLoad.Route {
        let links = [from, to].map {
            records.hosts[$0]?.description.sharedLinkName(of: $0) ?? "host \($0)"
        }
        return MigrationLoad.Route(from: from, to: to, links: Set(links))
    }
}
