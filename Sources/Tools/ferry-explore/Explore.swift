// Explores every interleaving of the protocol's machines within bounds, and prints the result.

import ArgumentParser
import Explorer

@main
struct Explore: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ferry-explore",
        abstract:
            "Explores every order of steps, faults and restarts of a migration, within bounds.",
        discussion: """
            The machines and the drivers' loops are those that the agents run. Ends with exit code 1 when an invariant does not hold,
            with the shortest conversation that leads there; --plant breaks a rule on purpose.
            """)

    @Option(name: [.customLong("config")], help: "What is explored; --list names all.")
    var name = "small"
    @Option(
        help: "How many faults may happen together, where not as many as the configuration says.")
    var faults: UInt8?
    @Option(help: "How many migrations may begin, where not as many as the configuration says.")
    var migrations: UInt8?
    @Option(help: "Ends after so many steps from the beginning.")
    var depth = Int.max
    @Option(name: [.customLong("max-states")], help: "Ends after so many states.")
    var statesMax = 20_000_000
    @Option(help: "A rule to break; --list names all.")
    var plant: String?
    @Flag(help: "Lists configurations and planted bugs.")
    var list = false
    @Flag(help: "Prints each level.")
    var verbose = false

    func validate() throws {
        if Configuration.configuration(named: name) == nil {
            throw ValidationError("there is no configuration '\(name)'; --list names all")
        }
        if let plant, PlantedBug(rawValue: plant) == nil {
            throw ValidationError("there is no planted bug '\(plant)'; --list names all")
        }
    }

    func run() throws {
        if list { return printList() }
        guard let configuration = Configuration.configuration(named: name) else { return }
        var bounds = configuration.bounds
        bounds.faults.together = faults ?? bounds.faults.together
        bounds.migrations = migrations ?? bounds.migrations
        let exploration = try Exploration.exploreStates(
            within: bounds, bug: plant.flatMap(PlantedBug.init), depthMax: depth,
            statesMax: statesMax,
            progress: { if verbose { print($0.figures) } })
        print(exploration.report)
        if exploration.finding != nil { throw ExitCode(1) }
    }

    private func printList() {
        for configuration in Configuration.all {
            print("\(configuration.name): \(configuration.summary)")
        }
        print("planted bugs: \(PlantedBug.allCases.map(\.rawValue).joined(separator: ", "))")
    }
}
