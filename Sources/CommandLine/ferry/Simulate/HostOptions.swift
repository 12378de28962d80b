// The simulated hosts, and what becomes of them.

import ArgumentParser
import Model
import Placement
import Simulation
import Traces

struct HostOptions: ParsableArguments {
    /// As many cores as the server of the standard power curve has.
    static let shapeUsual = HostShape(cores: 32, memory: .gibibytes(256))

    @Option(
        help: ArgumentHelp(
            "So many, or a list as 100x32c/256GiB,20x64c/512GiB; repeated: one variant each (default: the trace's own, else a quarter more than the VMs fill at their peak).",
            valueName: "n"))
    var hosts: [String] = []
    @Option(
        help: ArgumentHelp(
            "Cores and memory of hosts that are given by number (default: \(shapeUsual)).",
            valueName: "shape"), transform: parseHostShape)
    var hostShape: HostShape?
    @Option(
        help: ArgumentHelp(
            "vCPUs that may be promised for each core; repeated: one variant each (default: 1).",
            valueName: "x"))
    var cpuOvercommit: [Double] = []
    @Option(
        help: ArgumentHelp(
            "What hosts draw: a published curve (default: \(PowerCurve.named[0].name)).",
            valueName: "name"), completion: .list(PowerCurve.named.map(\.name)))
    var power: String?
    @Option(
        help: ArgumentHelp(
            "Hosts fail: HOST@TIME[+TIME], number, range or name, away for 1h or as said, as 3@2h+30m; may be repeated.",
            valueName: "what"), transform: parseHostEvent)
    var hostsFail: [HostEventText] = []
    @Option(
        help: ArgumentHelp(
            "Hosts are drained and maintained, in the same words, as 0-3@6h+1h; may be repeated.",
            valueName: "what"), transform: parseHostEvent)
    var drain: [HostEventText] = []

    func validate() throws {
        for overcommit in cpuOvercommit
        where !(overcommit >= 0.1 && overcommit <= SimulationLimits.overcommitMax) {
            throw ValidationError(
                "--cpu-overcommit must be 0.1 to \(SimulationLimits.overcommitMax)")
        }
        for text in hosts {
            _ = try Self.parseHostList(from: text, defaultShape: hostShape ?? Self.shapeUsual)
        }
        if hostShape != nil, hosts.contains(where: { $0.contains("x") }) {
            throw ValidationError("--hosts has shapes of its own: leave --host-shape out")
        }
        let variants = max(1, hosts.count) * max(1, cpuOvercommit.count)
        guard variants <= SimulationLimits.variantsMax else {
            throw ValidationError("more than \(SimulationLimits.variantsMax) variants")
        }
    }

    static func parseHostList(from text: String, defaultShape shape: HostShape) throws -> HostList {
        do { return try HostList(text: text, shape: shape) } catch {
            throw ValidationError("\(error)")
        }
    }

    func powerCurve() throws -> PowerCurve {
        guard let power else { return PowerCurve.standard }
        guard let curve = PowerCurve.publishedCurve(named: power) else {
            throw CommandFailure(
                .notFound, code: "power_curve_unknown",
                message: "there is no power curve '\(power.prefix(40))': use "
                    + PowerCurve.named.map(\.name).joined(separator: ", "))
        }
        return curve
    }

    /// In the order of the command line, failures first.
    func hostEvents(on hosts: [PlacementHost]) throws -> [HostEvent] {
        try hostsFail.flatMap { text in
            try text.hostIndices(in: hosts).map {
                .fails($0, at: .start + text.time, backAfter: text.duration)
            }
        }
            + drain.flatMap { text in
                try text.hostIndices(in: hosts).map {
                    .drained($0, at: .start + text.time, maintenance: text.duration)
                }
            }
    }
}

@Sendable private func parseHostShape(from text: String) throws -> HostShape {
    do { return try HostShape(text: text) } catch { throw ValidationError("\(error)") }
}

@Sendable private func parseHostEvent(from text: String) throws -> HostEventText {
    guard let event = HostEventText(text) else {
        throw ValidationError(
            "'\(text)' is not HOST@TIME[+TIME]: write 3@2h, 0-3@6h+30m or host-7@90m+1h")
    }
    return event
}
