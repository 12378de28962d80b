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
            abstract: "Holds what agents have written down against what is really there.",
            discussion: """
                Each agent reads its ledger again and compares it with its VMs, folders and processes; then \
                the hosts are compared with each other: two owners of a VM, or none. Nothing is changed. Each \
                finding has a code, a severity, and what to do. Exit code 0: nothing to look at; 9: warnings or \
                errors; 5: nothing to look at, but a host did not answer.

                Example:
                  ferry agent check
                  ferry agent check host-a --output json
                """)
        @Argument(
            help: "The host (default: all, and compared).", transform: { try HostName($0) })
        var host: HostName?
        @OptionGroup var cluster: ClusterOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Session.with(cluster, reporting: output) { session in
                let report = try await report(session)
                try output.write(report, text: report.text)
                let worst = report.findings.filter { $0.severity > .ok }
                if worst.contains(where: { $0.code != AuditCode.hostSilent.rawValue }) {
                    throw ExitCode(CommandFailure.Kind.auditFoundSomething.rawValue)
                }
                if !worst.isEmpty { throw ExitCode(CommandFailure.Kind.unreachable.rawValue) }
            }
        }

        private func report(_ session: Session) async throws -> CheckReport {
            if let host {
                let audit = try await session.agent(host).audit()
                return CheckReport(hosts: [audit], findings: audit.findings)
            }
            let first = await audits(try session.client)
            var findings = first.findings
            let between = ClusterAudit.findings(first.hosts, isComplete: first.isComplete)
            if !between.isEmpty {
                // Hosts are asked at different moments: what is true of the cluster is true twice.
                let second = await audits(try session.client)
                let again = ClusterAudit.findings(second.hosts, isComplete: second.isComplete)
                findings += between.filter { again.contains($0) }
            }
            return CheckReport(hosts: first.hosts, findings: findings)
        }

        private func audits(
            _ client: ClusterClient
        ) async -> (hosts: [HostAudit], findings: [AuditFinding], isComplete: Bool) {
            let answers = await client.eachAgent { agent throws(ClientError) in
                try await agent.audit()
            }
            var hosts: [HostAudit] = []
            var findings: [AuditFinding] = []
            for (agent, answer) in answers {
                switch answer {
                case .success(let audit):
                    hosts.append(audit)
                    findings += audit.findings
                case .failure(let error):
                    findings.append(AuditFinding(.hostSilent, host: agent.name, "\(error)"))
                }
            }
            return (hosts, findings, hosts.count == answers.count)
        }
    }
}

private struct CheckReport: Encodable {
    var hosts: [HostAudit]
    var findings: [AuditFinding]

    var text: String {
        var lines = hosts.map { host in
            let ledger =
                host.ledgerSlots.map { "ledger \(host.ledgerSlotsUsed ?? 0) of \($0) records" }
                ?? "ledger unsound"
            let disk = host.diskFreeBytes.map { ", \(bytesText($0)) free" } ?? ""
            let count = host.vms.count { $0.state != nil }
            return "\(host.host): \(count) VMs, \(ledger)\(disk)"
        }
        for finding in findings.sorted(by: { $0.severity > $1.severity }) {
            let age = finding.ageSeconds.map { ", for \(timeText(ms: $0 * 1000))" } ?? ""
            // That it is silent says who.
            let isSilence = finding.code == AuditCode.hostSilent.rawValue
            let place = isSilence ? "" : finding.host.map { "\($0): " } ?? ""
            lines.append(
                "\(finding.severity.rawValue) [\(finding.code)] \(place)\(finding.message)\(age)")
            if finding.severity > .ok { lines.append("    do: \(finding.advice)") }
        }
        if !findings.contains(where: { $0.severity > .ok }) { lines.append("nothing to look at") }
        return lines.joined(separator: "\n")
    }
}
