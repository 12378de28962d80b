// Every bound of the control socket.

/// Bounds of the control socket between an agent and its ferry-vmm.
package enum Limits {
    package static let frameBytesMax = 1 << 20
    package static let textBytesMax = 4096
    /// Saved state of all owners but memory: 64 vCPUs with full XSAVE areas fit many times.
    package static let stateBytesMax = 16 << 20
    package static let connectionsMax = 8
    /// How long a request may take that does not move memory.
    package static let requestTimeout = Duration.seconds(10)
    /// How long saving or loading a whole guest may take.
    package static let fileTimeout = Duration.seconds(600)
}
