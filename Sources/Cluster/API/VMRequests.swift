// What a client asks for: new VMs, saved VMs.

package import Model

/// A VM to be made. What is left out gets the agent's default.
package struct CreateVM: Hashable, Sendable, Codable {
    package var name: VMName
    package var memoryBytes: UInt64
    package var vcpus: Int?
    package var hugePages: Bool?
    package var downtimeLimitMs: Double?
    package var commandLine: String?
    /// Absolute paths on the agent's host. No kernel: the one that comes with Ferry (pulse).
    package var kernelPath: String?
    package var initrdPath: String?
    /// Make it, but do not let it run yet.
    package var paused: Bool?
    /// Chosen by who asks, so that a request that is sent twice makes one VM. Nil: the agent chooses.
    package var id: VMID?
    /// Of its first ownership here: larger than any that this host's ledger knows of the VM. Nil for 1.
    package var epoch: UInt64?
    /// It stops for good when its host's lease ends. Nil for false.
    package var isLeased: Bool?

    package init(
        name: VMName, memoryBytes: UInt64, vcpus: Int? = nil, hugePages: Bool? = nil,
        downtimeLimitMs: Double? = nil, commandLine: String? = nil, kernelPath: String? = nil,
        initrdPath: String? = nil, paused: Bool? = nil, id: VMID? = nil, epoch: UInt64? = nil,
        isLeased: Bool? = nil
    ) {
        self.name = name
        self.memoryBytes = memoryBytes
        self.vcpus = vcpus
        self.hugePages = hugePages
        self.downtimeLimitMs = downtimeLimitMs
        self.commandLine = commandLine
        self.kernelPath = kernelPath
        self.initrdPath = initrdPath
        self.paused = paused
        self.id = id
        self.epoch = epoch
        self.isLeased = isLeased
    }

    package func firstEpoch() throws(Problem) -> Epoch {
        guard let epoch else { return .first }
        guard Epoch.valid.contains(Epoch(epoch)) else {
            throw Problem(.invalid, "epoch is \(epoch): use 1 or more")
        }
        return Epoch(epoch)
    }

    /// The VM it asks for.
    /// - Parameter defaultCommandLine: for a VM with no kernel and no command line of its own.
    package func spec(defaultCommandLine: String) throws(Problem) -> VMSpec {
        if initrdPath != nil, kernelPath == nil {
            throw Problem(.invalid, "initrdPath is given without kernelPath; give both or neither")
        }
        for (field, path) in [("kernelPath", kernelPath), ("initrdPath", initrdPath)] {
            guard let path else { continue }
            try checkPath(path, field: field)
        }
        let spec = VMSpec(
            name: name, memory: ByteCount(memoryBytes), vcpus: vcpus ?? 1,
            hugePages: hugePages ?? false,
            downtimeLimit: try duration(
                milliseconds: downtimeLimitMs, field: "downtimeLimitMs",
                default: VMSpec.downtimeLimitDefault),
            commandLine: commandLine ?? (kernelPath == nil ? defaultCommandLine : ""),
            kernel: kernelPath.map { .files(kernel: $0, initrd: initrdPath) } ?? .shipped,
            isLeased: isLeased ?? false)
        if let problem = spec.problem { throw Problem(.invalid, problem) }
        return spec
    }
}

package struct SaveVM: Hashable, Sendable, Codable {
    /// Absolute path on the agent's host; nil for NAME.ferry in the agent's folder of saved VMs.
    package var path: String?

    package init(path: String? = nil) { self.path = path }
}

package struct SavedVM: Hashable, Sendable, Codable {
    package var path: String
    package var bytes: UInt64

    package init(path: String, bytes: UInt64) {
        self.path = path
        self.bytes = bytes
    }
}

package struct RestoreVM: Hashable, Sendable, Codable {
    /// Absolute path on the agent's host, or nil for that of `name` in the agent's folder of saved VMs.
    package var path: String?
    /// The VM's name from now on; nil for the one it was saved under. One of the two must be there.
    package var name: VMName?
    package var paused: Bool?

    package init(path: String? = nil, name: VMName? = nil, paused: Bool? = nil) {
        self.path = path
        self.name = name
        self.paused = paused
    }
}

/// Throws when a path on the agent's host is not absolute, or cannot be a path.
package func checkPath(_ path: String, field: String) throws(Problem) {
    guard path.hasPrefix("/"), !path.utf8.contains(0), path.utf8.count <= Limits.pathBytesMax else {
        throw Problem(.invalid, "\(field) must be an absolute path on the agent's host")
    }
}

func duration(
    milliseconds: Double?, field: String, default usual: Duration
) throws(Problem) -> Duration {
    guard let milliseconds else { return usual }
    guard milliseconds > 0, milliseconds <= 60_000 else {
        throw Problem(.invalid, "\(field) is \(milliseconds): use more than 0 and at most 60000")
    }
    return .microseconds(Int64(milliseconds * 1000))
}
