// A VM that a starting agent found: taken over, and let run, or held, as its ledger says.

import API
import Host
import Logging
import Model
import Ownership
import VMControl

extension VirtualMachine {
    /// Takes over what was found.
    func adopt(_ found: Found, _ step: AdoptionDecision.Step) async {
        silentProcess = found.silentProcess
        warning = found.attachProblem.map {
            "its process cannot be reached (\($0)): stop it, then start it again"
        }
        if let process = found.process { take(process, found.status) }
        switch step {
        case .keep, .endAndForget: break
        case .keepAndResume: await resumeSealed()
        case .keepAsLost: isLost()
        case .hold:
            await hold()
            if case .superseded(let epoch, let host) = found.ownership {
                markSuperseded(epoch, by: host)
            } else {
                warning =
                    "the ledger of host \(context.name) does not know this VM, so nothing may run it here: save it or delete it"
            }
        case .holdAndResolve(let host):
            await hold()
            becomeUnsettled(epoch, with: host)
        }
        if case .takenOver(let epoch, let host, _) = found.ownership, warning == nil {
            markTakenOver(epoch, against: host)
        }
        await refresh()
        context.logger.info(
            "VM found again",
            metadata: ["vm": "\(name)", "state": "\(status.state.rawValue)", "epoch": "\(epoch)"])
    }

    /// This host owns it, and whoever sealed it is gone: nobody else may resume it.
    private func resumeSealed() async {
        guard let client = process?.client else { return }
        do throws(Problem) {
            try await control { () throws(VMMError) in try client.resume() }
        } catch { warning = error.detail }
    }

    /// This host owns it, and there is nothing of it.
    func isLost() {
        warning =
            "host \(context.name) owns this VM at epoch \(epoch), and nothing of it is here any more: it cannot run again; delete it"
        context.logger.error(
            "a VM is lost", metadata: ["vm": "\(name)", "id": "\(id)", "epoch": "\(epoch)"])
    }

    /// Nothing lets this host run it.
    private func hold() async {
        do throws(Problem) { try await holdStill() } catch {
            context.logger.error(
                "a VM that nothing may run here cannot be paused",
                metadata: ["vm": "\(name)", "error": "\(error.detail)"])
        }
    }
}
