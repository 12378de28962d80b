// Asks every process of a VM, all the time, whether it runs the guest: never may two of them do so at one instant.

import Host
package import Model
import VMControl

/// Watches until `end`, which returns what was seen that must not be.
package final class OwnerWatch: Sendable {
    private let task: Task<[String], Never>

    package init(_ vm: VMName, in cluster: LocalCluster) {
        task = Task {
            var violations: [String] = []
            while !Task.isCancelled {
                let places = Self.running(vm, cluster)
                if places.count > 1 {
                    violations.append("\(vm) runs on \(places.map(\.text).joined(separator: ", "))")
                }
                // Cancelled while it slept: the loop ends by itself.
                try? await Task.sleep(for: .milliseconds(20))
            }
            return violations
        }
    }

    package func end() async -> [String] {
        task.cancel()
        return await task.value
    }

    /// Hosts whose process says that the guest runs, both times when all were asked twice: answers of different
    /// moments would show a VM that moves in between on two hosts.
    private static func running(_ vm: VMName, _ cluster: LocalCluster) -> Set<HostName> {
        func ask() -> Set<HostName> {
            Set(
                cluster.hosts.filter { host in
                    // No socket, or nobody behind it: the VM is not there.
                    let client = try? VMMClient(
                        socketPath: cluster.folder(of: vm, on: host) + "/control.sock")
                    return (try? client?.status().state) == .running
                })
        }
        return ask().intersection(ask())
    }
}
