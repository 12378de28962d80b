import API
import ClusterCore
import Model
import Testing

@Suite("Balance of a cluster")
struct BalanceTests {
    /// Hosts of which the first has all the load.
    private func world(_ mode: BalanceMode) throws -> World {
        let world = try World(hosts: 3)
        world.setBalance {
            $0.mode = mode
            $0.intervalSeconds = 5
            $0.horizonSeconds = 3600
        }
        world.run(for: .seconds(3))
        for number in 0..<8 {
            let host = world.hostNames[0]
            world.create("v\(number)", memoryGiB: 3) { $0.startOn = host }
        }
        return world
    }

    @Test func `Switched off, nothing is planned`() throws {
        let world = try world(.off)
        world.run(for: .seconds(60))
        #expect(world.cluster?.balanceInfo().lastPlan == nil)
        #expect(world.allOperations.isEmpty && world.host("h0")?.vms == 8)
    }

    @Test func `As advice, a plan is shown and nothing moves`() throws {
        let world = try world(.advise)
        world.run(for: .seconds(60))
        let plan = try #require(world.cluster?.balanceInfo().lastPlan)
        #expect(!plan.moves.isEmpty && plan.outcome != nil)
        #expect(plan.imbalanceAfter ?? 1 < plan.imbalanceBefore ?? 0)
        #expect(world.allOperations.isEmpty && world.host("h0")?.vms == 8)
    }

    @Test func `By itself, it levels a constant load with finitely many moves, none back`() throws {
        let world = try world(.auto)
        world.run(for: .seconds(120))
        let operations = world.allOperations
        #expect(!operations.isEmpty && operations.allSatisfy { $0.state == .succeeded })
        let after = try #require(world.cluster?.balanceInfo().imbalance)
        #expect(after < 0.08)
        for operation in operations {
            #expect(operation.plan.imbalanceAfter ?? 1 < operation.plan.imbalanceBefore ?? 0)
        }
        let moves = operations.flatMap(\.plan.moves)
        #expect(Set(moves.map(\.vm)).count == moves.count, "no VM is moved a second time")
        world.run(for: .seconds(1200))
        #expect(world.allOperations.count == operations.count)
    }

    @Test func `Asked to run without a move that is worth it, it is over at once and says so`()
        throws
    {
        let world = try World(hosts: 2)
        world.run(for: .seconds(4))
        guard
            case .success(let operation)? = world.call({ c, context throws(Problem) in
                try c.runBalance(requestedBy: "test", in: &context)
            })
        else {
            Issue.record("it did not run")
            return
        }
        #expect(operation.state == .succeeded && operation.plan.moves.isEmpty)
        #expect(operation.plan.outcome?.contains("not above") == true)
    }

    private static let badChanges: [@Sendable (inout UpdateBalance) -> Void] = [
        { $0.startAbove = .nan }, { $0.startAbove = -0.1 }, { $0.settleAt = 0.5 },
        { $0.intervalSeconds = 0 }, { $0.horizonSeconds = .infinity }, { $0.perHost = 0 },
        { $0.coolDownSeconds = -1 }, { $0.movesMax = 1_000_000 },
    ]

    @Test(arguments: badChanges.indices)
    func `Settings that cannot be are refused, and change nothing`(number: Int) throws {
        let world = try World(hosts: 1)
        let before = world.cluster?.balanceInfo().settings
        guard case .failure(let problem)? = world.setBalance(Self.badChanges[number]) else {
            Issue.record("change \(number) was taken")
            return
        }
        #expect(problem.knownCode == .invalid)
        #expect(world.cluster?.balanceInfo().settings == before)
    }
}
