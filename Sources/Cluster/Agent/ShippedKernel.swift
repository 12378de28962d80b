// The kernel for VMs that bring none: pulse, which comes with Ferry.

import Model
import Pulse

enum ShippedKernel {
    /// Nil when this build came without its resources.
    static var path: String? { PulseImage.path }

    /// What pulse does in a VM that says nothing about it: its own defaults.
    static func commandLine() -> String {
        // The defaults are within the guest's limits.
        (try? PulseOptions().commandLine()) ?? ""
    }
}
