// The kernel of VMs that name none: pulse, which comes with Ferry.

import Model
import Pulse

enum ShippedKernel {
    /// Nil when this build came without its resources.
    static var path: String? { PulseImage.path }

    /// The command line of a VM that names none: pulse's own defaults.
    static func defaultCommandLine() -> String {
        // The defaults are within the guest's limits.
        (try? PulseOptions().commandLine()) ?? ""
    }
}
