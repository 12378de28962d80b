// A refusal with its reason, as one side sends it to the other side and on to the user.

/// Why a peer does not take part in a migration, or stops taking part. The VM is unchanged.
package struct MigrationRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: UInt16, Hashable, Sendable, CaseIterable {
        /// There is no common protocol version. Details: the versions.
        case versionMismatch = 1
        /// A message that cannot be decoded, or that is not expected in this state.
        case protocolViolation = 2
        /// The peer's certificate does not permit the request.
        case notAllowed = 3
        /// The VM needs CPU features that this host lacks. Details: their names.
        case cpuFeaturesMissing = 4
        /// Not enough memory for the guest. Details: the needed and the free memory.
        case notEnoughMemory = 5
        /// Another VM has this name.
        case nameExists = 6
        /// This VM is already here, or its ledger does not permit this host to take it now.
        case vmExists = 7
        /// The host already runs as many migrations as its limit allows.
        case busy = 8
        /// This host accepts no VMs: it is draining or in maintenance.
        case notAccepting = 9
        /// The VM as specified cannot be built here.
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
        /// The other side failed; its message contains the reason.
        case gaveUp = 17
        /// The other side was silent for too long.
        case timedOut = 18
    }

    package var code: Code
    /// One sentence for users.
    package var text: String
    /// What was missing or wrong, one item each.
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
