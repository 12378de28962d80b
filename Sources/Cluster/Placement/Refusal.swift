// Why a host cannot take a VM, with the figures.

package import Model

/// What a VM is placed for.
package enum PlacementPurpose: Hashable, Sendable {
    /// It runs nowhere yet.
    case start
    /// It runs elsewhere: until the move is over both copies take room.
    case migration
}

/// The filter that refused a host.
package enum Refusal: Hashable, Sendable {
    /// The VM runs there.
    case sameHost
    case hostState(HostState)
    case pinned(to: String)
    case features(missing: [String])
    case labels(missing: [String])
    case vcpus(neededMilli: Int, freeMilli: Int, limitMilli: Int)
    case memory(neededBytes: Int, freeBytes: Int, limitBytes: Int)
    /// The guest would fit, but not what its migration needs beside it.
    case migrationSpace(neededBytes: Int, freeBytes: Int)
    /// Other members of a group that belongs together are elsewhere.
    case affinity(group: String, domain: String, membersElsewhere: Int)
    /// As many members of a group that belongs apart as may be are there already.
    case antiAffinity(group: String, domain: String, members: Int, max: Int)

    /// The filter's name, for counting.
    package var filter: String {
        switch self {
        case .sameHost: "same host"
        case .hostState: "host state"
        case .pinned: "pinned"
        case .features: "CPU features"
        case .labels: "labels"
        case .vcpus: "vCPUs"
        case .memory: "memory"
        case .migrationSpace: "migration space"
        case .affinity: "affinity"
        case .antiAffinity: "anti-affinity"
        }
    }

    /// How far from fitting: the smaller, the nearer. Only within one filter.
    var distance: Double {
        switch self {
        case .vcpus(let needed, let free, _): Double(needed - free)
        case .memory(let needed, let free, _), .migrationSpace(let needed, let free):
            Double(needed - free)
        case .features(let missing), .labels(let missing): Double(missing.count)
        default: 0
        }
    }
}

extension Refusal: CustomStringConvertible {
    package var description: String {
        switch self {
        case .sameHost: return "it runs there"
        case .hostState(let state): return "the host is \(state.rawValue)"
        case .pinned(let host): return "it is pinned to \(host)"
        case .features(let missing):
            return "the host lacks CPU features \(missing.joined(separator: ", "))"
        case .labels(let missing):
            return "the host lacks labels \(missing.joined(separator: ", "))"
        case .vcpus(let needed, let free, let limit):
            return
                "needs \(thousandthsText(for: needed)) vCPUs, \(thousandthsText(for: free)) of \(thousandthsText(for: limit)) are free"
        case .memory(let needed, let free, let limit):
            return
                "needs \(bytesText(for: needed)) of memory, \(bytesText(for: free)) of \(bytesText(for: limit)) are free"
        case .migrationSpace(let needed, let free):
            return
                "its migration needs \(bytesText(for: needed)) of memory, \(bytesText(for: free)) are free"
        case .affinity(let group, let domain, let members):
            return "\(members) of group \(group), which belongs together, are not in \(domain)"
        case .antiAffinity(let group, let domain, let members, let max):
            return "\(members) of group \(group) are in \(domain) where \(max) may be"
        }
    }
}
