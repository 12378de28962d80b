// What an agent tells its controllers, when, and whom.

import API
import Agent
import Clients
import ClusterFile
import Foundation
import Host
import Model
import Testing

@Suite("When an agent reports")
struct ReportScheduleTests {
    private func at(_ milliseconds: UInt64) -> Instant {
        Instant(nanoseconds: 1_000_000_000 + milliseconds * 1_000_000)
    }

    private func heard(controllers: Int = 1) -> ReportSchedule {
        var schedule = ReportSchedule(
            controllers: controllers, interval: .seconds(5), now: at(0))
        schedule.recordSending(at: at(0))
        schedule.recordAnswer(HeartbeatAnswer(term: 1, intervalMs: 1000, leaseMs: 1), at: at(5))
        schedule.recordSending(at: at(10))
        schedule.recordAnswer(HeartbeatAnswer(term: 1, intervalMs: 1000, leaseMs: 1), at: at(15))
        return schedule
    }

    @Test("It registers, says at once how it is, and then as often as the controller wants")
    func usual() {
        var schedule = ReportSchedule(controllers: 1, interval: .seconds(5), now: at(0))
        #expect((schedule.report, schedule.due) == (.registration, at(0)))
        schedule.recordSending(at: at(0))
        schedule.recordAnswer(HeartbeatAnswer(term: 1, intervalMs: 1000, leaseMs: 1), at: at(5))
        #expect((schedule.report, schedule.due) == (.heartbeat, at(5)))
        schedule.recordSending(at: at(10))
        schedule.recordAnswer(HeartbeatAnswer(term: 1, intervalMs: 1000, leaseMs: 1), at: at(15))
        #expect((schedule.report, schedule.due) == (.heartbeat, at(1010)))
    }

    @Test("News come sooner, but not all the time, and not to who does not answer")
    func news() {
        var schedule = heard()
        schedule.recordNews(at: at(900))
        #expect(schedule.due == at(900))
        schedule = heard()
        schedule.recordNews(at: at(20))
        #expect(schedule.due == at(310))
        schedule = heard()
        schedule.recordFailure(at: at(20), spread: 0.5)
        let due = schedule.due
        schedule.recordNews(at: at(21))
        #expect(schedule.due == due)
    }

    @Test("The next controller is asked at once; when none answers, the pauses grow to a limit")
    func failures() {
        var schedule = heard(controllers: 3)
        var pauses: [Duration] = []
        for round in 0..<8 {
            for controller in [1, 2] {
                schedule.recordFailure(at: at(0), spread: 0.5)
                #expect(
                    (schedule.controller, schedule.due) == (controller, at(0)), "round \(round)")
            }
            schedule.recordFailure(at: at(0), spread: 0.5)
            #expect(schedule.controller == 0)
            pauses.append(schedule.due - at(0))
        }
        #expect(pauses.prefix(3) == [.milliseconds(250), .milliseconds(500), .seconds(1)])
        #expect(pauses.last == .seconds(5))
        #expect(!schedule.isConnected)
        schedule.recordAnswer(HeartbeatAnswer(term: 1, intervalMs: 1000, leaseMs: 1), at: at(7))
        #expect(schedule.isConnected)
        schedule.recordFailure(at: at(8), spread: 0.5)
        #expect(schedule.due == at(8))
    }

    @Test("It registers when it is asked to, and not all the time by a controller that always asks")
    func registers() {
        var schedule = heard()
        let asks = HeartbeatAnswer(term: 1, intervalMs: 1000, leaseMs: 1, wantsRegistration: true)
        schedule.recordSending(at: at(2000))
        schedule.recordAnswer(asks, at: at(2001))
        #expect((schedule.report, schedule.due) == (.registration, at(2001)))
        schedule.recordSending(at: at(2001))
        schedule.recordAnswer(asks, at: at(2002))
        #expect((schedule.report, schedule.due) == (.heartbeat, at(2002)))
        schedule.recordSending(at: at(2002))
        schedule.recordAnswer(asks, at: at(2003))
        #expect((schedule.report, schedule.due) == (.registration, at(3002)))
    }

    @Test(
        "What a controller wants has bounds", arguments: [(-5, 100), (0, 100), (Int.max, 600_000)])
    func bounds(wanted: Int, taken: Int) {
        var schedule = heard()
        schedule.recordSending(at: at(1000))
        schedule.recordAnswer(
            HeartbeatAnswer(term: 1, intervalMs: wanted, leaseMs: 1), at: at(1001))
        #expect(schedule.due == at(1000 + UInt64(taken)))
    }
}

