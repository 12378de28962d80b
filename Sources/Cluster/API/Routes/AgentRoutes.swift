// The routes of an agent.
//
// A controller's requests carry its term in `Ferry-Term`: 400 without it, 409 `stale_term` when the agent has seen a
// higher one. Errors are application/problem+json (RFC 9457) with a stable `code`: see `Problem`.

package import Model

/// What is done to a VM with a POST and no body.
package enum VMAction: String, Hashable, Sendable, CaseIterable {
    case pause, resume, start, stop, reset

    fileprivate var summary: String {
        switch self {
        case .pause: "Pauses the vCPUs of a VM"
        case .resume: "Resumes a paused VM"
        case .start: "Boots a stopped VM again"
        case .stop: "Stops a VM"
        case .reset: "Resets a VM: it boots again with cleared memory"
        }
    }
}

package typealias AgentRoute<
    Path: PathParameter, Body: Codable & Sendable,
    Answer: Codable & Sendable
> = Route<Path, NoQuery, Body, Answer>

package enum AgentRoutes {
    package static let host = AgentRoute<NoPath, NoContent, HostInfo>(
        method: .get, path: "/v1/host", id: "showHost", tag: "host", access: .certificate,
        summary: "Shows the host and its agent",
        answer: .okAnswer(of: HostInfo.self, description: "The host."))

    package static let openAPI = Route.openAPIRoute(access: .certificate)

    package static let audit = AgentRoute<NoPath, NoContent, HostCheck>(
        method: .get, path: "/v1/audit", id: "checkConsistency", tag: "recovery",
        access: .certificate,
        summary: "Checks that the ledger of the host and its VMs are consistent",
        answer: .okAnswer(of: HostCheck.self, description: "The findings of the consistency check.")
    )

    // VMs

    package static let listVMs = AgentRoute<NoPath, NoContent, VMList>(
        method: .get, path: "/v1/vms", id: "listVMs", tag: "vms", access: .certificate,
        summary: "Lists the VMs of the host",
        answer: .okAnswer(of: VMList.self, description: "The VMs."))

    package static let createVM = AgentRoute<NoPath, CreateVM, VMInfo>(
        method: .post, path: "/v1/vms", id: "createVM", tag: "vms", access: .certificate,
        summary: "Creates a VM and starts it", body: .requiredJSON(of: CreateVM.self),
        answer: .createdAnswer(of: VMInfo.self, description: "The VM is created."),
        errors: [
            .nameTaken, .vmBusy, .invalid, .kernelUnusable, .notEnoughMemory, .vmmFailed, .noLease,
            .shuttingDown,
        ]
    ).addingAnswer(
        .okAnswer(of: VMInfo.self, description: "A VM with this id and epoch exists already."))

    package static let restoreVM = AgentRoute<NoPath, RestoreVM, VMInfo>(
        method: .post, path: "/v1/vms/restore", id: "restoreVM", tag: "vms", access: .certificate,
        summary: "Creates a VM from a saved file", body: .requiredJSON(of: RestoreVM.self),
        answer: .createdAnswer(of: VMInfo.self, description: "The VM is restored."),
        errors: [
            .nameTaken, .vmBusy, .invalid, .savedFileUnusable, .notEnoughMemory, .vmmFailed,
            .shuttingDown,
        ])

    package static let showVM = AgentRoute<VMName, NoContent, VMInfo>(
        method: .get, path: "/v1/vms/{name}", id: "showVM", tag: "vms", access: .certificate,
        summary: "Shows a VM", answer: .okAnswer(of: VMInfo.self, description: "The VM."),
        errors: [.vmNotFound])

    package static let deleteVM = Route<VMName, DeleteVMQuery, NoContent, NoContent>(
        method: .delete, path: "/v1/vms/{name}", id: "deleteVM", tag: "vms", access: .certificate,
        summary: "Stops a VM and deletes it",
        answer: .emptyAnswer(description: "The VM is deleted."),
        errors: [.vmNotFound, .vmBusy])

    package static func actionRoute(
        for action: VMAction
    ) -> AgentRoute<VMName, NoContent, VMInfo> {
        AgentRoute(
            method: .post, path: "/v1/vms/{name}/\(action.rawValue)", id: "\(action.rawValue)VM",
            tag: "vms",
            access: .certificate, summary: action.summary,
            answer: .okAnswer(of: VMInfo.self, description: "The VM."),
            errors: [
                .vmNotFound, .wrongState, .vmBusy, .kernelUnusable, .notEnoughMemory, .vmmFailed,
                .noLease,
            ])
    }

    package static let saveVM = AgentRoute<VMName, SaveVM, SavedVM>(
        method: .post, path: "/v1/vms/{name}/save", id: "saveVM", tag: "vms", access: .certificate,
        summary: "Saves a VM to a file on its host", body: .optionalJSON(of: SaveVM.self),
        answer: .okAnswer(of: SavedVM.self, description: "The VM is saved."),
        errors: [.vmNotFound, .wrongState, .vmBusy, .fileExists, .invalid, .vmmFailed])

    // The serial console

    package static let readLog = Route<VMName, LogQuery, NoContent, NoContent>(
        method: .get, path: "/v1/vms/{name}/log", id: "readLog", tag: "console",
        access: .certificate,
        summary: "Returns the end of the serial console's log",
        answer: .rawAnswer(mediaType: "text/plain", description: "The log."), errors: [.vmNotFound])

    package static let readConsole = AgentRoute<VMName, NoContent, NoContent>(
        method: .get, path: "/v1/vms/{name}/console", id: "readConsole", tag: "console",
        access: .certificate,
        summary: "Streams the output of the serial console",
        answer: .rawAnswer(
            mediaType: "application/octet-stream", description: "New output, until the VM ends."),
        errors: [.vmNotFound, .wrongState])

    package static let writeConsole = AgentRoute<VMName, NoContent, NoContent>(
        method: .post, path: "/v1/vms/{name}/console", id: "writeConsole", tag: "console",
        access: .certificate, summary: "Sends input to the serial console",
        body: .bytes(description: "At most \(Limits.consoleInputBytesMax) bytes."),
        answer: .emptyAnswer(description: "The input is sent."),
        errors: [.vmNotFound, .wrongState, .vmmFailed])
}

