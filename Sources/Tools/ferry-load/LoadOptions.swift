// How large the load is, and where its limits are.

import ArgumentParser
import Model

struct LoadOptions: ParsableArguments {
    @Option(help: "Simulated agents, each with a certificate and a TLS port.")
    var agents = 1000
    @Option(help: "VMs for each agent.")
    var vmsPerAgent = 20
    @Option(help: "Between an agent's heartbeats.", transform: LoadOptions.parseDuration)
    var heartbeat = Duration.seconds(5)
    @Option(help: "How long the steady state is measured.", transform: LoadOptions.parseDuration)
    var steady = Duration.seconds(60)
    @Option(help: "VMs that are created at the same time.")
    var creators = 64
    @Option(help: "Restarts of the controller, by SIGTERM and by SIGKILL each.")
    var restarts = 2

    mutating func validate() throws {
        guard (1...1024).contains(agents) else {
            throw ValidationError("--agents is \(agents): use 1 to 1024")
        }
        guard (1...50).contains(vmsPerAgent) else {
            throw ValidationError("--vms-per-agent is \(vmsPerAgent): use 1 to 50")
        }
        guard (1...256).contains(creators) else {
            throw ValidationError("--creators is \(creators): use 1 to 256")
        }
        guard (0...20).contains(restarts) else {
            throw ValidationError("--restarts is \(restarts): use 0 to 20")
        }
    }

    @Sendable private static func parseDuration(from text: String) throws -> Duration {
        guard let time = Duration(text: text) else {
            throw ValidationError("'\(text)' is not a time: write 5s or 500ms")
        }
        return time
    }
}

/// Bounds of the program.
enum Limits {
    static let controllerStart = Duration.seconds(60)
    static let service = Duration.seconds(300)
    static let poll = Duration.milliseconds(100)
    /// Of one HTTP client: more would wait for each other in its pool.
    static let requestsPerClient = 8
    static let pageItems = 500
    static let plans = 5
    static let explanations = 20
    /// For 1000 hosts at once, three files each: listeners, their accepted connections, and those to the controller.
    static let descriptorsPerAgent = 4
    static let descriptorsElse = 1000
}