@Suite("A host's load")
struct HostLoadTests {
    @Test("It is read as the kernel writes it")
    func read() {
        let stat = "cpu  100 20 30 4000 500 6 7 80 90 10\ncpu0 1 2 3 4 5 6 7 8 9 10\n"
        #expect(HostLoad.parseBusyTime(fromStat: stat, ticksPerSecond: 100) == .milliseconds(1630))
        for odd in ["", "cpu", "cpu ", "x 1 2 3", "cpu x y z"] {
            #expect(HostLoad.parseBusyTime(fromStat: odd, ticksPerSecond: 100) == .zero)
        }
        let pressure =
            "some avg10=12.50 avg60=0.05 avg300=0.01 total=3042\nfull avg10=1.00 total=1\n"
        #expect(HostLoad.parsePressureShare(from: pressure) == 12.5)
        #expect(HostLoad.parsePressureShare(from: "") == nil)
    }

    @Test("Cores that are busy come from two moments that are not too close")
    func meter() {
        var meter = CPUMeter()
        meter.recordReading(cpuTime: .seconds(10), at: Instant(nanoseconds: 0))
        #expect(meter.cores == nil)
        meter.recordReading(cpuTime: .seconds(13), at: Instant(nanoseconds: 2_000_000_000))
        #expect(meter.cores == 1.5)
        meter.recordReading(cpuTime: .seconds(99), at: Instant(nanoseconds: 2_500_000_000))
        #expect(meter.cores == 1.5)
        meter.recordReading(cpuTime: .seconds(13), at: Instant(nanoseconds: 4_000_000_000))
        #expect(meter.cores == 0)
    }
}

@Suite("An agent and its controllers", .serialized, .timeLimit(.minutes(2)))
struct ReportTests {
    @Test("It registers with its host's facts and goes on with heartbeats; it asks again when told")
    func registers() async throws {
        try await TestCluster.with(controllers: 1) { cluster in
            let controller = FakeController()
            try await controller.serve(cluster) {
                let registration = try await controller.registration()
                let host = try #require(cluster.file.hosts.first)
                let facts = try await cluster.agent { try await $0.readHostInfo() }
                #expect(registration.apiAddress == "\(host.api)")
                #expect(registration.peerAddress == "\(host.peer)")
                #expect(registration.cores == facts.cores)
                #expect(registration.memoryBytes == facts.memoryBytes)
                #expect(registration.cpuFeatures == facts.cpuFeatures)
                let first = try await controller.heartbeat()
                let second = try await controller.heartbeat()
                #expect(first.agentID == registration.agentID)
                #expect(second.sequence > first.sequence)
                #expect(first.vms.isEmpty)
                #expect(first.memoryUsedBytes > 0)

                controller.answers { report in
                    var answer = HeartbeatAnswer.usual
                    if case .heartbeat = report { answer.wantsRegistration = true }
                    return answer
                }
                #expect(try await controller.registration().agentID == registration.agentID)
                // Another life of the agent has another identity.
                controller.answers { _ in .usual }
                try cluster.kill()
                try await cluster.start(host.name)
                let next = try await controller.next { report in
                    if case .registration(_, let next) = report,
                        next.agentID != registration.agentID
                    {
                        next
                    } else {
                        nil
                    }
                }
                #expect(next.apiAddress == registration.apiAddress)
            }
        }
    }

