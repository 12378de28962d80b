// Routes of a controller: hosts and maintenance.

package import Model

extension ControllerRoutes {
    package static let listHosts = Route<
        NoPath, PageQuery<HostName>, NoContent, Page<ClusterHost>
    >(
        method: .get, path: "/v1/hosts", id: "listHosts", tag: "hosts", access: .viewer,
        summary: "Lists hosts by name",
        answer: .okAnswer(of: Page<ClusterHost>.self, description: "A page of hosts."))

    package static let showHost = ControllerRoute<HostName, NoContent, ClusterHost>(
        method: .get, path: "/v1/hosts/{name}", id: "showHost", tag: "hosts", access: .viewer,
        summary: "Shows a host",
        answer: .okAnswer(of: ClusterHost.self, description: "The host.").withETag,
        errors: [.hostNotFound])

    package static let forgetHost = ControllerRoute<HostName, NoContent, NoContent>(
        method: .delete, path: "/v1/hosts/{name}", id: "forgetHost", tag: "hosts",
        access: .operator,
        summary: "Removes a host that is not active and has no VMs from the cluster",
        answer: .emptyAnswer(description: "The host is removed."),
        errors: [.hostNotFound, .wrongState])

    package static let planDrain = ControllerRoute<HostName, DrainHost, PlanInfo>(
        method: .post, path: "/v1/hosts/{name}/drain/plan", id: "planDrain", tag: "hosts",
        access: .viewer,
        summary: "Plans a drain of a host without starting it",
        body: .optionalJSON(of: DrainHost.self),
        answer: .okAnswer(of: PlanInfo.self, description: "The plan."),
        errors: [.hostNotFound, .wrongState, .invalid])

    package static let drainHost = ControllerRoute<HostName, DrainHost, OperationInfo>(
        method: .post, path: "/v1/hosts/{name}/drain", id: "drainHost", tag: "hosts",
        access: .operator,
        summary: "Drains a host for maintenance", body: .optionalJSON(of: DrainHost.self),
        answer: .acceptedAnswer(of: OperationInfo.self, description: "The drain has started."),
        errors: [.hostNotFound, .wrongState, .invalid, .tooMany])

    package static let endDrain = ControllerRoute<HostName, NoContent, ClusterHost>(
        method: .delete, path: "/v1/hosts/{name}/drain", id: "endDrain", tag: "hosts",
        access: .operator,
        summary: "Cancels the drain of a host; the host is active again",
        answer: .okAnswer(of: ClusterHost.self, description: "The host."),
        errors: [.hostNotFound, .wrongState])

    package static let activateHost = ControllerRoute<HostName, ActivateHost, ActivatedHost>(
        method: .post, path: "/v1/hosts/{name}/activate", id: "activateHost", tag: "hosts",
        access: .operator,
        summary: "Ends the maintenance of a host", body: .optionalJSON(of: ActivateHost.self),
        answer: .okAnswer(of: ClusterHost.self, description: "The host is active.").withETag,
        errors: [.hostNotFound, .wrongState, .invalid, .tooMany]
    ).addingAnswer(
        .acceptedAnswer(
            of: OperationInfo.self, description: "VMs are being migrated back to the host."))

    package static let fenceHost = ControllerRoute<HostName, FenceHost, ClusterHost>(
        method: .post, path: "/v1/hosts/{name}/fence", id: "fenceHost", tag: "hosts",
        access: .admin,
        summary: "Declares that an unreachable host is powered off",
        body: .requiredJSON(of: FenceHost.self),
        answer: .okAnswer(of: ClusterHost.self, description: "The host."),
        errors: [.hostNotFound, .wrongState, .notConfirmed])

    package static let planMaintenance = ControllerRoute<
        NoPath, PlanMaintenance, MaintenancePlanInfo
    >(
        method: .post, path: "/v1/maintenance/plan", id: "planMaintenance", tag: "scheduling",
        access: .viewer,
        summary: "Plans groups of hosts that can be drained one group after the other",
        body: .optionalJSON(of: PlanMaintenance.self),
        answer: .okAnswer(of: MaintenancePlanInfo.self, description: "The plan."),
        errors: [.wrongState, .invalid])
}
