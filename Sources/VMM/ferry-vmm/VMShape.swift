// The VM that a ferry-vmm runs: whole as JSON, as an agent gives it, or option by option, by hand.

import ArgumentParser
import FoundationEssentials
import Machine
import Model

struct VMShape: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The whole VM as JSON, as in vm.json; in place of the options below.",
            valueName: "json"),
        transform: { text in
            do { return try JSONDecoder().decode(VMSpec.self, from: Data(text.utf8)) } catch {
                throw ValidationError("the text is not a VM's spec: \(error)")
            }
        })
    var spec: VMSpec?
    @Option(help: "The VM's name.", transform: { try VMName($0) })
    var name: VMName?
    @Option(
        help: "Memory, a multiple of 2MiB from 16MiB on, such as 1GiB.",
        transform: argumentParser(expecting: "a size such as 1GiB"))
    var memory: ByteCount?
    @Option(help: "The number of virtual CPUs. (default: 1)")
    var vcpus: Int?
    @Flag(help: "Back guest memory with 2 MiB huge pages.")
    var hugePages = false
    @Option(
        help: "The longest pause that a migration may cause. (default: 50ms)",
        transform: { text in
            guard let limit = Duration(text: text) else {
                throw ValidationError("'\(text)' is not a duration such as 50ms")
            }
            return DowntimeLimit(limit)
        })
    var downtimeLimit: DowntimeLimit?
    @Option(help: "The kernel's command line.")
    var commandLine: String?
    @Flag(help: "Run the guest only while an agent grants it a lease; begin with --paused.")
    var leased = false

    func validate() throws {
        let isByHand =
            name != nil || memory != nil || vcpus != nil || hugePages || downtimeLimit != nil
            || commandLine != nil || leased
        if spec != nil, isByHand {
            throw ValidationError("--spec describes the whole VM: give no other options of it")
        }
    }

    var isLeased: Bool { spec?.isLeased ?? leased }

    /// The spec that the machine gets.
    var source: VMMOptions.SpecSource {
        if let spec { return { _ in spec } }
        let (name, memory, vcpus, hugePages) = (name, memory, vcpus, hugePages)
        let (downtimeLimit, commandLine, leased) = (downtimeLimit, commandLine, leased)
        return { saved throws(MachineError) in
            var spec: VMSpec
            if let saved {
                spec = saved
                spec.name = name ?? spec.name
                spec.memory = memory ?? spec.memory
            } else {
                guard let name else { throw .specification("give the VM a --name") }
                guard let memory else {
                    throw .specification("say how much --memory the VM has")
                }
                spec = VMSpec(name: name, memory: memory, kernel: .unknown)
            }
            spec.vcpus = vcpus ?? spec.vcpus
            spec.hugePages = hugePages || spec.hugePages
            spec.downtimeLimit = downtimeLimit ?? spec.downtimeLimit
            spec.commandLine = commandLine ?? spec.commandLine
            spec.isLeased = leased
            return spec
        }
    }
}
