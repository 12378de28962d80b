// An operation that keeps a VM busy.

import Model

enum VMActivity: Hashable, Sendable, CustomStringConvertible {
    case starting, stopping, pausing, resuming, resetting, saving, deleting
    case migrating(to: HostName)
    case arriving(from: HostName)
    /// An operator's or a controller's recovery action.
    case recovering
    /// Another host took the VM over by force.
    case superseding

    var description: String {
        switch self {
        case .starting: "starting"
        case .stopping: "stopping"
        case .pausing: "pausing"
        case .resuming: "resuming"
        case .resetting: "being reset"
        case .saving: "being saved"
        case .deleting: "being deleted"
        case .migrating(let host): "migrating to \(host)"
        case .arriving(let host): "arriving from \(host)"
        case .recovering: "being recovered"
        case .superseding: "being superseded"
        }
    }
}
