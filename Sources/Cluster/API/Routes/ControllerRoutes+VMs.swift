// Routes of a controller: VMs, groups, scheduling, operations.

package import Model

extension ControllerRoutes {
    package static let listVMs = Route<NoPath, VMListQuery, NoContent, Page<ClusterVM>>(
        method: .get, path: "/v1/vms", id: "listVMs", tag: "vms", access: .viewer,
        summary: "Lists VMs by name",
        answer: .okAnswer(of: Page<ClusterVM>.self, description: "A page of VMs."))

    package static let createVM = ControllerRoute<NoPath, CreateClusterVM, ClusterVM>(
        method: .post, path: "/v1/vms", id: "createVM", tag: "vms", access: .operator,
        summary: "Creates a VM", body: .requiredJSON(of: CreateClusterVM.self),
        answer: .createdAnswer(of: ClusterVM.self, description: "The VM is created.").withETag
            .addingHeader(named: "Location", description: "The path of the VM."),
        errors: [.nameTaken, .groupDiffers, .invalid, .hostUnknown, .tooMany])

    package static let showVM = ControllerRoute<VMName, NoContent, ClusterVM>(
        method: .get, path: "/v1/vms/{name}", id: "showVM", tag: "vms", access: .viewer,
        summary: "Shows a VM",
        answer: .okAnswer(of: ClusterVM.self, description: "The VM.").withETag,
        errors: [.vmNotFound])

    package static let updateVM = Route<VMName, UpdateVMQuery, UpdateClusterVM, ClusterVM>(
        method: .patch, path: "/v1/vms/{name}", id: "updateVM", tag: "vms", access: .operator,
        summary: "Changes the desired state and the policy of a VM",
        body: .optionalJSON(of: UpdateClusterVM.self),
        answer: .okAnswer(of: ClusterVM.self, description: "The VM.").withETag,
        errors: [.vmNotFound, .wrongState, .revisionMovedOn, .invalid])

    package static let deleteVM = ControllerRoute<VMName, NoContent, ClusterVM>(
        method: .delete, path: "/v1/vms/{name}", id: "deleteVM", tag: "vms", access: .operator,
        summary: "Stops a VM and deletes it",
        answer: .acceptedAnswer(of: ClusterVM.self, description: "The deletion has started."),
        errors: [.vmNotFound, .vmBusy])

    package static let migrateVM = ControllerRoute<VMName, MigrateVM, OperationInfo>(
        method: .post, path: "/v1/vms/{name}/migrate", id: "migrateVM", tag: "vms",
        access: .operator,
        summary: "Migrates a VM", body: .optionalJSON(of: MigrateVM.self),
        answer: .acceptedAnswer(of: OperationInfo.self, description: "The migration has started."),
        errors: [.vmNotFound, .wrongState, .noHostFits, .hostUnknown, .tooMany])

    package static let explainPlacement = ControllerRoute<
        NoPath, ExplainPlacement, PlacementAnswer
    >(
        method: .post, path: "/v1/placement/explain", id: "explainPlacement", tag: "scheduling",
        access: .viewer, summary: "Explains, host by host, where a VM would be placed",
        body: .requiredJSON(of: ExplainPlacement.self),
        answer: .okAnswer(of: PlacementAnswer.self, description: "The explanation."),
        errors: [.vmNotFound, .groupDiffers, .invalid])

    package static let listGroups = Route<NoPath, PageQuery<String>, NoContent, Page<GroupInfo>>(
        method: .get, path: "/v1/groups", id: "listGroups", tag: "vms", access: .viewer,
        summary: "Lists groups by name",
        answer: .okAnswer(of: Page<GroupInfo>.self, description: "A page of groups."))

    package static let deleteGroup = ControllerRoute<GroupName, NoContent, NoContent>(
        method: .delete, path: "/v1/groups/{name}", id: "deleteGroup", tag: "vms",
        access: .operator,
        summary: "Deletes a group without members",
        answer: .emptyAnswer(description: "The group is deleted."),
        errors: [.groupNotFound, .inUse])

    package static let showBalance = ControllerRoute<NoPath, NoContent, BalanceInfo>(
        method: .get, path: "/v1/balance", id: "showBalance", tag: "scheduling", access: .viewer,
        summary: "Shows the balancer",
        answer: .okAnswer(of: BalanceInfo.self, description: "The balancer.").withETag)

    package static let updateBalance = ControllerRoute<NoPath, UpdateBalance, BalanceInfo>(
        method: .patch, path: "/v1/balance", id: "updateBalance", tag: "scheduling",
        access: .operator,
        summary: "Changes the settings of the balancer",
        body: .optionalJSON(of: UpdateBalance.self),
        answer: .okAnswer(of: BalanceInfo.self, description: "The balancer.").withETag,
        errors: [.wrongState, .invalid])

    package static let planBalance = ControllerRoute<NoPath, NoContent, PlanInfo>(
        method: .post, path: "/v1/balance/plan", id: "planBalance", tag: "scheduling",
        access: .viewer,
        summary: "Plans the migrations that are worth their cost",
        answer: .okAnswer(of: PlanInfo.self, description: "The plan."), errors: [.wrongState])

    package static let runBalance = ControllerRoute<NoPath, NoContent, OperationInfo>(
        method: .post, path: "/v1/balance/run", id: "runBalance", tag: "scheduling",
        access: .operator,
        summary: "Runs the migrations that are worth their cost",
        answer: .acceptedAnswer(of: OperationInfo.self, description: "The operation has started."),
        errors: [.wrongState, .tooMany])

    package static let listOperations = Route<
        NoPath, OperationListQuery, NoContent, Page<OperationInfo>
    >(
        method: .get, path: "/v1/operations", id: "listOperations", tag: "operations",
        access: .viewer,
        summary: "Lists operations, newest first",
        answer: .okAnswer(of: Page<OperationInfo>.self, description: "A page of operations."))

    package static let showOperation = ControllerRoute<OperationID, NoContent, OperationInfo>(
        method: .get, path: "/v1/operations/{id}", id: "showOperation", tag: "operations",
        access: .viewer,
        summary: "Shows an operation",
        answer: .okAnswer(of: OperationInfo.self, description: "The operation.").withETag,
        errors: [.operationNotFound])

    package static let cancelOperation = ControllerRoute<OperationID, NoContent, OperationInfo>(
        method: .delete, path: "/v1/operations/{id}", id: "cancelOperation", tag: "operations",
        access: .operator, summary: "Cancels an operation",
        answer: .acceptedAnswer(
            of: OperationInfo.self, description: "The operation ends after its running migrations."),
        errors: [.operationNotFound, .wrongState])
}
