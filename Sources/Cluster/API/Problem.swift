// What the API says when it does not do what it was asked: RFC 9457, application/problem+json.

/// An error's body. `code` is stable and for programs; `detail` says to people what is wrong and what to do.
package struct Problem: Error, Hashable, Sendable, Codable {
    /// Stable identifiers of what went wrong. New ones may come; a client treats unknown ones by status.
    package enum Code: String, Hashable, Sendable, CaseIterable {
        case badRequest = "bad_request"
        case forbidden
        case notFound = "not_found"
        case vmNotFound = "vm_not_found"
        case migrationNotFound = "migration_not_found"
        case hostUnknown = "host_unknown"
        case nameTaken = "name_taken"
        case wrongState = "wrong_state"
        case vmBusy = "vm_busy"
        case tooLateToCancel = "too_late_to_cancel"
        case fileExists = "file_exists"
        case nothingToRecover = "nothing_to_rule"
        case ledgerMovedOn = "ledger_moved_on"
        case notConfirmed = "not_confirmed"
        case bodyTooLarge = "body_too_large"
        case invalid
        case kernelUnusable = "kernel_unusable"
        case savedFileUnusable = "saved_file_unusable"
        case notEnoughMemory = "not_enough_memory"
        case vmmFailed = "vmm_failed"
        case shuttingDown = "shutting_down"
        case unauthorized
        case methodNotAllowed = "method_not_allowed"
        case hostNotFound = "host_not_found"
        case operationNotFound = "operation_not_found"
        case groupNotFound = "group_not_found"
        case tokenNotFound = "token_not_found"
        case revisionMovedOn = "revision_moved_on"
        case groupDiffers = "group_differs"
        case noHostFits = "no_host_fits"
        case inUse = "in_use"
        case notLeader = "not_leader"
        case staleTerm = "stale_term"
        case noLease = "no_lease"
        case storeUnavailable = "store_unavailable"
        case tooMany = "too_many"
        case internalError = "internal_error"

        package var status: Int {
            switch self {
            case .badRequest: 400
            case .unauthorized: 401
            case .forbidden: 403
            case .notFound, .vmNotFound, .migrationNotFound, .hostNotFound, .operationNotFound,
                .groupNotFound, .tokenNotFound:
                404
            case .methodNotAllowed: 405
            case .nameTaken, .wrongState, .vmBusy, .tooLateToCancel, .fileExists, .nothingToRecover,
                .groupDiffers, .noHostFits, .inUse, .staleTerm:
                409
            case .ledgerMovedOn, .revisionMovedOn: 412
            case .bodyTooLarge: 413
            case .invalid, .hostUnknown, .kernelUnusable, .savedFileUnusable, .notConfirmed: 422
            case .internalError, .vmmFailed: 500
            case .tooMany: 429
            case .shuttingDown, .notLeader, .storeUnavailable, .noLease: 503
            case .notEnoughMemory: 507
            }
        }

        package var title: String {
            switch self {
            case .badRequest: "The request cannot be read"
            case .forbidden: "This certificate may not do this"
            case .notFound: "There is nothing at this path"
            case .vmNotFound: "This host has no such VM"
            case .migrationNotFound: "This host knows no such migration"
            case .hostUnknown: "No such host in the cluster"
            case .nameTaken: "The name is taken"
            case .wrongState: "Not possible in the VM's state"
            case .vmBusy: "The VM is busy"
            case .tooLateToCancel: "The migration can no longer be cancelled"
            case .fileExists: "The file exists"
            case .nothingToRecover: "The VM needs no recovery decision"
            case .ledgerMovedOn: "The ledger has changed"
            case .notConfirmed: "The action is not safe and was not confirmed"
            case .bodyTooLarge: "The request's body is too large"
            case .invalid: "The request contains an invalid value"
            case .kernelUnusable: "The kernel cannot be used"
            case .savedFileUnusable: "The saved VM cannot be used"
            case .notEnoughMemory: "The host does not have enough memory"
            case .vmmFailed: "The VM's process failed"
            case .shuttingDown: "The program is shutting down"
            case .unauthorized: "The certificate or token is not known"
            case .methodNotAllowed: "This path does not support this method"
            case .hostNotFound: "The cluster has no such host"
            case .operationNotFound: "The cluster knows no such operation"
            case .groupNotFound: "The cluster has no such group"
            case .tokenNotFound: "The cluster has no such token"
            case .revisionMovedOn: "The resource has changed"
            case .groupDiffers: "A group of this name has other settings"
            case .noHostFits: "No host has room for the VM"
            case .inUse: "The resource is still in use"
            case .notLeader: "This controller is not the leader"
            case .staleTerm: "The agent follows a newer leader"
            case .noLease: "The host has no lease from a controller"
            case .storeUnavailable: "The controller's store does not answer"
            case .tooMany: "Too many requests at once"
            case .internalError: "An internal error occurred"
            }
        }
    }

    package static let mediaType = "application/problem+json"

    package var type: String
    package var title: String
    package var status: Int
    package var code: String
    package var detail: String

    package init(_ code: Code, detail: String) {
        type = "about:blank"
        title = code.title
        status = code.status
        self.code = code.rawValue
        self.detail = detail
    }

    /// Nil when it is from a newer agent and not known here.
    package var knownCode: Code? { Code(rawValue: code) }
}
