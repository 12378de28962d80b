// Every bound of the KVM layer.

/// Bounds of lists that KVM hands out.
package enum Limits {
    package static let cpuidEntriesMax = 256
    package static let msrsMax = 4096
    /// XSAVE areas have 4 KiB, with AMX 11 KiB; no CPU comes near this.
    package static let xsaveBytesMax = 64 << 10
}
