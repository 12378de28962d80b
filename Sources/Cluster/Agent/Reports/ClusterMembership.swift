// This host as a member of a cluster with controllers: it registers, reports how it is, and hears which term it is and
// for how long its VMs are leased. Without controllers, or when none answers, everything else goes on as before.

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
    let migrations: Migrations
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
            // Cancellation ends the wait just as well.
            try? await gracefulShutdown()
            return
        }
        let control = context.cluster.control
        let (least, most) = Limits.reportTimeouts
        let client = try ReportClient(
            controllers: controllers, keysFolder: keysFolder,
            timeout: min(most, max(least, control.hostLease / 4)))
        await cancelWhenGracefulShutdown { await report(by: client) }
        await client.shutdown()
    }

    private func report(by client: ReportClient) async {
        var schedule = ReportSchedule(
            controllers: controllers.count, interval: context.cluster.control.heartbeat, now: .now)
        while !Task.isCancelled {
            let pause = schedule.due - .now
            if pause > .zero {
                if await context.news.wait(for: pause) { schedule.hasNews(at: .now) }
            } else {
                await report(&schedule, by: client)
            }
        }
    }

    /// One report to one controller.
    private func report(_ schedule: inout ReportSchedule, by client: ReportClient) async {
        let controller = controllers[schedule.controller]
        let wasHeard = schedule.isHeard
        do throws(ClientError) {
            let answer =
                switch schedule.report {
                case .registration: try await register(&schedule, at: controller, by: client)
                case .heartbeat: try await sendHeartbeat(&schedule, to: controller, by: client)
                }
            schedule.answered(answer, at: .now)
            if !wasHeard { log(.info, "the controller hears this host", controller, [:]) }
        } catch {
            schedule.failed(at: .now, spread: .random(in: 0...1))
            log(
                wasHeard ? .warning : .debug, "a controller does not hear this host", controller,
                ["error": "\(error)"])
        }
    }

    private func register(
        _ schedule: inout ReportSchedule, at controller: HostAddress, by client: ReportClient
    ) async throws(ClientError) -> HeartbeatAnswer {
        schedule.sends(at: .now)
        let answer = try await client.register(registration, of: context.name, at: controller)
        try await hear(answer, of: controller)
        return answer
    }

    private func sendHeartbeat(
        _ schedule: inout ReportSchedule, to controller: HostAddress, by client: ReportClient
    ) async throws(ClientError) -> HeartbeatAnswer {
        let (heartbeat, news) = await maker.heartbeat()
        schedule.sends(at: .now)
        let sentAt = BootInstant.now
        let answer = try await client.send(heartbeat, of: context.name, to: controller)
        try await hear(answer, of: controller)
        await extendLease(answer, from: sentAt)
        await migrations.reported(news)
        return answer
    }

    /// Only heartbeats are answered with one. It counts from the moment of sending: the controller's side counts from
    /// its answer, which is later.
    private func extendLease(_ answer: HeartbeatAnswer, from sentAt: BootInstant) async {
        guard answer.leaseMs > 0 else { return }
        let lease = Duration.milliseconds(min(answer.leaseMs, Limits.leaseMsMax))
        context.lease.extend(until: sentAt + lease)
        guard let until = context.lease.until else { return }
        for vm in await inventory.all() { Task { await vm.extendLease(until: until) } }
    }

    /// Throws for the answer of a controller that was deposed: it counts for nothing.
    private func hear(
        _ answer: HeartbeatAnswer, of controller: HostAddress
    ) async throws(ClientError) {
        let fence = fence
        do throws(TermError) {
            try await onThread("term") { () throws(TermError) in try fence.hear(answer.term) }
        } catch {
            switch error {
            case .stale: throw .problem(Problem(.staleTerm, "\(error)"), host: controller.name)
            // Lower ones are refused all the same, for as long as this agent lives.
            case .notWritten:
                log(.error, "a term cannot be kept", controller, ["error": "\(error)"])
            }
        }
    }

    private func log(
        _ level: Logger.Level, _ what: Logger.Message, _ controller: HostAddress,
        _ more: Logger.Metadata
    ) {
        let facts: Logger.Metadata = [
            "controller": "\(controller.name)", "address": "\(controller.description)",
        ]
        context.logger.log(level: level, what, metadata: facts.merging(more) { $1 })
    }
}

extension HostRegistration {
    /// Blocks for a moment.
    init(_ context: HostContext, _ facts: HostFacts, agentID: Identifier128) throws {
        let (member, traits) = (context.member, context.member.traits)
        self.init(
            agentID: agentID, agentVersion: ferryVersion, apiAddress: "\(member.api)",
            peerAddress: "\(member.peer)", cores: facts.cores,
            memoryBytes: try HostMemory.read().totalBytes,
            memoryReserveBytes: context.cluster.memoryReserve.bytes,
            cpuFeatures: facts.cpuFeatures.names, labels: traits.labels, zone: traits.zone,
            rack: traits.rack, link: traits.link, linkBytesPerSecond: traits.linkBytesPerSecond,
            cpuOvercommit: traits.cpuOvercommit, memoryOvercommit: traits.memoryOvercommit)
    }
}
