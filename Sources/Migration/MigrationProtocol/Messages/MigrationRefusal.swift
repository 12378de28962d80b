// One side's "no", in its own words, as it travels to the other side and on to the user.

/// Why a peer does not take part in a migration, or stops taking part. Nothing happened to the VM by it.
package struct MigrationRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: UInt16, Hashable, Sendable, CaseIterable {
        /// No version of the protocol that both speak. Details: the versions.
        case versionMismatch = 1
        /// A message that cannot be read, or not at this moment.
        case protocolViolation = 2
        /// The peer's certificate does not allow what it asked for.
        case notAllowed = 3
        /// The VM needs CPU features that this host lacks. Details: their names.
        case cpuFeaturesMissing = 4
        /// Not enough memory for the guest. Details: what is needed, what is free.
        case notEnoughMemory = 5
        /// Another VM has this name.
        case nameExists = 6
        /// This VM is here already, or its ledger says that this host must not take it now.
        case vmExists = 7
        /// As many migrations as this host takes at a time.
        case busy = 8
        /// This host takes no VMs: draining, in maintenance.
        case notAccepting = 9
        /// The VM as described cannot be built here.
        case badSpec = 10
        /// The hashes of the memory differ: what arrived is not what was sent.
        case memoryDiffers = 11
        /// The state of vCPUs and devices cannot be loaded. Details: which part and why.
        case badState = 12
        /// A call to the guest's process failed.
        case guestFailure = 13
        /// The ledger cannot be written.
        case ledgerFailure = 14
        /// The host failed in another way.
        case hostFailure = 15
        /// The other side cancelled.
        case cancelled = 16
        /// The other side gave up; its words say why.
        case gaveUp = 17
        /// The other side was silent for too long.
        case timedOut = 18
    }

    package var code: Code
    /// One sentence for people.
    package var text: String
    /// What was missing or wrong, item by item.
    package var details: [String]

    package init(_ code: Code, text: String, details: [String] = []) {
        self.code = code
        self.text = text
        self.details = details
    }

    package var description: String {
        details.isEmpty ? text : "\(text) (\(details.joined(separator: ", ")))"
    }
}
