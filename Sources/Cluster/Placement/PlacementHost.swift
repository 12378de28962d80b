// A host as the scheduler sees it.

package import Model

/// Where a host stands: what fails together.
package struct FaultDomain: Hashable, Sendable {
    package var zone: String
    package var rack: String

    package init(zone: String = "", rack: String = "") {
        self.zone = zone
        self.rack = rack
    }
}

/// A host's size, state, traits and measured load.
package struct PlacementHost: Hashable, Sendable {
    /// Its identity in the cluster.
    package var name: String
    package var state: HostState = .active
    /// Physical: cores and memory of the machine.
    package var capacity: Resources
    /// Memory that VMs do not get: the host's own system and its agent.
    package var reservedMemoryBytes = 0
    /// vCPUs that may be promised for each core.
    package var cpuOvercommit = 1.0
    /// Bytes that may be promised for each byte that is not reserved.
    package var memoryOvercommit = 1.0
    package var features = CPUFeatures([])
    /// "key=value" or plain words.
    package var labels: Set<String> = []
    package var domain = FaultDomain()
    /// The link that its migrations share with others: a switch, an uplink. Empty: its own.
    package var link = ""
    /// What migrations to or from it can carry.
    package var linkBytesPerSecond = 1.25e9
    /// Load that is not its VMs': the system, other services.
    package var ownUse = MeasuredUse.none

    package init(name: String, capacity: Resources) {
        self.name = name
        self.capacity = capacity
    }

    /// What may be promised to VMs in all.
    package var limit: Resources {
        let memory = Double(max(0, capacity.memoryBytes - reservedMemoryBytes))
        return Resources(
            milliCPUs: Int((Double(capacity.milliCPUs) * cpuOvercommit).rounded(.down)),
            memoryBytes: Int((memory * memoryOvercommit).rounded(.down)))
    }
}
