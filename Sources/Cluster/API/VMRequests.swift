// What a client asks for: new VMs, saved VMs.

package import Model

/// A VM to be made.
package struct CreateVM: Hashable, Sendable, Codable {
    package var spec: VMSpec
    /// Make it, but do not let it run yet.
    package var paused: Bool?
    /// Chosen by who asks, so that a request that is sent twice makes one VM. Nil: the agent chooses.
    package var id: VMID?
    /// Of its first ownership here: larger than any that this host's ledger knows of the VM. Nil for 1.
    package var epoch: UInt64?

    package init(_ spec: VMSpec, paused: Bool? = nil, id: VMID? = nil, epoch: UInt64? = nil) {
        self.spec = spec
        self.paused = paused
        self.id = id
        self.epoch = epoch
    }

    /// `spec` may be absent: its fields then stand flat, as in the version before.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            try VMSpec(nestedIn: decoder, forKey: CodingKeys.spec),
            paused: try fields.decodeIfPresent(Bool.self, forKey: .paused),
            id: try fields.decodeIfPresent(VMID.self, forKey: .id),
            epoch: try fields.decodeIfPresent(UInt64.self, forKey: .epoch))
    }

    package func firstEpoch() throws(Problem) -> Epoch {
        guard let epoch else { return .first }
        guard Epoch.valid.contains(Epoch(epoch)) else {
            throw Problem(.invalid, detail: "epoch is \(epoch): use 1 or more")
        }
        return Epoch(epoch)
    }

    /// The VM that it asks for.
    /// - Parameter defaultCommandLine: for a VM with no kernel and no command line of its own.
    package func checkedSpec(defaultCommandLine: String) throws(Problem) -> VMSpec {
        try spec.checkForCreation()
        var spec = spec
        spec.commandLine = spec.commandLine ?? (spec.kernel == .shipped ? defaultCommandLine : "")
        return spec
    }
}

extension VMSpec {
    /// Throws when no new VM can be like this.
    package func checkForCreation() throws(Problem) {
        if let problem { throw Problem(.invalid, detail: problem) }
        if kernel == .unknown {
            throw Problem(
                .invalid, detail: "a new VM needs a kernel: only a restored one can be without")
        }
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
package func checkAbsolutePath(_ path: String, field: String) throws(Problem) {
    guard path.hasPrefix("/"), !path.utf8.contains(0), path.utf8.count <= Limits.pathBytesMax else {
        throw Problem(.invalid, detail: "\(field) must be an absolute path on the agent's host")
    }
}
