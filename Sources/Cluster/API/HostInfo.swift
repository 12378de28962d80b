// What an agent says of itself and its host.

package import Model

package struct HostInfo: Hashable, Sendable, Codable {
    package var name: HostName
    package var cluster: ClusterName
    package var cores: Int
    package var memoryBytes: UInt64
    /// What the kernel says programs could still get.
    package var memoryAvailableBytes: UInt64
    /// What is kept back from VMs.
    package var memoryReserveBytes: UInt64
    /// By the names of /proc/cpuinfo, as guests here would see them.
    package var cpuFeatures: [String]
    package var kvm: KVMInfo
    package var kernelVersion: String
    package var agentVersion: String
    package var processID: Int32
    /// "IP:PORT" of this API, and of the peer protocol.
    package var apiAddress: String
    package var peerAddress: String
    package var vms: Int

    package init(
        name: HostName, cluster: ClusterName, cores: Int, memoryBytes: UInt64,
        memoryAvailableBytes: UInt64, memoryReserveBytes: UInt64, cpuFeatures: [String],
        kvm: KVMInfo, kernelVersion: String, agentVersion: String, processID: Int32,
        apiAddress: String, peerAddress: String, vms: Int
    ) {
        self.name = name
        self.cluster = cluster
        self.cores = cores
        self.memoryBytes = memoryBytes
        self.memoryAvailableBytes = memoryAvailableBytes
        self.memoryReserveBytes = memoryReserveBytes
        self.cpuFeatures = cpuFeatures
        self.kvm = kvm
        self.kernelVersion = kernelVersion
        self.agentVersion = agentVersion
        self.processID = processID
        self.apiAddress = apiAddress
        self.peerAddress = peerAddress
        self.vms = vms
    }
}

/// What KVM can do on a host.
package struct KVMInfo: Hashable, Sendable, Codable {
    /// Nil when /dev/kvm cannot be used; `problem` says why.
    package var apiVersion: Int?
    /// KVM_CHECK_EXTENSION by the extension's name, those that are not 0.
    package var capabilities: [String: Int]
    package var problem: String?

    package init(apiVersion: Int?, capabilities: [String: Int] = [:], problem: String? = nil) {
        self.apiVersion = apiVersion
        self.capabilities = capabilities
        self.problem = problem
    }
}
