// What is remembered of an operation beside its record, as long as this controller leads.

import Model

struct OperationProgress {
    /// Its record is newer than what the store has.
    private var isUnstored = false
    private var storedAt = Duration.zero
    private var retryAt: [VMID: Duration] = [:]
    /// Destinations that failed a VM.
    private var failedDestinations: [VMID: Set<HostName>] = [:]
    /// Since when a VM is waited for.
    private var heldSince: [VMID: Duration] = [:]
    /// Since when a source does not say that it runs the migration.
    private var unconfirmedSince: [VMID: Duration] = [:]
    private var plansInVain = 0
    /// VMs whose migration is to be cancelled.
    private var toCancel: Set<VMName> = []

    // MARK: Storing

    mutating func markChanged() { isUnstored = true }

    mutating func markStored(at now: Duration) {
        isUnstored = false
        storedAt = now
    }

    func isStoreDue(at now: Duration) -> Bool {
        isUnstored && now - storedAt >= Limits.progressStoredEvery
    }

    // MARK: Moves

    /// Its migration failed: another attempt begins after a pause, at another destination where that is allowed.
    mutating func delayAttempt(
        of vm: VMID, after attempts: Int, to destination: HostName, at now: Duration
    ) {
        let pause = Limits.attemptBackOffFirst * (1 << max(0, attempts - 1))
        retryAt[vm] = now + min(pause, Limits.attemptBackOffMax)
        failedDestinations[vm, default: []].insert(destination)
    }

    func isAttemptDelayed(for vm: VMID, at now: Duration) -> Bool {
        retryAt[vm].map { $0 > now } ?? false
    }

    func destinationsThatFailed(for vm: VMID) -> Set<HostName> { failedDestinations[vm] ?? [] }

    /// - Returns: whether it has waited too long for what should pass.
    mutating func recordHold(of vm: VMID, at now: Duration) -> Bool {
        let since = heldSince[vm] ?? now
        heldSince[vm] = since
        return now - since > Limits.holdMax
    }

    mutating func clearHold(of vm: VMID) { heldSince[vm] = nil }

    /// - Returns: for how long the source has not said that it runs the migration.
    mutating func markUnconfirmed(vm: VMID, at now: Duration) -> Duration {
        let since = unconfirmedSince[vm] ?? now
        unconfirmedSince[vm] = since
        return now - since
    }

    mutating func markConfirmed(vm: VMID) { unconfirmedSince[vm] = nil }

    mutating func requestCancel(of vm: VMName) { toCancel.insert(vm) }

    /// By name; they are handed out once.
    mutating func removeCancellations() -> [VMName] {
        defer { toCancel = [] }
        return toCancel.sorted()
    }

    /// A move of this VM is over, or its attempt is.
    mutating func clearTimers(of vm: VMID) {
        heldSince[vm] = nil
        unconfirmedSince[vm] = nil
        retryAt[vm] = nil
    }

    // MARK: New plans

    var mayPlanAgain: Bool { plansInVain < Limits.plansInVainMax }
    mutating func markPlanned() { plansInVain += 1 }
    mutating func markMoved() { plansInVain = 0 }
}
