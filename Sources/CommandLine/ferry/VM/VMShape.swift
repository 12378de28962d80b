// What a VM shall be and what it wishes of its host: the same words for `ferry vm create` and `ferry place`.

import API
import ArgumentParser
import ClusterText
import Model

struct VMShape: ParsableArguments {
    static let memoryUsual = ByteCount.mebibytes(512)

    @Option(help: "Memory, such as 512MiB or 4GiB (default: 512MiB).", transform: parseByteCount)
    var memory: ByteCount?
    @Option(
        name: [.customLong("vcpus"), .customLong("cpus")],
        help: "How many virtual CPUs (default: 1).")
    var vcpus: Int?
    @Flag(help: "Use 2 MiB huge pages for its memory.")
    var hugePages = false
    @Option(
        help: "The longest pause that a migration may cause, such as 50ms.",
        transform: { DowntimeLimit(try parseDuration(from: $0)) })
    var downtimeLimit: DowntimeLimit?
}

/// What only a controller can see to.
struct VMPolicyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A label that its host must have; may be repeated.", valueName: "label"))
    var label: [String] = []
    @Option(
        help: ArgumentHelp(
            "It runs where the others of this group run: GROUP[:host|rack|zone][:soft[=WEIGHT]]; may be repeated.",
            valueName: "group"),
        completion: .groupNames, transform: { try parseGroupSpec(from: $0, ofKind: .affinity) })
    var affinity: [GroupSpec] = []
    @Option(
        help: ArgumentHelp(
            "It runs apart from the others of this group; the same, and [:max=N]: so many may be in one place.",
            valueName: "group"),
        completion: .groupNames, transform: { try parseGroupSpec(from: $0, ofKind: .antiAffinity) })
    var antiAffinity: [GroupSpec] = []
    @Option(help: "Larger is more important: placed, moved and started again first.")
    var priority: Int?
    @Option(
        help: "What becomes of it when it or its host dies: leave or restart (default: leave).")
    var onFailure: FailurePolicy?
    @Option(
        help: ArgumentHelp("The only host that it may ever run on.", valueName: "host"),
        completion: .hostNames, transform: { try HostName($0) })
    var pin: HostName?
    @Flag(help: "Balance leaves it where it is; a drain does not.")
    var noBalance = false

    /// The options that were given, as they are written.
    var given: [String] {
        let all = [
            (!label.isEmpty, "--label"), (!affinity.isEmpty, "--affinity"),
            (!antiAffinity.isEmpty, "--anti-affinity"), (priority != nil, "--priority"),
            (onFailure != nil, "--on-failure"), (pin != nil, "--pin"), (noBalance, "--no-balance"),
        ]
        return all.filter(\.0).map(\.1)
    }
}

extension FailurePolicy: ExpressibleByArgument {}

@Sendable private func parseGroupSpec(from text: String, ofKind kind: GroupSpec.Kind) throws
    -> GroupSpec
{
    do { return try GroupSpec(parsing: text, ofKind: kind) } catch {
        throw ValidationError("\(error)")
    }
}

extension VMSpec {
    init(name: VMName, shape: VMShape) {
        self.init(name: name, memory: shape.memory ?? VMShape.memoryUsual)
        vcpus = shape.vcpus ?? vcpus
        hugePages = shape.hugePages
        downtimeLimit = shape.downtimeLimit ?? downtimeLimit
    }
}

extension ClusterVMPolicy {
    init(options wishes: VMPolicyOptions) {
        self.init()
        failurePolicy = wishes.onFailure ?? failurePolicy
        priority = wishes.priority ?? priority
        mayBeBalanced = !wishes.noBalance
        labels = wishes.label
        groups = wishes.affinity + wishes.antiAffinity
        pinnedHost = wishes.pin
    }
}
