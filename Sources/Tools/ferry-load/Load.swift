// What a controller can carry: a thousand agents with real connections, twenty VMs each, and what that costs.

import ArgumentParser
import Foundation
import Host
import Model
import Testbed

@main
struct Load: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ferry-load",
        abstract: "Measures a controller under many agents and VMs.",
        discussion: """
            Starts a real ferry-controller with SQLite and simulated agents: each has its own certificate, its own TLS \
            connection and port, registers, reports and obeys; its VMs are entries in memory. Then VMs are created, \
            a steady state is measured, plans are made, and the controller is restarted. Exit code 1 when a VM was \
            lost or is there twice. Run it by Scripts/load on a machine that does nothing else.

            Examples:
              ferry-load
              ferry-load --agents 20 --vms-per-agent 10 --steady 5s --output json
            """)

    enum Output: String, ExpressibleByArgument { case text, json }

    @OptionGroup var options: LoadOptions
    @Option(help: "text or json.") var output = Output.text

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        try allowDescriptors()
        let rig = try await LoadRig.startCluster(with: options, progress: reportProgress)
        let report: LoadReport
        do {
            report = try await LoadRun(rig: rig, options: options, tell: reportProgress)
                .runAllPhases()
        } catch {
            reportProgress("ferry-load: \(error)\(rig.diagnostics)")
            // The first error is the one to tell.
            try? await rig.tearDownCluster()
            throw ExitCode.failure
        }
        try await rig.tearDownCluster()
        print(output == .json ? try report.json : report.text)
        if report.lostVMs + report.doubledVMs > 0 { throw ExitCode.failure }
    }

    /// Every agent takes several, here; the controller gets the same limit from this program.
    private func allowDescriptors() throws {
        let wanted = UInt(options.agents * Limits.descriptorsPerAgent + Limits.descriptorsElse)
        var limit = rlimit()
        _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        guard limit.rlim_cur < wanted else { return }
        limit.rlim_cur = min(wanted, limit.rlim_max)
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        guard limit.rlim_cur >= wanted else {
            throw TestbedError("\(wanted) files must be open: ulimit -n allows \(limit.rlim_max)")
        }
    }

    private func reportProgress(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}
