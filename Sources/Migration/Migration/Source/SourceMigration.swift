// One migration at its source: the agent creates it, runs it on a thread, watches it and may cancel it.

import Host
import MigrationProtocol
package import Model
import Ownership
package import PeerLink
import Synchronization

/// Why a migration can no longer be cancelled.
package enum CancelRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// The VM was released to the destination and may already run there.
    case released
    case ended

    package var description: String {
        switch self {
        case .released:
            "the migration cannot be cancelled: the VM has been released to the destination"
        case .ended: "the migration has ended"
        }
    }
}

/// Migrates a VM away. Create one, and call `runToCompletion` once on a thread that may block.
package final class SourceMigration: Sendable {
    package let id: MigrationID

    private let vm: VMID
    private let epoch: Epoch
    private let guest: any SourceGuest
    private let destination: PeerAddress
    private let runtime: any MigrationRuntime
    private let ledger: any OwnershipLedger
    private let options: MigrationOptions
    private let watch: MigrationWatch
    private let verifier = Mutex<MemoryVerifier?>(nil)
    private let isVerificationStopped = Atomic<Bool>(false)

    /// - Parameter epoch: the epoch in which this host owns the VM according to `ledger`.
    package convenience init(
        id: MigrationID = .random(), vm: VMID, epoch: Epoch, guest: any SourceGuest,
        to destination: PeerAddress, keys: PeerKeys, ledger: any OwnershipLedger,
        options: MigrationOptions = MigrationOptions()
    ) {
        self.init(
            id: id, vm: vm, epoch: epoch, guest: guest, to: destination, ledger: ledger,
            options: options, runtime: SystemRuntime(keys: keys))
    }

    package init(
        id: MigrationID, vm: VMID, epoch: Epoch, guest: any SourceGuest,
        to destination: PeerAddress, ledger: any OwnershipLedger, options: MigrationOptions,
        runtime: any MigrationRuntime
    ) {
        self.id = id
        self.vm = vm
        self.epoch = epoch
        self.guest = guest
        self.destination = destination
        self.runtime = runtime
        self.ledger = ledger
        self.options = options
        watch = MigrationWatch(memoryBytes: guest.layout.memory.bytes)
    }

    /// Returns with the VM running at the destination and `handedOver` in the ledger: the caller then ends the source's
    /// process, after `verifyMemory` if the report says that a verification is due. A rehearsal returns with the VM
    /// running here, as before. Throws with what `MigrationFailure.aftermath` says. Call once.
    package func runToCompletion() throws(MigrationFailure) -> MigrationReport {
        defer { watch.endMigration() }
        let stop: any WakeFlag
        let news: any WakeFlag
        do {
            stop = try runtime.makeWakeFlag()
            news = try runtime.makeWakeFlag()
        } catch {
            throw MigrationFailure(
                phase: .connect, reason: .link(.system(error)), aftermath: .runsAtSource(epoch))
        }
        watch.beginMigration(stop: stop, news: news)
        let driver = SourceDriver(
            offer: MigrationOffer(
                migration: id, vm: vm, epoch: epoch, spec: guest.spec,
                cpuFeatures: guest.cpuFeatures,
                streams: max(1, min(options.streams, Limits.streamsMax)),
                hashSeed: runtime.randomWord(), isRehearsal: options.isRehearsal),
            guest: guest, destination: destination, ledger: ledger, options: options,
            watch: watch, runtime: runtime, stop: stop, news: news)
        var report = try driver.runToCompletion()
        if let verifier = driver.makeVerifier() {
            self.verifier.withLock { $0 = verifier }
            report.verification = MemoryVerification(.running)
        }
        return report
    }

    /// Verifies the memory of the VM that has left, on the calling thread, whose priority is lowered from now on. Call
    /// it after `runToCompletion` has returned and before the source's process ends.
    package func verifyMemory() -> MemoryVerification {
        guard let verifier = verifier.withLock({ $0.take() }) else {
            return MemoryVerification(.off)
        }
        runtime.lowerPriority(nice: Limits.verificationNice)
        return verifier.verifyMemory { isVerificationStopped.load(ordering: .acquiring) }
    }

    /// Ends `verifyMemory` soon, or before it begins. Any thread may call.
    package func stopVerification() { isVerificationStopped.store(true, ordering: .releasing) }

    /// Any thread may call, at any time.
    package var progress: MigrationProgress { watch.progress }

    /// Ends the migration soon; `runToCompletion` then throws `.cancelled` with the VM running at the source.
    package func requestCancellation() throws(CancelRefusal) { try watch.requestCancellation() }
}
