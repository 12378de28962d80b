// What a VM is, as its user asked for it. It travels with the VM, and every message and record nests it whole: REST
// requests and views, the controller's records, vm.json, the start of ferry-vmm and the offer of a migration.
//
// A new field is a property here, with its key, its default and its check. `disks`, `nics` and `boot` belong between
// `hugePages` and `downtimeLimit`, each as one value of its own type. The binary codecs (`VMSpec+Wire` of VMControl,
// `MigrationOffer` of MigrationProtocol) have versions and list their fields themselves.

/// A VM as asked for; the parts that a host needs to build it, here or after a migration.
public struct VMSpec: Hashable, Sendable {
    public static let vcpusMax = 64
    public static let commandLineBytesMax = 2048

    public var name: VMName
    public var memory: ByteCount
    public var vcpus: Int
    /// Back guest RAM with 2 MiB hugetlb pages.
    public var hugePages: Bool
    /// The longest pause that a migration may cause.
    public var downtimeLimit: DowntimeLimit
    /// The kernel's command line. Nil: the default of the kernel that comes with Ferry; empty for any other.
    public var commandLine: String?
    /// What it boots, and boots again after a reset.
    public var kernel: KernelSource
    /// It stops when its host's lease ends and does not run again there, so that it can be started elsewhere although
    /// that host does not answer.
    public var isLeased: Bool

    public init(
        name: VMName, memory: ByteCount, vcpus: Int = 1, hugePages: Bool = false,
        downtimeLimit: DowntimeLimit = .usual, commandLine: String? = nil,
        kernel: KernelSource = .shipped, isLeased: Bool = false
    ) {
        self.name = name
        self.memory = memory
        self.vcpus = vcpus
        self.hugePages = hugePages
        self.downtimeLimit = downtimeLimit
        self.commandLine = commandLine
        self.kernel = kernel
        self.isLeased = isLeased
    }

    /// How long finding and clearing its huge pages may take: they are all taken at once. None for other pages.
    public var hugePageTime: Duration {
        hugePages ? .milliseconds(1000 * (memory.bytes >> 30) + 1000) : .zero
    }
}

// MARK: - JSON

extension VMSpec: Codable {
    enum CodingKeys: String, CodingKey {
        case name
        case memory = "memoryBytes"
        case vcpus, hugePages
        case downtimeLimit = "downtimeLimitMs"
        case commandLine, kernel, isLeased
    }

    /// A key that is absent, or null, stands for the default.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            name: try fields.decode(VMName.self, forKey: .name),
            memory: try fields.decode(ByteCount.self, forKey: .memory))
        vcpus = try fields.decodeIfPresent(Int.self, forKey: .vcpus) ?? vcpus
        hugePages = try fields.decodeIfPresent(Bool.self, forKey: .hugePages) ?? hugePages
        downtimeLimit =
            try fields.decodeIfPresent(DowntimeLimit.self, forKey: .downtimeLimit) ?? downtimeLimit
        commandLine = try fields.decodeIfPresent(String.self, forKey: .commandLine)
        kernel = try fields.decodeIfPresent(KernelSource.self, forKey: .kernel) ?? kernel
        isLeased = try fields.decodeIfPresent(Bool.self, forKey: .isLeased) ?? isLeased
    }
}

// MARK: - Check

extension VMSpec {
    /// The first thing wrong with it, as a sentence; nil when it can be built.
    public var problem: String? {
        if GuestMemoryLayout(memory: memory) == nil {
            return
                "memory is \(memory): use a multiple of 2MiB from \(GuestMemoryLayout.bytesMin) to \(GuestMemoryLayout.bytesMax)"
        }
        if !(1...Self.vcpusMax).contains(vcpus) {
            return "vcpus is \(vcpus): use 1 to \(Self.vcpusMax)"
        }
        return commandLineProblem ?? downtimeLimit.problem ?? kernel.problem
    }

    private var commandLineProblem: String? {
        guard let bytes = commandLine?.utf8 else { return nil }
        if bytes.count > Self.commandLineBytesMax {
            return "the command line has \(bytes.count) bytes: at most \(Self.commandLineBytesMax)"
        }
        return bytes.contains(0) ? "the command line holds a zero byte" : nil
    }
}