extension AgentRoutes {
    // Recovery

    package static let showRecovery = AgentRoute<VMReference, NoContent, RecoveryInfo>(
        method: .get, path: "/v1/vms/{name}/recovery", id: "showRecovery", tag: "recovery",
        access: .certificate,
        summary: "Shows what the host knows about the ownership of a VM, and the recovery options",
        answer: .okAnswer(of: RecoveryInfo.self, description: "The state of the VM on this host."),
        errors: [.vmNotFound])

    package static let recoverVM = AgentRoute<VMName, RecoverVM, RecoveryInfo>(
        method: .post, path: "/v1/vms/{name}/recovery", id: "recoverVM", tag: "recovery",
        access: .certificate,
        summary: "Decides the ownership of a VM (forced takeover)",
        body: .requiredJSON(of: RecoverVM.self),
        answer: .okAnswer(of: RecoveryInfo.self, description: "The decision is recorded."),
        errors: [.vmNotFound, .nothingToRecover, .vmBusy, .ledgerMovedOn, .notConfirmed])

    // Migrations

    package static let listMigrations = AgentRoute<NoPath, NoContent, MigrationList>(
        method: .get, path: "/v1/migrations", id: "listMigrations", tag: "migrations",
        access: .certificate,
        summary: "Lists migrations from this host",
        answer: .okAnswer(of: MigrationList.self, description: "The migrations."))

    package static let startMigration = AgentRoute<NoPath, StartMigration, MigrationInfo>(
        method: .post, path: "/v1/migrations", id: "startMigration", tag: "migrations",
        access: .certificate,
        summary: "Starts a migration from this host", body: .requiredJSON(of: StartMigration.self),
        answer: .acceptedAnswer(of: MigrationInfo.self, description: "The migration has started."),
        errors: [
            .vmNotFound, .wrongState, .vmBusy, .hostUnknown, .invalid, .noLease, .shuttingDown,
        ]
    ).addingAnswer(
        .okAnswer(of: MigrationInfo.self, description: "A migration with this id exists already."))

    package static let showMigration = AgentRoute<MigrationID, NoContent, MigrationInfo>(
        method: .get, path: "/v1/migrations/{id}", id: "showMigration", tag: "migrations",
        access: .certificate, summary: "Shows a migration",
        answer: .okAnswer(of: MigrationInfo.self, description: "The migration."),
        errors: [.migrationNotFound])

    package static let followMigration = AgentRoute<MigrationID, NoContent, MigrationInfo>(
        method: .get, path: "/v1/migrations/{id}/events", id: "followMigration", tag: "migrations",
        access: .certificate, summary: "Streams the progress of a migration",
        answer: .rawAnswer(
            mediaType: "application/x-ndjson",
            description: "One MigrationInfo per line, several per second, until the migration ends."
        ),
        errors: [.migrationNotFound])

    package static let cancelMigration = AgentRoute<MigrationID, NoContent, MigrationInfo>(
        method: .delete, path: "/v1/migrations/{id}", id: "cancelMigration", tag: "migrations",
        access: .certificate, summary: "Cancels a migration",
        answer: .acceptedAnswer(
            of: MigrationInfo.self, description: "The migration is asked to stop."),
        errors: [.migrationNotFound, .tooLateToCancel])

    /// Every route of an agent.
    package static let table = RouteTable(
        title: "Ferry agent",
        text:
            "The API of an agent: the VMs of one host and their migrations. Requests of a controller carry its term in `Ferry-Term`. Errors are application/problem+json with a stable `code`.",
        tags: ["host", "vms", "console", "migrations", "recovery"], server: .agent,
        routes: [
            host.description, openAPI.description, audit.description, listVMs.description,
            createVM.description, restoreVM.description, showVM.description,
            deleteVM.description, saveVM.description, readLog.description,
            readConsole.description, writeConsole.description, showRecovery.description,
            recoverVM.description, listMigrations.description, startMigration.description,
            showMigration.description, followMigration.description, cancelMigration.description,
        ] + VMAction.allCases.map { actionRoute(for: $0).description })
}
