import API
import ClusterCore
import Model
import Testing

@Suite("Drains that are carried out")
struct DrainTests {
    /// Hosts of which the first has all the VMs.
    private func world(hosts: Int = 3, vms: Int = 6) throws -> World {
        let world = try World(hosts: hosts)
        world.run(for: .seconds(3))
        for number in 0..<vms {
            let host = world.hostNames[0]
            world.create("v\(number)", memoryGiB: 4) { $0.startOn = host }
        }
        world.run(for: .seconds(4))
        #expect(world.host("h0")?.vms == vms)
        return world
    }

    private func last(_ world: World) -> OperationInfo? { world.allOperations.first }

    @Test func `A plan says where each VM goes and what that takes, and changes nothing`() throws {
        let world = try world()
        let before = world.store
        let plan = try #require(world.cluster).planDrain(
            of: world.hostNames[0], as: DrainHost(parallel: 1))
        #expect(plan.moves.count == 6 && plan.left.isEmpty && plan.waves == 6)
        for move in plan.moves {
            #expect(move.from == world.hostNames[0] && move.to != move.from)
            #expect(move.predicted.seconds.expected > 0 && move.why.contains("free"))
        }
        #expect(plan.seconds.expected >= plan.moves[0].predicted.seconds.expected * 5)
        world.run(for: .seconds(3))
        #expect(world.store == before && world.host("h0")?.vms == 6)
    }

    @Test func `A drain empties its host within the limits, and the host is in maintenance`() throws
    {
        let world = try world()
        world.drain(world.hostNames[0])
        #expect(world.host("h0")?.state == .draining)
        #expect(world.run(atMost: .seconds(60)) { last($0)?.isOver ?? false })
        let operation = try #require(last(world))
        #expect(operation.state == .succeeded && operation.movesDone == 6)
        #expect(operation.plan.moves.allSatisfy { $0.state == .done && $0.actualSeconds != nil })
        #expect(world.host("h0")?.state == .maintenance && world.host("h0")?.vms == 0)
        #expect(world.allVMs.allSatisfy { $0.home == world.hostNames[0] })
        // What is new is placed elsewhere.
        world.create("new")
        world.run(for: .seconds(3))
        #expect(world.vm("new")?.host != world.hostNames[0])
        #expect(world.wrong == nil && world.unrest == nil)
    }

    @Test func `VMs that a drain took away come back when that is asked for`() throws {
        let world = try world()
        world.drain(world.hostNames[0])
        _ = world.run(atMost: .seconds(60)) { last($0)?.isOver ?? false }
        world.activate(world.hostNames[0], bringBack: true)
        #expect(last(world)?.kind == .bringBack)
        #expect(world.run(atMost: .seconds(60)) { last($0)?.isOver ?? false })
        #expect(last(world)?.state == .succeeded && world.host("h0")?.vms == 6)
        #expect(world.allVMs.allSatisfy { $0.home == nil })
    }

    @Test func `A drain that cannot finish names the VMs and why`() throws {
        let world = try world(hosts: 2, vms: 3)
        world.create("pinned") { $0.policy.pinnedHost = world.hostNames[0] }
        world.create("ended") { $0.startOn = world.hostNames[0] }
        world.run(for: .seconds(3))
        let ended = try #require(world.vm("ended")?.id)
        world.hosts[world.hostNames[0]]?.copies[ended]?.state = .stopped
        world.run(for: .seconds(2))
        world.drain(world.hostNames[0])
        #expect(world.run(atMost: .seconds(60)) { last($0)?.isOver ?? false })
        let operation = try #require(last(world))
        #expect(operation.state == .incomplete && operation.movesDone == 3)
        #expect(operation.detail?.contains("pinned: ") == true)
        #expect(operation.detail?.contains("ended: it has ended") == true)
        #expect(world.host("h0")?.state == .draining && world.host("h0")?.vms == 2)
    }

    @Test func `A VM at rest leaves a drained host, and starts elsewhere`() throws {
        let world = try world(vms: 2)
        world.update(try VMName("v0"), .stopped)
        world.run(for: .seconds(4))
        world.drain(world.hostNames[0])
        #expect(world.run(atMost: .seconds(60)) { last($0)?.isOver ?? false })
        #expect(last(world)?.state == .succeeded && last(world)?.movesDone == 1)
        world.run(for: .seconds(4))
        #expect(world.hosts[world.hostNames[0]]?.copies.isEmpty == true)
        world.update(try VMName("v0"), .running)
        world.run(for: .seconds(4))
        #expect(world.vm("v0")?.state == .running && world.vm("v0")?.host != world.hostNames[0])
    }

    @Test func `A destination that does not take VMs is passed over`() throws {
        let world = try world()
        world.hosts[world.hostNames[1]]?.refusesArrivals = true
        world.drain(world.hostNames[0])
        #expect(world.run(atMost: .seconds(120)) { last($0)?.isOver ?? false })
        #expect(last(world)?.state == .succeeded)
        #expect(world.allVMs.allSatisfy { $0.host == world.hostNames[2] })
    }

    @Test func `A move that fails again and again is given up`() throws {
        let world = try world(vms: 1)
        for host in world.hostNames { world.hosts[host]?.refusesArrivals = true }
        world.drain(world.hostNames[0])
        #expect(world.run(atMost: .seconds(180)) { last($0)?.isOver ?? false })
        #expect(last(world)?.state == .incomplete)
        #expect(last(world)?.plan.moves.map(\.attempts).max() == 5)
        #expect(last(world)?.detail?.contains("did not take it") == true)
        #expect(world.vm("v0")?.state == .running && world.vm("v0")?.host == world.hostNames[0])
    }

    @Test func `A drain that is cancelled leaves an active host, and nothing goes on`() throws {
        let world = try world()
        world.drain(world.hostNames[0])
        world.run(for: .milliseconds(400))
        _ = world.call { c, context throws(Problem) in
            try c.cancelDrain(of: world.hostNames[0], in: &context)
        }
        #expect(world.host("h0")?.state == .active)
        #expect(world.run(atMost: .seconds(20)) { last($0)?.isOver ?? false })
        #expect(last(world)?.state == .cancelled)
        let there = world.host("h0")?.vms
        world.run(for: .seconds(20))
        #expect(world.host("h0")?.vms == there && there ?? 0 > 0 && world.unrest == nil)
    }

    @Test func `A new controller goes on with a drain, and moves nothing twice`() throws {
        let world = try world()
        world.drain(world.hostNames[0])
        for _ in 0..<6 {
            world.run(for: .milliseconds(1300))
            world.crash(for: .milliseconds(700))
        }
        #expect(world.run(atMost: .seconds(120)) { last($0)?.isOver ?? false })
        #expect(last(world)?.state == .succeeded && last(world)?.movesDone == 6)
        // One arrival each: their epochs are the second.
        #expect(world.allVMs.allSatisfy { $0.epoch == 2 })
        #expect(world.host("h0")?.state == .maintenance && world.unrest == nil)
    }

    @Test func `A host with more VMs than one plan may move is emptied all the same`() throws {
        let world = try World(hosts: 3) {
            $0.cores = 2000
            $0.memoryBytes = 1 << 41
        }
        world.limits = (100, 200)
        world.setBalance {
            $0.perHost = 100
            $0.perLink = 100
            $0.perCluster = 200
        }
        world.run(for: .seconds(3))
        for number in 0..<1040 {
            let host = world.hostNames[0]
            world.create("v\(number)") { $0.startOn = host }
        }
        world.run(for: .seconds(4))
        world.drain(world.hostNames[0])
        #expect(last(world)?.plan.moves.count == 1000)
        #expect(last(world)?.plan.outcome?.hasPrefix("40 more") == true)
        #expect(
            world.run(atMost: .seconds(300), lookingEvery: .seconds(2)) {
                last($0)?.isOver ?? false
            })
        #expect(last(world)?.state == .succeeded && last(world)?.movesDone == 1040)
        #expect(last(world)?.plan.moves.count ?? .max <= 1000 && world.wrong == nil)
    }

    @Test func `Two hosts are drained at once, and neither takes the other's VMs`() throws {
        let world = try World(hosts: 4)
        world.run(for: .seconds(3))
        for number in 0..<8 {
            let host = world.hostNames[number % 2]
            world.create("v\(number)", memoryGiB: 4) { $0.startOn = host }
        }
        world.run(for: .seconds(4))
        world.drain(world.hostNames[0])
        world.drain(world.hostNames[1])
        #expect(world.run(atMost: .seconds(90)) { $0.allOperations.allSatisfy(\.isOver) })
        #expect(world.allOperations.map(\.state) == [.succeeded, .succeeded])
        #expect(world.allVMs.allSatisfy { world.hostNames[2...].contains($0.host ?? $0.name.host) })
    }

    @Test func `One VM moves where it is told, or a refusal says why`() throws {
        let world = try world(vms: 1)
        let name = try VMName("v0")
        world.create("big", memoryGiB: 30) { $0.startOn = world.hostNames[1] }
        world.run(for: .seconds(3))
        guard case .failure(let problem)? = world.migrate(name, to: world.hostNames[1]) else {
            Issue.record("a full host was taken")
            return
        }
        #expect(problem.knownCode == .noHostFits && problem.detail.contains("memory"))
        world.migrate(name)
        guard case .failure(let busy)? = world.migrate(name) else {
            Issue.record("it was moved twice at once")
            return
        }
        #expect(busy.knownCode == .vmBusy)
        #expect(world.run(atMost: .seconds(20)) { last($0)?.isOver ?? false })
        #expect(last(world)?.state == .succeeded && world.vm("v0")?.host == world.hostNames[2])
    }
}

extension VMName {
    /// No host of the world.
    fileprivate var host: HostName {
        do { return try HostName("nowhere") } catch { fatalError("\(error)") }
    }
}
