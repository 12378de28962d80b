// Why a machine cannot be built.

package import Host
package import KVM
package import VMControl

/// What stands in the way of building or restoring a guest.
package enum MachineError: Error, Sendable, CustomStringConvertible {
    case kvm(KVMUnavailable)
    case specification(String)
    case noHugePages(SystemError)
    case system(SystemError)
    case kernel(KernelError)
    case state(StateError)
    case savedFile(SavedFileError)

    package var description: String {
        switch self {
        case .kvm(let error): "\(error)"
        case .specification(let problem): problem
        case .noHugePages(let error):
            "this host has not enough huge pages for the guest's memory (\(error)): set more aside in /proc/sys/vm/nr_hugepages, or do without --huge-pages"
        case .system(let error): "\(error)"
        case .kernel(let error): "\(error)"
        case .state(let error): "\(error)"
        case .savedFile(let error): "\(error)"
        }
    }
}
