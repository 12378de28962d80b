// Asks every process of a VM, all the time, whether it runs the guest: never may two of them do so at one instant.

import Foundation
package import Host
package import Model
import Synchronization
import VMControl

/// Watches until `end`, which returns what was seen that must not be.
package final class OwnerWatch: Sendable {
    private static let interval = 0.02
    /// A process that was just started for an arriving VM ends when its only connection does: it is left to its
    /// agent first.
    private static let ageMin = 0.3

    private let vm: VMName
    private let sockets: [(host: HostName, path: String)]
    private let isOver = Atomic(false)
    private let violations = Mutex<[String]>([])
    private let thread = Mutex<NamedThread?>(nil)

    package init(_ vm: VMName, in cluster: LocalCluster) throws(SystemError) {
        self.vm = vm
        sockets = cluster.hosts.map {
            ($0, cluster.vmStateFolder(of: vm, on: $0) + "/control.sock")
        }
        let started = try NamedThread(name: "owner-watch") { [self] in watchOwners() }
        thread.withLock { $0 = started }
    }

    package func finishWatching() -> [String] {
        isOver.store(true, ordering: .releasing)
        thread.withLock { thread in
            thread?.joinThread()
            thread = nil
        }
        return violations.withLock { $0 }
    }

    private func watchOwners() {
        while !isOver.load(ordering: .acquiring) {
            // Asked twice: answers of different moments would show a VM that moves in between on two hosts.
            let first = runningHosts()
            let places = first.count > 1 ? first.intersection(runningHosts()) : []
            if places.count > 1 {
                let names = places.sorted().map(\.text).joined(separator: ", ")
                violations.withLock { $0.append("\(vm) runs on \(names)") }
            }
            Thread.sleep(forTimeInterval: Self.interval)
        }
    }

    private func runningHosts() -> Set<HostName> {
        Set(
            sockets.filter { _, path in
                // No socket, or nobody behind it: the VM is not there.
                guard Self.isResponsive(socketPath: path),
                    let client = try? VMMClient(socketPath: path)
                else {
                    return false
                }
                return (try? client.fetchStatus().state) == .running
            }.map(\.host))
    }

    /// False also for a process that was stopped by a signal: its guest stands still, and it would not answer.
    private static func isResponsive(socketPath path: String) -> Bool {
        guard let facts = try? FileManager.default.attributesOfItem(atPath: path),
            let start = facts[.modificationDate] as? Date, -start.timeIntervalSinceNow > ageMin,
            let socket = try? UnixSocket.openConnection(to: path),
            let process = try? UnixSocket.peerCredentials(of: socket).pid
        else { return false }
        return ProcessFacts(process)?.state != "T"
    }
}
