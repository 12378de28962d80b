// ferry agent: the agents themselves.

import API
import ClusterText
import ArgumentParser
import Clients
import Model

struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent", abstract: "Looks after the cluster's agents.",
        discussion: """
            Example:
              ferry agent check
            """,
        subcommands: [Check.self])

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Runs the consistency check: compares ledgers with VMs, folders and processes.",
            discussion: """
                Each agent reads its ledger again and compares it with its VMs, folders and processes. Then \
                the command compares the hosts with each other and reports VMs with two owners or none. The \
                check changes nothing. Each finding has a code, a severity and an advice. Exit code 0: no \
                warnings or errors; 9: warnings or errors; 5: no warnings or errors, but a host did not answer.

                Example:
                  ferry agent check
                  ferry agent check host-a --output json
                """)
        @Argument(
            help: "The host to check (default: all hosts, compared with each other).",
            transform: { try HostName($0) })
        var host: HostName?
        @OptionGroup var cluster: ClusterOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Session.withConnection(to: cluster, reporting: output) { session in
                let report = try await makeCheckReport(for: session)
                try output.printResult(report, text: report.text)
                let worst = report.findings.filter { $0.severity > .ok }
                if worst.contains(where: { $0.code != CheckCode.hostSilent.rawValue }) {
                    throw ExitCode(CommandFailure.Kind.checkFoundProblems.rawValue)
                }
                if !worst.isEmpty { throw ExitCode(CommandFailure.Kind.unreachable.rawValue) }
            }
        }

        private func makeCheckReport(for session: Session) async throws -> CheckReport {
            if let host {
                let check = try await session.requireAgent(on: host).checkConsistency()
                return CheckReport(hosts: [check], findings: check.findings)
            }
            let first = await checkAllHosts(of: try session.client)
            var findings = first.findings
            let between = ClusterCheck.findInconsistencies(
                in: first.hosts, isComplete: first.isComplete)
            if !between.isEmpty {
                // The hosts answer at different moments. A finding about several hosts counts only when a second
                // check reports it too.
                let second = await checkAllHosts(of: try session.client)
                let again = ClusterCheck.findInconsistencies(
                    in: second.hosts, isComplete: second.isComplete)
                findings += between.filter { again.contains($0) }
            }
            return CheckReport(hosts: first.hosts, findings: findings)
        }

        private func checkAllHosts(
            of client: ClusterClient
        ) async -> (hosts: [HostCheck], findings: [CheckFinding], isComplete: Bool) {
            let answers = await client.queryAllAgents { agent throws(ClientError) in
                try await agent.checkConsistency()
            }
            var hosts: [HostCheck] = []
            var findings: [CheckFinding] = []
            for (agent, answer) in answers {
                switch answer {
                case .success(let check):
                    hosts.append(check)
                    findings += check.findings
                case .failure(let error):
                    findings.append(
                        CheckFinding(.hostSilent, host: agent.name, message: "\(error)"))
                }
            }
            return (hosts, findings, hosts.count == answers.count)
        }
    }
}

private struct CheckReport: Encodable {
    var hosts: [HostCheck]
    var findings: [CheckFinding]

    var text: String {
        var lines = hosts.map { host in
            let ledger =
                host.ledgerSlots.map { "ledger \(host.ledgerSlotsUsed ?? 0) of \($0) records" }
                ?? "ledger unsound"
            let disk = host.diskFreeBytes.map { ", \(byteCountText(for: $0)) free" } ?? ""
            let count = host.vms.count { $0.state != nil }
            return "\(host.host): \(count) VMs, \(ledger)\(disk)"
        }
        for finding in findings.sorted(by: { $0.severity > $1.severity }) {
            let age =
                finding.ageSeconds.map { ", for \(durationText(milliseconds: $0 * 1000))" } ?? ""
            // The message of a silent host names the host.
            let isSilence = finding.code == CheckCode.hostSilent.rawValue
            let place = isSilence ? "" : finding.host.map { "\($0): " } ?? ""
            lines.append(
                "\(finding.severity.rawValue) [\(finding.code)] \(place)\(finding.message)\(age)")
            if finding.severity > .ok { lines.append("    do: \(finding.advice)") }
        }
        if !findings.contains(where: { $0.severity > .ok }) { lines.append("nothing to look at") }
        return lines.joined(separator: "\n")
    }
}
