// Where a VM's kernel comes from, for when it boots again: on this host, or on one it has moved to.

/// What a VM boots. The files do not travel with a VM; their paths do, and are looked for where it is.
public enum KernelSource: Hashable, Sendable, Codable {
    /// The kernel that comes with Ferry.
    case shipped
    /// Absolute paths on the VM's host.
    case files(kernel: String, initrd: String?)
    /// Not known: the VM was restored from a file. It runs, but cannot boot again.
    case unknown

    public static let pathBytesMax = 4096
}
