// What a host's record keeps of the host itself: as its agent registered it.

package import API
package import Model

package struct HostDescription: Hashable, Sendable, Codable {
    /// Random, of one life of the agent.
    package var agentID: Identifier128
    package var agentVersion: String
    /// "IP:PORT" of the agent's API and of the peer protocol.
    package var apiAddress: String
    package var peerAddress: String
    package var cores: Int
    package var memoryBytes: UInt64
    /// Not available to VMs.
    package var memoryReserveBytes: UInt64
    package var cpuFeatures: [String]
    package var labels: [String]
    /// What fails together; empty: not known, so on its own.
    package var zone: String
    package var rack: String
    /// The link that its migrations share with other hosts; empty: its own.
    package var link: String
    package var linkBytesPerSecond: Double
    package var cpuOvercommit: Double
    package var memoryOvercommit: Double

    package init(_ registration: HostRegistration) {
        agentID = registration.agentID
        agentVersion = registration.agentVersion
        apiAddress = registration.apiAddress
        peerAddress = registration.peerAddress
        cores = registration.cores
        memoryBytes = registration.memoryBytes
        memoryReserveBytes = registration.memoryReserveBytes
        cpuFeatures = registration.cpuFeatures
        labels = registration.labels
        zone = registration.zone
        rack = registration.rack
        link = registration.link
        linkBytesPerSecond = registration.linkBytesPerSecond
        cpuOvercommit = registration.cpuOvercommit
        memoryOvercommit = registration.memoryOvercommit
    }

    /// Whether the scheduler need not hear of the difference.
    func isSameForScheduler(as other: HostDescription) -> Bool {
        var other = other
        other.agentID = agentID
        other.agentVersion = agentVersion
        other.apiAddress = apiAddress
        other.peerAddress = peerAddress
        return self == other
    }

    /// The name of the link that its migrations use.
    func sharedLinkName(of host: HostName) -> String { link.isEmpty ? "host \(host)" : link }
}

extension HostRegistration {
    init(_ host: HostDescription) {
        self.init(
            agentID: host.agentID, agentVersion: host.agentVersion, apiAddress: host.apiAddress,
            peerAddress: host.peerAddress, cores: host.cores, memoryBytes: host.memoryBytes,
            memoryReserveBytes: host.memoryReserveBytes, cpuFeatures: host.cpuFeatures,
            labels: host.labels, zone: host.zone, rack: host.rack, link: host.link,
            linkBytesPerSecond: host.linkBytesPerSecond, cpuOvercommit: host.cpuOvercommit,
            memoryOvercommit: host.memoryOvercommit)
    }

    /// The first thing wrong with it; nil when it can be used.
    var problem: String? {
        func isValidWord(_ text: String) -> Bool {
            text.utf8.count <= Limits.wordBytesMax
                && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
        }
        if !(1...4096).contains(cores) { return "cores is \(cores): use 1 to 4096" }
        if memoryBytes > 1 << 50 || memoryReserveBytes > memoryBytes {
            return
                "memoryBytes and memoryReserveBytes: at most 1 PiB, and the reserve at most the memory"
        }
        if cpuFeatures.count > 2000 || labels.count > Limits.labelsMax {
            return "too many cpuFeatures or labels"
        }
        if !(labels + cpuFeatures + [zone, rack, link, apiAddress, peerAddress, agentVersion])
            .allSatisfy(isValidWord)
        {
            return
                "labels, features, places and addresses are words without spaces of at most \(Limits.wordBytesMax) bytes"
        }
        for (name, value) in [
            ("cpuOvercommit", cpuOvercommit), ("memoryOvercommit", memoryOvercommit),
        ] where !(0.1...100).contains(value) {
            return "\(name) is \(value): use 0.1 to 100"
        }
        if !(1...1e12).contains(linkBytesPerSecond) {
            return "linkBytesPerSecond is \(linkBytesPerSecond): use 1 to 1e12"
        }
        return nil
    }
}
