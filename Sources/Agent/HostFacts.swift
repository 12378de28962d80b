// What the host is: cores, CPU features, KVM. Read once, when the agent starts.

import API
import Glibc
import Host
package import Model

/// The facts of a host that do not change while an agent runs.
package struct HostFacts: Sendable {
    package let cores: Int
    package let kernelVersion: String
    /// What a guest here may use, by the rule by which a guest's own features are recorded.
    package let cpuFeatures: CPUFeatures
    let kvm: KVMInfo

    package static func read() -> HostFacts {
        var system = utsname()
        _ = unsafe uname(&system)
        let version = unsafe withUnsafeBytes(of: system.release) {
            unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        return HostFacts(
            cores: Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), kernelVersion: version,
            cpuFeatures: CPUFeatures([]), kvm: KVMInfo(apiVersion: nil))
    }
}
