// A VM that a starting agent found: it is adopted, and runs or stays paused as the ledger says.

import API
import Host
import Logging
import Model
import Ownership
import VMControl

extension VirtualMachine {
    func adoptRemains(of discovered: DiscoveredVM, decision step: AdoptionDecision.Step) async {
        switch discovered.process {
        case .none: break
        case .attached(let process): attachProcess(process, status: discovered.status)
        case .unreachable(let handle, let reason):
            guest.markUnreachable(process: handle, reason: reason)
        }
        switch step {
        case .keep, .endAndForget: break
        case .keepAndResume: await resumeSealedGuest()
        case .keepAsLost: markAsLost()
        case .hold:
            await holdAfterRestart()
            if case .superseded(let epoch, let host) = discovered.ownership {
                ownership.changeCondition(to: .superseded(by: host), at: epoch)
            } else {
                ownership.changeCondition(to: .notInLedger)
            }
        case .holdAndResolve(let host):
            await holdAfterRestart()
            ownership.changeCondition(to: .unresolvedHandover(to: host))
        }
        if case .takenOver(let epoch, let host, _) = discovered.ownership,
            ownership.condition == .resolved
        {
            ownership.changeCondition(to: .unacknowledgedTakeover(from: host), at: epoch)
        }
        await refreshStatus()
        context.logger.info(
            "VM found again",
            metadata: [
                "vm": "\(name)", "state": "\(guest.status.state.rawValue)", "epoch": "\(epoch)",
            ])
    }

    /// This host owns the VM, and the connection that sealed it is gone: only this agent can resume it.
    private func resumeSealedGuest() async {
        guard let client = guest.process?.client else { return }
        do throws(Problem) { try await resumeGuest(through: client) } catch {
            guest.recordResumeFailure(.afterAgentRestart(error.detail))
        }
    }

    /// This host owns the VM, and neither its folder nor its process exists.
    func markAsLost() {
        ownership.changeCondition(to: .lost)
        context.logger.error(
            "a VM is lost", metadata: ["vm": "\(name)", "id": "\(id)", "epoch": "\(epoch)"])
    }

    private func holdAfterRestart() async {
        do throws(Problem) { try await holdGuest() } catch {
            context.logger.error(
                "a VM that nothing may run here cannot be paused",
                metadata: ["vm": "\(name)", "error": "\(error.detail)"])
        }
    }
}
