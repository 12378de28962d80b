// Asks every agent, all the time, whether it runs a VM: never may two of them say so at one instant.

import API
import Client
import Host
package import Model

/// Watches until `end`, which returns what was seen that must not be.
package final class OwnerWatch: Sendable {
    private let task: Task<[String], Never>

    package init(_ vm: VMName, in cluster: LocalCluster) {
        task = Task {
            var violations: [String] = []
            while !Task.isCancelled {
                let places = await Self.running(vm, cluster)
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

    /// Hosts that say that they run the VM, both before and after all were asked: answers of different moments
    /// would show a VM that moves in between on two hosts.
    private static func running(_ vm: VMName, _ cluster: LocalCluster) async -> Set<HostName> {
        let first = await cluster.whereabouts(of: vm).filter { $0.state == .running }.map(\.host)
        let second = await cluster.whereabouts(of: vm).filter { $0.state == .running }.map(\.host)
        return Set(first).intersection(second)
    }
}