    @Test("It goes on to the controller that leads, when one does not or is gone")
    func failover() async throws {
        try await TestCluster.with(controllers: 2) { cluster in
            let (first, second) = (FakeController(), FakeController())
            first.answers { _ in throw Problem(.notLeader, detail: "the other one leads") }
            try await second.serve(cluster, as: 2) {
                try await first.serve(cluster) {
                    _ = try await second.registration()
                    _ = try await second.heartbeat()
                    second.answers { _ in throw Problem(.notLeader, detail: "not any more") }
                    first.answers { _ in .usual }
                    _ = try await first.heartbeat()
                    second.answers { _ in .usual }
                }
                // The first is gone, and refuses connections.
                _ = try await second.heartbeat()
            }
        }
    }

    @Test("It tells nothing to who is not that controller")
    func identity() async throws {
        try await TestCluster.with(controllers: 2) { cluster in
            let (wrong, right) = (FakeController(), FakeController())
            // An agent's keys, and another controller's, at the first one's address.
            for keys in [
                cluster.file.keysFolder(for: .agent, named: cluster.file.hosts[0].name),
                try cluster.controllerKeys("controller-9"),
            ] {
                try await right.serve(cluster, as: 2) {
                    try await wrong.serve(cluster, as: 1, keys: keys) {
                        _ = try await right.heartbeat()
                        right.answers { _ in throw Problem(.notLeader, detail: "no") }
                        _ = try await right.heartbeat()
                        _ = try await right.heartbeat()
                        right.answers { _ in .usual }
                    }
                }
            }
            wrong.finish()
            for await report in wrong.reports { Issue.record("\(report)") }
        }
    }

    @Test("A term that is heard in an answer counts; a deposed controller's answers do not")
    func terms() async throws {
        try await TestCluster.with(controllers: 2) { cluster in
            let (old, new) = (FakeController(), FakeController())
            old.answers { _ in HeartbeatAnswer(term: 3, intervalMs: 100, leaseMs: 2000) }
            new.answers { _ in HeartbeatAnswer(term: 7, intervalMs: 100, leaseMs: 2000) }
            let keys = try cluster.controllerKeys()
            try await old.serve(cluster) {
                _ = try await old.heartbeat()
                _ = try await old.heartbeat()
                try await cluster.agent(keys: keys) {
                    _ = try await $0.commanded(inTerm: 3).readHostInfo()
                }
            }
            try await new.serve(cluster, as: 2) {
                _ = try await new.heartbeat()
                _ = try await new.heartbeat()
                try await cluster.agent(keys: keys) { agent in
                    await problem(.staleTerm) {
                        _ = try await agent.commanded(inTerm: 6).readHostInfo()
                    }
                }
                // The old one is back: its answers send the agent to the new one again.
                try await old.serve(cluster) {
                    new.answers { _ in throw Problem(.notLeader, detail: "for a moment") }
                    _ = try await old.heartbeat()
                    new.answers { _ in HeartbeatAnswer(term: 7, intervalMs: 100, leaseMs: 2000) }
                    _ = try await new.heartbeat()
                    _ = try await new.heartbeat()
                }
            }
        }
    }

    @Test("Without a controller that answers, everything else works")
    func alone() async throws {
        try await TestCluster.with(controllers: 2) { cluster in
            try await cluster.agent { agent in
                let (vms, host) = (try await agent.listAllVMs(), try await agent.readHostInfo())
                #expect(vms.isEmpty)
                #expect(host.vms == 0)
            }
            let process = try cluster.process()
            try process.sendSignal(SIGTERM)
            #expect(try process.waitForExit(within: .seconds(10)))
        }
    }
}

@Suite(
    "What heartbeats say of VMs", .enabled(if: kvmIsUsable, "needs /dev/kvm"), .serialized,
    .timeLimit(.minutes(2)))
