import API
import ClusterCore
import Model
import Testing

@Suite("Hosts that fall silent")
struct HostTests {
    /// Three hosts, and a VM that runs on the first.
    private func world(_ policy: FailurePolicy) throws -> World {
        let world = try World(hosts: 3)
        world.run(for: .seconds(3))
        let first = world.hostNames[0]
        #expect(
            world.create("web") {
                $0.policy.failurePolicy = policy
                $0.startOn = first
            })
        world.run(for: .seconds(3))
        #expect(world.vm("web")?.host == first && world.vm("web")?.state == .running)
        return world
    }

    @Test func `A leased VM starts elsewhere when its host's lease has ended, not before`() throws {
        let world = try world(.restart)
        let first = world.hostNames[0]
        world.cut(first, for: .seconds(60))
        world.run(for: .seconds(4))
        #expect(world.host("h0")?.state == .unreachable)
        #expect(world.vm("web")?.state == .unknown)
        world.run(for: .seconds(12))
        #expect(world.wrong == nil)
        #expect(world.host("h0")?.isFenced == true)
        let moved = try #require(world.vm("web"))
        #expect(moved.state == .running && moved.host != first && moved.epoch > 1)
        // The old copy stopped with the lease, and goes when its host is heard again.
        #expect(world.hosts[first]?.copies.count == 1)
        world.run(for: .seconds(60))
        #expect(world.hosts[first]?.copies.isEmpty == true)
        #expect(world.host("h0")?.state == .active && world.unrest == nil)
    }

    @Test func `A VM that is to be left is where it was when its host is heard again`() throws {
        let world = try world(.leave)
        world.cut(world.hostNames[0], for: .seconds(40))
        world.run(for: .seconds(30))
        #expect(world.vm("web")?.state == .unknown)
        world.run(for: .seconds(20))
        #expect(world.vm("web")?.state == .running && world.vm("web")?.epoch == 1)
        #expect(world.unrest == nil)
    }

    @Test func `Only a silent host can be said to be off`() throws {
        let world = try world(.restart)
        let first = world.hostNames[0]
        guard case .failure(let problem)? = world.fence(first) else {
            Issue.record("a host that answers was fenced")
            return
        }
        #expect(problem.knownCode == .wrongState)
        world.powerOff(first, for: .seconds(1000))
        world.run(for: .seconds(4))
        guard case .success(let host)? = world.fence(first) else {
            Issue.record("a silent host was not fenced")
            return
        }
        #expect(host.isFenced)
        world.run(for: .seconds(3))
        #expect(world.vm("web")?.state == .running && world.vm("web")?.host != first)
    }

    @Test func `A new controller grants a fenced host nothing and waits for an unheard one`() throws
    {
        let world = try world(.restart)
        let first = world.hostNames[0]
        world.cut(first, for: .seconds(1000))
        world.run(for: .seconds(2))
        world.crash(for: .seconds(1))
        // Whatever lease the last controller granted may run from the new one's first moment.
        world.run(for: .seconds(6))
        #expect(world.host("h0")?.isFenced == false)
        #expect(world.vm("web")?.host == first)
        world.run(for: .seconds(6))
        #expect(world.vm("web")?.host != first && world.vm("web")?.state == .running)
        #expect(world.wrong == nil)
    }

    @Test func `A VM that one host refuses to make is made on another`() throws {
        let world = try World(hosts: 2)
        world.run(for: .seconds(3))
        let first = world.hostNames[0]
        world.hosts[first]?.refusesCreation = true
        world.create("web") { $0.startOn = first }
        world.run(for: .seconds(3))
        #expect(world.vm("web")?.host == world.hostNames[1])
        #expect(world.unrest == nil)
    }

    @Test func `A VM that is deleted while its host is off goes when that is heard again`() throws {
        let world = try world(.leave)
        world.cut(world.hostNames[0], for: .seconds(20))
        world.run(for: .seconds(5))
        world.delete(try VMName("web"))
        world.run(for: .seconds(2))
        #expect(world.vm("web")?.state == .deleting)
        world.run(for: .seconds(20))
        #expect(world.allVMs.isEmpty && world.unrest == nil)
    }
}
