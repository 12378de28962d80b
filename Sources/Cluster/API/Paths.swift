// The API's paths, once for server and client.
//
//   GET    /v1/host                          HostInfo
//   GET    /v1/vms                           VMList
//   POST   /v1/vms                           CreateVM -> 201 VMInfo; 200 when its id and epoch are those of a VM here
//   POST   /v1/vms/restore                   RestoreVM -> 201 VMInfo
//   GET    /v1/vms/NAME                      VMInfo
//   DELETE /v1/vms/NAME?id=ID                204; ends the VM and forgets it, if it has this id where one is given
//   POST   /v1/vms/NAME/pause resume start stop reset    VMInfo
//   POST   /v1/vms/NAME/save                 SaveVM -> SavedVM
//   GET    /v1/vms/NAME/log?tail=BYTES       text, the end of the serial console's log
//   GET    /v1/vms/NAME/console              bytes as they come, from now on, until the VM ends
//   POST   /v1/vms/NAME/console              bytes for the guest's serial console -> 204
//   GET    /v1/vms/NAME-OR-ID/recovery       RecoveryInfo
//   POST   /v1/vms/NAME/recovery             RuleOnVM -> RecoveryInfo; 412 when the ledger moved on
//   GET    /v1/audit                         HostCheck
//   GET    /v1/migrations                    MigrationList
//   POST   /v1/migrations                    StartMigration -> 202 MigrationInfo; 200 when its id is one of them
//   GET    /v1/migrations/ID                 MigrationInfo
//   GET    /v1/migrations/ID/events          MigrationInfo, one JSON text a line, several a second, to its end
//   DELETE /v1/migrations/ID                 202 MigrationInfo; asks it to stop, 409 past the handover
//
// A controller's requests carry its term in `Ferry-Term`: 400 without, 409 `stale_term` when a higher one was heard.
// Errors are application/problem+json (RFC 9457) with a stable `code`: see Problem.

package import Model

/// What is done to a VM with a POST and no body.
package enum VMAction: String, Hashable, Sendable, CaseIterable {
    case pause, resume, start, stop, reset
}

package enum Paths {
    package static let host = "/v1/host"
    package static let vms = "/v1/vms"
    package static let restore = "/v1/vms/restore"
    package static let migrations = "/v1/migrations"
    package static let audit = "/v1/audit"

    package static func vm(_ name: VMName) -> String { "\(vms)/\(name)" }
    package static func vm(_ name: VMName, id: VMID) -> String { "\(vm(name))?id=\(id)" }
    package static func action(_ action: VMAction, on name: VMName) -> String {
        "\(vms)/\(name)/\(action.rawValue)"
    }
    package static func save(_ name: VMName) -> String { "\(vms)/\(name)/save" }
    package static func log(_ name: VMName) -> String { "\(vms)/\(name)/log" }
    package static func console(_ name: VMName) -> String { "\(vms)/\(name)/console" }
    package static func recovery(_ name: VMName) -> String { "\(vms)/\(name)/recovery" }
    package static func recovery(_ id: VMID) -> String { "\(vms)/\(id)/recovery" }
    package static func migration(_ id: MigrationID) -> String { "\(migrations)/\(id)" }
    package static func migrationEvents(_ id: MigrationID) -> String {
        "\(migrations)/\(id)/events"
    }
}
