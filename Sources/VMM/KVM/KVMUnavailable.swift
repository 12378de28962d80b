// Why this host cannot run guests, in words that say what to do.

package import Host
import Glibc

/// /dev/kvm cannot be used.
package enum KVMUnavailable: Error, Sendable, CustomStringConvertible {
    case noDevice
    case notPermitted
    case cannotOpen(SystemError)
    case wrongVersion(Int32)
    case lacking([String])

    init(_ error: SystemError) {
        switch error.code {
        case ENOENT, ENODEV, ENXIO: self = .noDevice
        case EACCES, EPERM: self = .notPermitted
        default: self = .cannotOpen(error)
        }
    }

    package var description: String {
        switch self {
        case .noDevice:
            "there is no /dev/kvm: load the module with 'modprobe kvm_intel' or 'modprobe kvm_amd' (is virtualisation switched on in the firmware?)"
        case .notPermitted:
            "no permission to open /dev/kvm: add this user to the group that owns it, 'usermod --append --groups kvm USER', and log in again"
        case .cannotOpen(let error): "/dev/kvm cannot be used: \(error)"
        case .wrongVersion(let version): "/dev/kvm speaks API version \(version), not 12"
        case .lacking(let names):
            "/dev/kvm lacks \(names.joined(separator: ", ")): use a newer kernel"
        }
    }
}
