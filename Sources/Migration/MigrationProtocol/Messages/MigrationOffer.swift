// The request of a source to a destination: take this VM, built like this, in the next epoch.

package import Model

/// The first message of a source after both sides are identified. The destination accepts or refuses it.
package struct MigrationOffer: Hashable, Sendable {
    package var migration: MigrationID
    package var vm: VMID
    /// The epoch in which the source owns the VM. The destination's epoch is the next one.
    package var epoch: Epoch
    package var spec: VMSpec
    /// The CPU features that the VM was started with: the destination must have all of them.
    package var cpuFeatures: CPUFeatures
    /// The number of data streams that the source will open.
    package var streams: Int
    /// The seed of the page hashes: random, so that two pages with one hash cannot be prepared.
    package var hashSeed: UInt64
    /// Everything except the handover.
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

    /// Whether memory that arrived under `other`, whose connection broke, can be used for this offer.
    package func canContinue(from other: MigrationOffer) -> Bool {
        vm == other.vm && spec == other.spec && cpuFeatures == other.cpuFeatures
            && !isRehearsal && !other.isRehearsal
    }

    /// The versions of the peer protocol in which the offer can be encoded.
    package var versions: ClosedRange<UInt16> {
        (spec.isLeased ? Limits.versionOfLeases : Limits.versionMin)...Limits.versionMax
    }

    /// The epoch of the VM once the destination owns it.
    package var nextEpoch: Epoch { epoch.next }
}

extension MigrationID {
    /// The identifier of an attempt that continues at a destination that abandoned this one.
    package var renewed: MigrationID { MigrationID(high: high, low: low &+ 1) }
}
