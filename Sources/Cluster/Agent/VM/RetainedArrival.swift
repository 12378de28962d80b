// An arriving VM whose source is lost: what arrived is retained for a while, so that the migration can continue.

import FoundationEssentials
import Model

struct RetainedArrival: Sendable {
    let source: HostName
    let end: Date
    /// Throws away what arrived; returns false when the source is back.
    let discard: @Sendable () -> Bool
}
