// Routes of a controller: hosts and maintenance.

package import Model

extension ControllerRoutes {
    package static let listHosts = Route<
        NoPath, PageQuery<HostName>, NoContent, Page<ClusterHost>
    >(
        .get, "/v1/hosts", id: "listHosts", tag: "hosts", access: .viewer,
        summary: "Lists hosts by name", answer: .ok(Page<ClusterHost>.self, "A page of hosts."))

    package static let showHost = ControllerRoute<HostName, NoContent, ClusterHost>(
        .get, "/v1/hosts/{name}", id: "showHost", tag: "hosts", access: .viewer,
        summary: "Shows a host", answer: .ok(ClusterHost.self, "The host.").withETag,
        errors: [.hostNotFound])

    package static let forgetHost = ControllerRoute<HostName, NoContent, NoContent>(
        .delete, "/v1/hosts/{name}", id: "forgetHost", tag: "hosts", access: .operator,
        summary: "Removes a host that is not active and has no VMs from the cluster",
        answer: .noContent("The host is removed."), errors: [.hostNotFound, .wrongState])

    package static let planDrain = ControllerRoute<HostName, DrainHost, PlanInfo>(
        .post, "/v1/hosts/{name}/drain/plan", id: "planDrain", tag: "hosts", access: .viewer,
        summary: "Plans a drain of a host without starting it", body: .optional(DrainHost.self),
        answer: .ok(PlanInfo.self, "The plan."), errors: [.hostNotFound, .wrongState, .invalid])

    package static let drainHost = ControllerRoute<HostName, DrainHost, OperationInfo>(
        .post, "/v1/hosts/{name}/drain", id: "drainHost", tag: "hosts", access: .operator,
        summary: "Drains a host for maintenance", body: .optional(DrainHost.self),
        answer: .accepted(OperationInfo.self, "The drain has started."),
        errors: [.hostNotFound, .wrongState, .invalid, .tooMany])

    package static let endDrain = ControllerRoute<HostName, NoContent, ClusterHost>(
        .delete, "/v1/hosts/{name}/drain", id: "endDrain", tag: "hosts", access: .operator,
        summary: "Cancels the drain of a host; the host is active again",
        answer: .ok(ClusterHost.self, "The host."), errors: [.hostNotFound, .wrongState])

    package static let activateHost = ControllerRoute<HostName, ActivateHost, ActivatedHost>(
        .post, "/v1/hosts/{name}/activate", id: "activateHost", tag: "hosts", access: .operator,
        summary: "Ends the maintenance of a host", body: .optional(ActivateHost.self),
        answer: .ok(ClusterHost.self, "The host is active.").withETag,
        errors: [.hostNotFound, .wrongState, .invalid, .tooMany]
    ).answering(or: .accepted(OperationInfo.self, "VMs are being migrated back to the host."))

    package static let fenceHost = ControllerRoute<HostName, FenceHost, ClusterHost>(
        .post, "/v1/hosts/{name}/fence", id: "fenceHost", tag: "hosts", access: .admin,
        summary: "Declares that an unreachable host is powered off", body: .json(FenceHost.self),
        answer: .ok(ClusterHost.self, "The host."),
        errors: [.hostNotFound, .wrongState, .notConfirmed])

    package static let planMaintenance = ControllerRoute<
        NoPath, PlanMaintenance, MaintenancePlanInfo
    >(
        .post, "/v1/maintenance/plan", id: "planMaintenance", tag: "scheduling", access: .viewer,
        summary: "Plans groups of hosts that can be drained one group after the other",
        body: .optional(PlanMaintenance.self),
        answer: .ok(MaintenancePlanInfo.self, "The plan."), errors: [.wrongState, .invalid])
}
