// Waits until a VM is where its owner wants it, and says why it does not get there.

import API
import Clients
import Host
import Model

struct VMWait {
    enum Goal {
        case running, stopped, gone
    }

    private static let poll = Duration.milliseconds(200)
    /// A VM may be without a host, or failed, for a moment before it is started.
    private static let patience = Duration.seconds(5)
    private static let limit = Duration.seconds(120)

    let controller: ControllerClient
    let name: VMName
    /// Reasons are told as they come.
    let isQuiet: Bool

    /// The VM at its goal; nil when it is gone, as was wanted.
    @discardableResult
    func waitForGoal(_ goal: Goal) async throws -> ClusterVM? {
        let end = Instant.now + Self.limit
        var troubledSince: Instant?
        var told: String?
        while true {
            guard let vm = try await fetchCurrentVM() else {
                if goal == .gone { return nil }
                throw CommandFailure(
                    .notFound, code: "vm_not_found", message: "VM \(name) was deleted meanwhile")
            }
            if goal.isReached(by: vm) { return vm }
            let now = Instant.now
            if goal.isBlocked(by: vm) {
                if let reason = vm.reason, reason != told, !isQuiet {
                    printErrorLine("\(name) is \(vm.state.rawValue): \(reason)")
                    told = reason
                }
                let since = troubledSince ?? now
                troubledSince = since
                if now - since > Self.patience { throw waitFailure(for: vm) }
            } else {
                troubledSince = nil
            }
            if now > end { throw waitFailure(for: vm) }
            try await Task.sleep(for: Self.poll)
        }
    }

    private func fetchCurrentVM() async throws -> ClusterVM? {
        do throws(ClientError) { return try await controller.readClusterVM(named: name) } catch {
            guard case .problem(let problem, _) = error, problem.status == 404 else { throw error }
            return nil
        }
    }

    private func waitFailure(for vm: ClusterVM) -> CommandFailure {
        let why = vm.reason.map { ": \($0)" } ?? ""
        switch vm.state {
        case .pending:
            return CommandFailure(
                .refused, code: "pending",
                message:
                    "\(name) has no host yet\(why); it starts when one can take it (`ferry place --explain \(name)` has every host's reason, `ferry vm delete \(name)` ends the wait)"
            )
        case .failed:
            return CommandFailure(.failed, code: "vm_failed", message: "\(name) failed\(why)")
        default:
            return CommandFailure(
                .failed, code: "not_in_time", message: "\(name) is still \(vm.state.rawValue)\(why)"
            )
        }
    }
}

extension VMWait.Goal {
    func isReached(by vm: ClusterVM) -> Bool {
        switch self {
        case .running: vm.state == .running || vm.state == .migrating || vm.state == .paused
        case .stopped:
            vm.state == .stopped || (vm.policy.desired == .stopped && vm.state == .failed)
        case .gone: false
        }
    }

    /// It will not get there by itself, as far as one look tells.
    func isBlocked(by vm: ClusterVM) -> Bool {
        switch vm.state {
        case .pending: vm.reason != nil && self == .running
        case .failed: self == .running
        case .unknown: true
        default: false
        }
    }
}
