// One migration away from this host, from its thread's start to the end of its post-migration verification.

import API
import Host
import Logging
import Migration
import Model
import Ownership

extension OutgoingMigrations {
    typealias Outcome = Result<MigrationReport, MigrationFailure>

    func runMigration(_ migration: SourceMigration, of vm: VirtualMachine) {
        context.logger.info(
            "migration out", metadata: ["vm": "\(vm.name)", "migration": "\(migration.id)"])
        startThread(named: "mig-\(vm.name)") {
            let outcome: Outcome
            do throws(MigrationFailure) {
                outcome = .success(try migration.runToCompletion())
            } catch {
                outcome = .failure(error)
            }
            let progress = ProgressInfo(migration.progress)
            waitForTask {
                await self.finishMigration(migration, of: vm, result: outcome, progress: progress)
            }
            guard case .success(let report) = outcome, report.verification.state == .running else {
                return
            }
            let verification = migration.verifyMemory()
            waitForTask {
                await self.finishVerification(withID: migration.id, of: vm, result: verification)
            }
        }
    }

    private func finishMigration(
        _ migration: SourceMigration, of vm: VirtualMachine, result outcome: Outcome,
        progress: ProgressInfo
    ) async {
        let id = migration.id
        // First the VM, then the history: a client that reads that the migration is over finds the VM accordingly.
        switch outcome {
        case .success(let report) where report.rehearsal != nil: await vm.abandonMigration()
        case .success(let report):
            await removeMigratedVM(
                vm, verifiedBy: report.verification.state == .running ? migration : nil)
        case .failure(let failure): await vm.recordMigrationFailure(failure)
        }
        await history.updateMigration(withID: id) {
            $0.progress = progress
            $0.recordOutcome(outcome)
        }
        table.removeMigration(withID: id)
        logOutcome(outcome, ofMigration: id)
        resolver.resolveHandover(of: vm)
    }

    /// The VM runs on the destination. Its process and folder here are removed, unless the ledger could not record the
    /// handover: then the copy here stays paused until the ledger can.
    /// - Parameter migration: that verifies the memory before the removal.
    private func removeMigratedVM(
        _ vm: VirtualMachine, verifiedBy migration: SourceMigration?
    ) async {
        if case .released(let epoch, let host, _) = context.ledger.ownership(of: vm.id) {
            await vm.recordUnwrittenHandover(to: host, at: epoch)
        } else if let migration {
            table.beginVerification(of: migration)
            await inventory.beginDeparture(of: vm) { migration.stopVerification() }
        } else {
            await vm.completeHandover()
            await inventory.unregisterVM(vm)
        }
    }

    /// The process and the folder are removed now, whatever the verification found: the VM has run on the destination
    /// since, so nothing that is kept here could repair it. The report names the pages.
    private func finishVerification(
        withID id: MigrationID, of vm: VirtualMachine, result: MemoryVerification
    ) async {
        if table.isVerifyingMigration(withID: id) {
            await vm.completeHandover()
            await inventory.endDeparture(of: vm)
        }
        await history.updateMigration(withID: id) { $0.report?.audit = VerificationInfo(result) }
        logVerification(result: result, of: vm, migration: id)
        table.endVerification(withID: id)
    }

    private func logVerification(
        result: MemoryVerification, of vm: VirtualMachine, migration id: MigrationID
    ) {
        var facts: Logger.Metadata = [
            "vm": "\(vm.name)", "migration": "\(id)", "state": "\(result.state.rawValue)",
            "pages": "\(result.pages)", "durationMs": "\(result.duration.milliseconds)",
        ]
        guard result.state == .differs else {
            return context.logger.info("post-migration verification ended", metadata: facts)
        }
        facts["code"] = "memory_audit_differs"
        facts["differing"] = "\(result.differing)"
        facts["differingPages"] =
            "\(result.differingPages.map(String.init).joined(separator: " "))"
        context.logger.error(
            "pages changed after they were last sent: the destination runs the VM with old copies of them",
            metadata: facts)
    }

    private func logOutcome(_ outcome: Outcome, ofMigration id: MigrationID) {
        switch outcome {
        case .success(let report):
            context.logger.info(
                "migration out ended",
                metadata: [
                    "migration": "\(id)", "totalMs": "\(report.total.milliseconds)",
                    "downtimeMs": "\(report.downtime.milliseconds)",
                    "wireBytes": "\(report.wireBytes)",
                ])
        case .failure(let failure):
            let info = FailureInfo(failure)
            context.logger.warning(
                "migration out failed",
                metadata: [
                    "migration": "\(id)", "code": "\(info.code)",
                    "phase": "\(failure.phase.rawValue)", "failure": "\(info.message)",
                ])
        }
    }
}
