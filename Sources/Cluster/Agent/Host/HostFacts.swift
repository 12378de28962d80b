// The host's cores, CPU features and KVM. Read once, when the agent starts.

import API
import Glibc
import Host
import KVM
package import Model

/// The number of this agent's process.
let processID = getpid()

/// The facts of a host that do not change while an agent runs.
package struct HostFacts: Sendable {
    package let cores: Int
    package let kernelVersion: String
    /// The features that a guest on this host may use, determined like those that are recorded of each guest.
    package let cpuFeatures: CPUFeatures
    let kvm: KVMInfo

    package static func readFromSystem() -> HostFacts {
        var system = utsname()
        _ = unsafe uname(&system)
        let version = unsafe withUnsafeBytes(of: system.release) {
            unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        let (kvm, features) = readKVMSupport()
        return HostFacts(
            cores: Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), kernelVersion: version,
            cpuFeatures: features, kvm: kvm)
    }

    private static func readKVMSupport() -> (KVMInfo, CPUFeatures) {
        do {
            let system = try KVMSystem.openDevice()
            let features = CPUFeatures(cpuid: try system.supportedCPUID())
            var capabilities: [String: Int] = [:]
            for capability in KVMCapability.reported {
                let value = system.capabilityValue(of: capability)
                if value != 0 { capabilities[capability.name] = value }
            }
            return (KVMInfo(apiVersion: 12, capabilities: capabilities), features)
        } catch {
            return (KVMInfo(apiVersion: nil, problem: "\(error)"), CPUFeatures([]))
        }
    }
}

extension KVMCapability {
    /// The capabilities that the API reports.
    fileprivate static let reported =
        required + [
            xcrs, xsave, xsave2, clockControl, tscControl, getTSCkHz, manualDirtyLog, vcpusMax,
        ]
}
