// What happened in the cluster, for the log.

import API
import ClusterCore
import Logging
import Model

extension ClusterLogEvent {
    var level: Logger.Level {
        switch self {
        case .placed: .debug
        case .migrationEnded, .hostChanged, .vmRestarted, .operationEnded: .info
        case .notPlaced, .commandFailed: .notice
        }
    }

    var sentence: String {
        switch self {
        case .migrationEnded(let migration, _):
            "migration of \(migration.vm) from \(migration.source) to \(migration.destination) ended: \(migration.state.rawValue)"
        case .placed(let vm, let host): "\(vm) is to start on \(host)"
        case .notPlaced(let vm, let why): "no host for \(vm): \(why)"
        case .hostChanged(let host, let state): "host \(host) is \(state.rawValue)"
        case .vmRestarted(let vm, let host, let why): "\(vm) is started again on \(host): \(why)"
        case .commandFailed(let vm, let host, let why):
            "a command for \(vm) to \(host) came to nothing: \(why)"
        case .operationEnded(let operation):
            "operation \(operation.id) (\(operation.kind.rawValue)) ended: \(operation.state.rawValue)"
        }
    }
}
