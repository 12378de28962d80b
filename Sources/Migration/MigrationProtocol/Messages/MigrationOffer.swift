// What a source asks of a destination: this VM, built like this, in the next epoch.

package import Model

/// The first thing a source says once both know who they are. The destination accepts it or refuses it.
package struct MigrationOffer: Hashable, Sendable {
    package var migration: MigrationID
    package var vm: VMID
    /// The epoch that the source owns the VM in. The destination's would be the next.
    package var epoch: Epoch
    package var spec: VMSpec
    /// What the VM was started with: the destination must have all of it.
    package var cpuFeatures: CPUFeatures
    /// How many data streams the source will open.
    package var streams: Int
    /// The seed of the page hashes: random, so that nobody can prepare two pages with one hash.
    package var hashSeed: UInt64
    /// Everything but the handover.
    package var isRehearsal: Bool

    package init(
        migration: MigrationID, vm: VMID, epoch: Epoch, spec: VMSpec, cpuFeatures: CPUFeatures,
        streams: Int, hashSeed: UInt64, isRehearsal: Bool = false
    ) {
        self.migration = migration
        self.vm = vm
        self.epoch = epoch
        self.spec = spec
        self.cpuFeatures = cpuFeatures
        self.streams = streams
        self.hashSeed = hashSeed
        self.isRehearsal = isRehearsal
    }

    /// What arrived under `other`, which broke, can serve this offer.
    package func canContinue(from other: MigrationOffer) -> Bool {
        vm == other.vm && spec == other.spec && cpuFeatures == other.cpuFeatures
            && !isRehearsal && !other.isRehearsal
    }

    /// The versions of the peer protocol in which it can be made.
    package var versions: ClosedRange<UInt16> {
        (spec.isLeased ? Limits.versionOfLeases : Limits.versionMin)...Limits.versionMax
    }

    /// The epoch that the VM has once the destination owns it.
    package var nextEpoch: Epoch { epoch.next }
}

extension MigrationID {
    /// The name of an attempt that goes on at a destination which gave up this one.
    package var renewed: MigrationID { MigrationID(high: high, low: low &+ 1) }
}