struct VMReportTests {
    @Test("A VM's load is measured, its changes are told at once, its end with the reason")
    func vm() async throws {
        try await TestCluster.with(controllers: 1) { cluster in
            let controller = FakeController { _ in
                // Only news come sooner than this.
                HeartbeatAnswer(term: 1, intervalMs: 60_000, leaseMs: 0)
            }
            try await controller.serve(cluster) {
                _ = try await controller.heartbeat()
                let vm = try await cluster.agent { try await $0.createPulse("web") }
                let first = try await controller.report(of: vm.name)
                #expect((first.id, first.epoch, first.ownership) == (vm.id, 1, .owned))
                #expect((first.memoryBytes, first.vcpus) == (vm.spec.memory.bytes, vm.spec.vcpus))
                #expect(first.migration == nil)
                #expect(!first.isLeased)
                controller.answers { _ in .usual }
                try await cluster.agent { _ = try await $0.performAction(.pause, on: vm.name) }
                _ = try await controller.report(of: vm.name) { $0.state == .paused }
                try await cluster.agent { _ = try await $0.performAction(.resume, on: vm.name) }
                let busy = try await controller.report(of: vm.name) { $0.cpuCores ?? 0 > 0.001 }
                #expect(busy.state == .running)
                let used = try #require(busy.memoryUsedBytes)
                #expect(used >= 16 << 20 && used <= 80 << 20)

                controller.answers { _ in
                    HeartbeatAnswer(term: 1, intervalMs: 60_000, leaseMs: 0)
                }
                _ = try await controller.heartbeat()
                try killProcess(of: vm)
                let dead = try await controller.report(of: vm.name) { $0.state == .failed }
                #expect(dead.exit?.reason == .processDied)
                try await cluster.agent { try await $0.deleteVM(named: vm.name) }
                _ = try await controller.heartbeat { $0.vms.isEmpty }
            }
        }
    }

    @Test("A migration is in the heartbeats while it runs and until its end was heard of")
    func migration() async throws {
        try await TestCluster.with(hosts: 2, controllers: 1) { cluster in
            let controller = FakeController()
            try await controller.serve(cluster) {
                let vm = try await cluster.agent { try await $0.createPulse("web") }
                _ = try await controller.report(of: vm.name)
                // Nobody hears of the end now.
                controller.answers { _ in throw Problem(.storeUnavailable, detail: "a moment") }
                let id = MigrationID.random()
                try await cluster.agent { agent in
                    let started = try await agent.startMigration(
                        with: StartMigration(
                            vm: vm.name, to: HostName("host-b"), downtimeLimit: .milliseconds(5000),
                            id: id))
                    #expect(
                        try await agent.followMigration(withID: started.id) { _ in }.state
                            == .succeeded)
                }
                controller.answers { _ in .usual }
                let over = try await controller.heartbeat { beat in
                    beat.migrations.contains { $0.id == id && $0.isOver }
                }
                #expect(over.vms.isEmpty)
                #expect(over.migrations.first?.state == .succeeded)
                let there = try await controller.report(of: vm.name)
                #expect((there.ownership, there.epoch, there.state) == (.owned, 2, .running))
                // Told once, and once more when its memory was looked at again; then never.
                _ = try await controller.heartbeat { beat in
                    beat.agentID == over.agentID && beat.migrations.isEmpty
                        && beat.sequence > over.sequence + 2
                }
            }
        }
    }
}

@Suite("The bell for reports")
struct ReportNewsTests {
    @Test("A ring ends the wait, also one that came before; time ends it without")
    func waits() async {
        let news = ReportSignal()
        // However short: the time may be over before anybody waits.
        for _ in 0..<2000 { #expect(await news.waitForSignal(within: .nanoseconds(1)) == false) }
        news.requestReport()
        #expect(await news.waitForSignal(within: .seconds(100)))
        async let isRung = news.waitForSignal(within: .seconds(100))
        news.requestReport()
        #expect(await isRung)
        let task = Task { await news.waitForSignal(within: .seconds(100)) }
        task.cancel()
        _ = await task.value
    }
}
