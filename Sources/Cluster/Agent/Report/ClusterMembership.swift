// This host as a member of a cluster with controllers: it registers, sends heartbeats, and receives the controllers' term
// and the lease of its VMs. Without controllers, or when none answers, the rest of the agent works as before.

import API
import Clients
import ClusterFile
import Host
import Logging
import Model
import Serving
import ServiceLifecycle

struct ClusterMembership: Service, CustomStringConvertible {
    let context: HostContext
    let inventory: VMInventory
    let maker: HeartbeatMaker
    let migrations: OutgoingMigrations
    let fence: TermFence
    let registration: HostRegistration
    /// Of this agent.
    let keysFolder: String

    var description: String { "membership" }

    private var controllers: [HostAddress] {
        context.cluster.controllers.map {
            HostAddress(
                cluster: context.cluster.cluster, role: .controller, name: $0.name, ip: $0.api.ip,
                port: Int($0.api.port))
        }
    }

    func run() async throws {
        guard !controllers.isEmpty else {
            // A cancellation ends the wait too.
            try? await gracefulShutdown()
            return
        }
        let control = context.cluster.control
        let range = Timing.reportTimeout
        let client = try ReportClient(
            controllers: controllers, keysFolder: keysFolder,
            timeout: min(range.upperBound, max(range.lowerBound, control.hostLease / 4)))
        await cancelWhenGracefulShutdown { await sendReports(by: client) }
        await client.shutdown()
    }

    private func sendReports(by client: ReportClient) async {
        var schedule = ReportSchedule(
            controllers: controllers.count, interval: context.cluster.control.heartbeat, now: .now)
        while !Task.isCancelled {
            let pause = schedule.due - .now
            if pause > .zero {
                if await context.news.waitForSignal(within: pause) { schedule.recordNews(at: .now) }
            } else {
                await sendDueReport(of: &schedule, by: client)
            }
        }
    }

    /// One report to one controller.
    private func sendDueReport(of schedule: inout ReportSchedule, by client: ReportClient) async {
        let controller = controllers[schedule.controller]
        let wasConnected = schedule.isConnected
        do throws(ClientError) {
            let answer =
                switch schedule.report {
                case .registration:
                    try await sendRegistration(recordingIn: &schedule, to: controller, by: client)
                case .heartbeat:
                    try await sendHeartbeat(recordingIn: &schedule, to: controller, by: client)
                }
            schedule.recordAnswer(answer, at: .now)
            if !wasConnected {
                logEvent(at: .info, text: "a controller answers this host", controller: controller)
            }
        } catch {
            schedule.recordFailure(at: .now, spread: .random(in: 0...1))
            logEvent(
                at: wasConnected ? .warning : .debug,
                text: "a controller does not answer this host",
                controller: controller, facts: ["error": "\(error)"])
        }
    }

    private func sendRegistration(
        recordingIn schedule: inout ReportSchedule, to controller: HostAddress,
        by client: ReportClient
    ) async throws(ClientError) -> HeartbeatAnswer {
        schedule.recordSending(at: .now)
        let answer = try await client.sendRegistration(
            registration, of: context.name, to: controller)
        try await acceptTerm(of: answer, from: controller)
        return answer
    }

    private func sendHeartbeat(
        recordingIn schedule: inout ReportSchedule, to controller: HostAddress,
        by client: ReportClient
    ) async throws(ClientError) -> HeartbeatAnswer {
        let (heartbeat, news) = await maker.makeHeartbeat()
        schedule.recordSending(at: .now)
        let sentAt = BootInstant.now
        let answer = try await client.sendHeartbeat(heartbeat, of: context.name, to: controller)
        try await acceptTerm(of: answer, from: controller)
        await extendLease(by: answer, from: sentAt)
        await migrations.confirmDelivery(of: news)
        return answer
    }

    /// Only answers to heartbeats contain a lease. It counts from the moment of sending; the controller counts from its
    /// answer, which is later.
    private func extendLease(by answer: HeartbeatAnswer, from sentAt: BootInstant) async {
        guard answer.leaseMs > 0 else { return }
        let lease = Duration.milliseconds(min(answer.leaseMs, Limits.leaseMsMax))
        context.lease.extend(until: sentAt + lease)
        guard let until = context.lease.until else { return }
        for vm in await inventory.sortedVMs() { Task { await vm.extendLease(until: until) } }
    }

    /// Throws for the answer of a controller that is not the leader any more: the answer does not count.
    private func acceptTerm(
        of answer: HeartbeatAnswer, from controller: HostAddress
    ) async throws(ClientError) {
        let fence = fence
        do throws(TermError) {
            try await runOnThread(named: "term") { () throws(TermError) in
                try fence.acceptTerm(answer.term)
            }
        } catch {
            switch error {
            case .stale:
                throw .problem(Problem(.staleTerm, detail: "\(error)"), host: controller.name)
            // This agent refuses lower terms all the same, until it ends.
            case .notWritten:
                logEvent(
                    at: .error, text: "a term cannot be stored", controller: controller,
                    facts: ["error": "\(error)"])
            }
        }
    }

    private func logEvent(
        at level: Logger.Level, text event: Logger.Message, controller: HostAddress,
        facts: Logger.Metadata = [:]
    ) {
        let subject: Logger.Metadata = [
            "controller": "\(controller.name)", "address": "\(controller.description)",
        ]
        context.logger.log(level: level, event, metadata: subject.merging(facts) { $1 })
    }
}

extension HostRegistration {
    /// Blocks for a moment.
    init(of context: HostContext, facts: HostFacts, agentID: Identifier128) throws {
        let (member, traits) = (context.member, context.member.traits)
        self.init(
            agentID: agentID, agentVersion: ferryVersion, apiAddress: "\(member.api)",
            peerAddress: "\(member.peer)", cores: facts.cores,
            memoryBytes: try HostMemory.readFromProc().totalBytes,
            memoryReserveBytes: context.cluster.memoryReserve.bytes,
            cpuFeatures: facts.cpuFeatures.names, labels: traits.labels, zone: traits.zone,
            rack: traits.rack, link: traits.link, linkBytesPerSecond: traits.linkBytesPerSecond,
            cpuOvercommit: traits.cpuOvercommit, memoryOvercommit: traits.memoryOvercommit)
    }
}
