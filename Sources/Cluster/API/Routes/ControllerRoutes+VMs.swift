// Routes of a controller: VMs, groups, scheduling, operations.

package import Model

extension ControllerRoutes {
    package static let listVMs = Route<NoPath, VMListQuery, NoContent, Page<ClusterVM>>(
        .get, "/v1/vms", id: "listVMs", tag: "vms", access: .viewer, summary: "Lists VMs by name",
        answer: .ok(Page<ClusterVM>.self, "A page of VMs."))

    package static let createVM = ControllerRoute<NoPath, CreateClusterVM, ClusterVM>(
        .post, "/v1/vms", id: "createVM", tag: "vms", access: .operator,
        summary: "Creates a VM", body: .json(CreateClusterVM.self),
        answer: .created(ClusterVM.self, "The VM is created.").withETag
            .with(header: "Location", "The path of the VM."),
        errors: [.nameTaken, .groupDiffers, .invalid, .hostUnknown, .tooMany])

    package static let showVM = ControllerRoute<VMName, NoContent, ClusterVM>(
        .get, "/v1/vms/{name}", id: "showVM", tag: "vms", access: .viewer,
        summary: "Shows a VM", answer: .ok(ClusterVM.self, "The VM.").withETag,
        errors: [.vmNotFound])

    package static let updateVM = Route<VMName, UpdateVMQuery, UpdateClusterVM, ClusterVM>(
        .patch, "/v1/vms/{name}", id: "updateVM", tag: "vms", access: .operator,
        summary: "Changes the desired state and the policy of a VM",
        body: .optional(UpdateClusterVM.self),
        answer: .ok(ClusterVM.self, "The VM.").withETag,
        errors: [.vmNotFound, .wrongState, .revisionMovedOn, .invalid])

    package static let deleteVM = ControllerRoute<VMName, NoContent, ClusterVM>(
        .delete, "/v1/vms/{name}", id: "deleteVM", tag: "vms", access: .operator,
        summary: "Stops a VM and deletes it",
        answer: .accepted(ClusterVM.self, "The deletion has started."),
        errors: [.vmNotFound, .vmBusy])

    package static let migrateVM = ControllerRoute<VMName, MigrateVM, OperationInfo>(
        .post, "/v1/vms/{name}/migrate", id: "migrateVM", tag: "vms", access: .operator,
        summary: "Migrates a VM", body: .optional(MigrateVM.self),
        answer: .accepted(OperationInfo.self, "The migration has started."),
        errors: [.vmNotFound, .wrongState, .noHostFits, .hostUnknown, .tooMany])

    package static let explainPlacement = ControllerRoute<
        NoPath, ExplainPlacement, PlacementAnswer
    >(
        .post, "/v1/placement/explain", id: "explainPlacement", tag: "scheduling",
        access: .viewer, summary: "Explains, host by host, where a VM would be placed",
        body: .json(ExplainPlacement.self),
        answer: .ok(PlacementAnswer.self, "The explanation."),
        errors: [.vmNotFound, .groupDiffers, .invalid])

    package static let listGroups = Route<NoPath, PageQuery<String>, NoContent, Page<GroupInfo>>(
        .get, "/v1/groups", id: "listGroups", tag: "vms", access: .viewer,
        summary: "Lists groups by name", answer: .ok(Page<GroupInfo>.self, "A page of groups."))

    package static let deleteGroup = ControllerRoute<GroupName, NoContent, NoContent>(
        .delete, "/v1/groups/{name}", id: "deleteGroup", tag: "vms", access: .operator,
        summary: "Deletes a group without members", answer: .noContent("The group is deleted."),
        errors: [.groupNotFound, .inUse])

    package static let showBalance = ControllerRoute<NoPath, NoContent, BalanceInfo>(
        .get, "/v1/balance", id: "showBalance", tag: "scheduling", access: .viewer,
        summary: "Shows the balancer",
        answer: .ok(BalanceInfo.self, "The balancer.").withETag)

    package static let updateBalance = ControllerRoute<NoPath, UpdateBalance, BalanceInfo>(
        .patch, "/v1/balance", id: "updateBalance", tag: "scheduling", access: .operator,
        summary: "Changes the settings of the balancer", body: .optional(UpdateBalance.self),
        answer: .ok(BalanceInfo.self, "The balancer.").withETag, errors: [.wrongState, .invalid])

    package static let planBalance = ControllerRoute<NoPath, NoContent, PlanInfo>(
        .post, "/v1/balance/plan", id: "planBalance", tag: "scheduling", access: .viewer,
        summary: "Plans the migrations that are worth their cost",
        answer: .ok(PlanInfo.self, "The plan."), errors: [.wrongState])

    package static let runBalance = ControllerRoute<NoPath, NoContent, OperationInfo>(
        .post, "/v1/balance/run", id: "runBalance", tag: "scheduling", access: .operator,
        summary: "Runs the migrations that are worth their cost",
        answer: .accepted(OperationInfo.self, "The operation has started."),
        errors: [.wrongState, .tooMany])

    package static let listOperations = Route<
        NoPath, OperationListQuery, NoContent, Page<OperationInfo>
    >(
        .get, "/v1/operations", id: "listOperations", tag: "operations", access: .viewer,
        summary: "Lists operations, newest first",
        answer: .ok(Page<OperationInfo>.self, "A page of operations."))

    package static let showOperation = ControllerRoute<OperationID, NoContent, OperationInfo>(
        .get, "/v1/operations/{id}", id: "showOperation", tag: "operations", access: .viewer,
        summary: "Shows an operation",
        answer: .ok(OperationInfo.self, "The operation.").withETag, errors: [.operationNotFound])

    package static let cancelOperation = ControllerRoute<OperationID, NoContent, OperationInfo>(
        .delete, "/v1/operations/{id}", id: "cancelOperation", tag: "operations",
        access: .operator, summary: "Cancels an operation",
        answer: .accepted(OperationInfo.self, "The operation ends after its running migrations."),
        errors: [.operationNotFound, .wrongState])
}
