// When a host counts as overloaded: each test on histories worked out by hand.

import Model
import PlanetLab
import Testing

@Suite("Tests for overload")
struct OverloadTests {
    private func isOverloaded(_ policy: String, demand: Double, _ loads: [Double]) throws -> Bool {
        let test = try #require(try PlanetLabPolicy(name: policy).overloadTest)
        var history = Array(repeating: 0.0, count: OverloadTest.pointsMax)
        for (point, load) in loads.enumerated() { history[point] = load }
        return test.isOverloaded(demand: demand, loads: &history)
    }

    /// Tenths from 0.1 on, in no order.
    private func mixed(_ count: Int) -> [Double] {
        var lots = SplitMix64(seed: 1)
        return (1...count).map { Double($0) / 10 }.shuffled(using: &lots)
    }

    @Test func `A threshold is crossed, not reached`() throws {
        #expect(try !isOverloaded("thr-mmt-0.5", demand: 0.5, []))
        #expect(try isOverloaded("thr-mmt-0.5", demand: 0.5.nextUp, []))
    }

    @Test(arguments: [("iqr-mmt-1", 11), ("mad-mmt-1", 11), ("lr-mmt-1", 9), ("lrr-mmt-1", 9)])
    func `Without enough history it is 70 percent`(policy: String, points: Int) throws {
        let loads = Array(repeating: 0.2, count: points)
        #expect(try !isOverloaded(policy, demand: 0.7, loads))
        #expect(try isOverloaded(policy, demand: 0.71, loads))
        // One point more, and a steady load makes every demand up to 1 acceptable.
        #expect(try !isOverloaded(policy, demand: 1, loads + [0.2]))
    }

    /// Of 13 points the quartiles are elements round(3.5) = 4 and round(10.5) = 11: 0.4 and 1.1, so the limit is 0.65.
    @Test func `The interquartile range takes whole elements`() throws {
        let loads = mixed(13)
        #expect(try !isOverloaded("iqr-mmt-0.5", demand: 0.6499, loads))
        #expect(try isOverloaded("iqr-mmt-0.5", demand: 0.6501, loads))
    }

    /// Of 0.1 ... 1.2 the median is 0.65; distances from it are 0.05, 0.05, 0.15, ..., 0.55, their median 0.3.
    @Test func `The median of an even count lies between the middle two`() throws {
        let loads = mixed(12)
        #expect(try !isOverloaded("mad-mmt-2", demand: 0.3999, loads))
        #expect(try isOverloaded("mad-mmt-2", demand: 0.4001, loads))
    }

    /// 0.05, 0.10, ..., 0.50 points at 0.55 one round ahead, whatever is asked for now.
    @Test(arguments: ["lr", "lrr"])
    func `A rising load is continued by one round`(family: String) throws {
        let loads = (1...10).reversed().map { Double($0) / 20 }
        #expect(try !isOverloaded("\(family)-mmt-1.81", demand: 2, loads))
        #expect(try isOverloaded("\(family)-mmt-1.82", demand: 0, loads))
        // What lies further back does not matter.
        #expect(try isOverloaded("\(family)-mmt-1.82", demand: 0, loads + [1, 1, 1]))
    }

    @Test func `Only policies that consolidate look for overload`() throws {
        #expect(try PlanetLabPolicy(name: "dvfs").overloadTest == nil)
    }
}
