// ferry vm recover: what every host knows of a VM, what would be safe, and rulings.

import API
import ArgumentParser
import Clients
import Host
import Model

extension VMCommand {
    struct Recover: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows who knows what of a VM that runs nowhere, and rules about it.",
            discussion: """
                When the answer to a handover is lost, the VM runs nowhere until both hosts have talked; their \
                agents try all the time. This shows what each host's ledger says and what is really there. \
                Bringing the silent host back is always safe, and needs nothing more.

                When it cannot come back you may rule. --run-here HOST makes the host that released the VM take \
                it back: if the other host is alive after all, two copies run until it has heard. --forget-peer \
                ends the waiting for a host that is gone for good. --give-up HOST makes a destination that \
                cannot decide write down that the VM never ran there; that is safe. What is not safe asks for \
                the VM's name, or takes it from --confirm.

                Example:
                  ferry vm recover web
                  ferry vm recover web --run-here host-a --confirm web
                """)
        @Argument(help: "The VM's name.", completion: .vmNames, transform: { try VMName($0) })
        var name: VMName
        @Option(
            help: ArgumentHelp(
                "The host that released the VM takes it back. Not safe.", valueName: "host"),
            transform: { try HostName($0) })
        var runHere: HostName?
        @Flag(help: "The host that was ruled against is gone for good. Not safe.")
        var forgetPeer = false
        @Option(
            help: ArgumentHelp(
                "The destination gives up the VM that waits there for its fate.", valueName: "host"),
            transform: { try HostName($0) })
        var giveUp: HostName?
        @Option(
            help: ArgumentHelp("The VM's name again, instead of being asked.", valueName: "name"),
            transform: { try VMName($0) })
        var confirm: VMName?
        @OptionGroup var cluster: ClusterOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if [runHere != nil, forgetPeer, giveUp != nil].count(where: { $0 }) > 1 {
                throw ValidationError("one ruling at a time")
            }
        }

        func run() async throws {
            try await Session.withConnection(to: cluster, reporting: output) { session in
                let picture = try await RecoveryOverview(of: name, in: session)
                guard let choice = try chooseOption(from: picture) else {
                    if output.output == .json { print(try encodedJSON(of: picture)) }
                    return
                }
                try await applyRecovery(choice, in: session)
            }
        }

        private typealias Choice = (place: RecoveryInfo, option: RecoveryOption)

        /// The ruling that the flags name, or that a person chooses from the picture; nil for none.
        private func chooseOption(from picture: RecoveryOverview) throws -> Choice? {
            if let runHere { return try picture.recoveryOption(for: .takeOver, at: runHere) }
            if let giveUp { return try picture.recoveryOption(for: .giveUp, at: giveUp) }
            if forgetPeer { return try picture.recoveryOption(for: .forgetPeer, at: nil) }
            guard output.output == .text else { return nil }
            print(picture.text)
            guard StandardStreams.inputIsTerminal, !picture.options.isEmpty else { return nil }
            print("Number of the ruling, or Enter for none: ", terminator: "")
            guard let number = readLine().flatMap({ Int($0) }),
                picture.options.indices.contains(number - 1)
            else { return nil }
            return picture.options[number - 1]
        }

        private func applyRecovery(_ choice: Choice, in session: Session) async throws {
            let (place, option) = choice
            // The ruling is addressed by the name that the VM has on that host.
            guard let there = place.name else {
                throw CommandFailure(
                    .refused, code: "nothing_to_rule",
                    message: "host \(place.host) knows VM \(name) from its ledger alone")
            }
            var confirmed = confirm
            if let risk = option.risk, confirm == nil {
                confirmed = try requestConfirmation(forRisk: risk, name: there)
            }
            let request = RecoverVM(
                action: option.action, epoch: place.ledger.epoch, confirm: confirmed)
            let after = try await session.requireAgent(on: place.host).recoverVM(
                with: request, on: there)
            try output.printResult(after, text: "host \(after.host), VM \(there): \(after.words)")
        }

        private func requestConfirmation(forRisk risk: String, name: VMName) throws -> VMName {
            guard output.output == .text, StandardStreams.inputIsTerminal else {
                throw CommandFailure(
                    .refused, code: "not_confirmed",
                    message: "this is not safe: \(risk). If you are sure, add --confirm \(name)")
            }
            print("This is not safe: \(risk).\nType the VM's name to go on: ", terminator: "")
            guard readLine() == name.text else {
                throw CommandFailure(.refused, code: "not_confirmed", message: "nothing was done")
            }
            return name
        }
    }
}
