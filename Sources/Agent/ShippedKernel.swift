// The kernel for VMs that bring none: pulse, which comes with Ferry.

import Model

enum ShippedKernel {
    /// Nil when this build came without it.
    static let path: String? = nil

    /// What pulse does in a VM that says nothing about it.
    static func commandLine(memory: ByteCount) -> String { "" }
}
