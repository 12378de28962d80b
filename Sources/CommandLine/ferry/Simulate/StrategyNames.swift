// Policies' names for the shell.

import ArgumentParser
import Simulation

extension Strategies {
    static var names: [String] { allStrategies(seed: 0).map(\.name) }
}

extension CompletionKind {
    static let strategies = list(Strategies.names)

    /// After a comma the next name.
    static let strategyLists = custom { _, _, prefix in
        let begun = prefix.split(separator: ",", omittingEmptySubsequences: false).dropLast()
        let head = begun.map { "\($0)," }.joined()
        return (Strategies.names + ["all"]).filter { !begun.contains($0[...]) }.map { head + $0 }
    }
}
