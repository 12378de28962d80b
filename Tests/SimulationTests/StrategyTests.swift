// The catalogue of strategies: names that are found, names that are not, and what each of them is made of.

import Model
import Placement
import Simulation
import Testing

@Suite("Strategies")
struct StrategyTests {
    @Test func `Every strategy is found by its name, and has a sentence for lists`() throws {
        let all = Strategies.allStrategies(seed: 3)
        #expect(Set(all.map(\.name)).count == all.count)
        for strategy in all {
            let found = try Strategies.findStrategy(named: strategy.name, seed: 3)
            #expect(found.name == strategy.name && found.summary == strategy.summary)
            #expect(!strategy.summary.isEmpty)
        }
    }

    @Test func `Every placement policy of the controller is one, one's own among them`() throws {
        let names = Set(Strategies.allStrategies(seed: 1).map(\.name))
        #expect(names.isSuperset(of: NamedPolicies.names))
        #expect(names.contains("fewest-vms"))
    }

    @Test func `A name that no strategy has is refused with those there are`() {
        #expect(throws: UnknownStrategy.self) {
            try Strategies.findStrategy(named: "no-such", seed: 1)
        }
        do {
            _ = try Strategies.findStrategy(named: "no-such", seed: 1)
        } catch {
            #expect(error.known == Strategies.allStrategies(seed: 0).map(\.name))
            #expect("\(error)".hasPrefix("there is no policy 'no-such': use first-fit, best-fit"))
        }
    }

    @Test func `Only the oracle sees the future`() {
        for strategy in Strategies.allStrategies(seed: 1) {
            #expect(
                (strategy.observer?.knowsDepartures ?? false)
                    == (strategy.name == "lifetime-oracle"))
        }
    }
}
