// ferry pki: the cluster's authority and the certificates it issues.

public import ArgumentParser
import Foundation
import Host
import Keys
public import Model

struct PKI: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pki", abstract: "Makes and shows the cluster's keys and certificates.",
        discussion: """
            Every agent, controller and user has a certificate that says who they are: ferry://CLUSTER/ROLE/NAME. \
            The cluster's authority signs them. Keep its folder (ca-key.pem) where only you can read it; hosts \
            need only their own folder. There is no revocation: a certificate ends when its days are over, so \
            make them as short as you can renew them.

            Example:
              ferry pki init --cluster prod --out keys/authority
              ferry pki issue --ca keys/authority --role agent --name host-a --out keys/agent-host-a
              ferry pki issue --ca keys/authority --role controller --name controller-1 --out keys/controller-controller-1
              ferry pki issue --ca keys/authority --role operator --name admin --out keys/operator-admin
              ferry pki show keys/agent-host-a
            """,
        subcommands: [Initialize.self, Issue.self, Show.self])

    struct Initialize: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "init",
            abstract:
                "Makes a cluster's authority. Refuses to overwrite one: that would lose the cluster.",
            discussion: """
                Example:
                  ferry pki init --cluster prod --out keys/authority
                """)

        @Option(help: "The cluster's name.", transform: { try ClusterName($0) })
        var cluster: ClusterName
        @Option(help: ArgumentHelp("Where ca.pem and ca-key.pem go.", valueName: "folder"))
        var out: String
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await reportFailures(to: output) {
                try convertPKIErrors { () throws(PKIError) in
                    try ClusterAuthority(cluster: cluster).writeKeyFiles(to: KeyFolder(out))
                }
                try printCertificate(at: "\(out)/ca.pem", output: output)
            }
        }
    }

    struct Issue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "issue",
            abstract: "Makes a key and a certificate for an agent, a controller or a user.",
            discussion: """
                Example:
                  ferry pki issue --ca keys/authority --role agent --name host-a --out keys/agent-host-a
                """)

        @Option(help: ArgumentHelp("The authority's folder.", valueName: "folder"))
        var ca: String
        @Option(help: "What its holder may do: agent, controller or operator.")
        var role: Role
        @Option(
            help: "The host's, the controller's or the user's name.",
            transform: { try HostName($0) })
        var name: HostName
        @Option(help: "How many days it is valid.")
        var days = 365
        @Option(help: ArgumentHelp("Where ca.pem, cert.pem and key.pem go.", valueName: "folder"))
        var out: String
        @Flag(help: "Overwrite a certificate and a key that are there.")
        var force = false
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await reportFailures(to: output) {
                try convertPKIErrors { () throws(PKIError) in
                    try ClusterAuthority(loading: KeyFolder(ca)).issueCertificate(
                        as: role, name: name, days: days, to: KeyFolder(out), overwrite: force)
                }
                try printCertificate(at: "\(out)/cert.pem", output: output)
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Shows what a certificate says.",
            discussion: """
                Example:
                  ferry pki show keys/agent-host-a
                """)

        @Argument(help: "A certificate's file, or a folder of keys.")
        var path: String
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await reportFailures(to: output) {
                let inFolder = ["cert.pem", "ca.pem"].map { "\(path)/\($0)" }
                let file = Folder.isPresent(at: path) ? inFolder.first(where: File.isPresent) : path
                try printCertificate(at: file ?? inFolder[0], output: output)
            }
        }
    }
}

extension Role: ExpressibleByArgument {}

/// A file in the way and the like are refusals, not failures.
private func convertPKIErrors(from body: () throws(PKIError) -> Void) throws {
    do throws(PKIError) { try body() } catch {
        throw CommandFailure(.refused, code: "keys", message: "\(error)")
    }
}

private struct CertificateText: Encodable {
    var kind: String
    var cluster: String
    var identity: String?
    var dnsNames: [String]
    var notValidBefore: String
    var notValidAfter: String
    var serialNumber: String
    var sha256: String

    init(of facts: CertificateFacts) {
        kind = facts.kind.rawValue
        cluster = facts.cluster
        identity = facts.identity?.description
        dnsNames = facts.dnsNames
        notValidBefore = facts.notValidBefore.formatted(.iso8601)
        notValidAfter = facts.notValidAfter.formatted(.iso8601)
        serialNumber = facts.serialNumber
        sha256 = facts.fingerprint
    }
}

private func printCertificate(at path: String, output: OutputOptions) throws {
    let text = CertificateText(of: try CertificateFacts(loading: path))
    try output.printResult(
        text,
        text: """
            \(path)
              kind      \(text.kind)
              cluster   \(text.cluster)
              identity  \(text.identity ?? "none")
              dns       \(text.dnsNames.isEmpty ? "none" : text.dnsNames.joined(separator: ", "))
              valid     \(text.notValidBefore) to \(text.notValidAfter)
              serial    \(text.serialNumber)
              sha256    \(text.sha256)
            """)
}
