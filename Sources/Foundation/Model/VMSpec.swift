// What a VM is made of, as its user asked for it. It travels with the VM.

/// A VM as asked for; the parts that a host needs to build it, here or after a move.
public struct VMSpec: Hashable, Sendable, Codable {
    public static let vcpusMax = 64
    public static let commandLineBytesMax = 2048
    public static let downtimeLimitDefault = Duration.milliseconds(50)

    public var name: VMName
    public var memory: ByteCount
    public var vcpus: Int
    /// Back guest RAM with 2 MiB hugetlb pages.
    public var hugePages: Bool
    /// The longest pause that a migration may cause.
    public var downtimeLimit: Duration
    /// The kernel's command line.
    public var commandLine: String
    /// What it boots, and boots again after a reset.
    public var kernel: KernelSource
    /// It stops for good when its host's lease ends, so that it can be started elsewhere without that host's word.
    public var isLeased: Bool

    public init(
        name: VMName, memory: ByteCount, vcpus: Int = 1, hugePages: Bool = false,
        downtimeLimit: Duration = Self.downtimeLimitDefault, commandLine: String = "",
        kernel: KernelSource = .unknown, isLeased: Bool = false
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

    /// The first thing wrong with it, in words; nil when it can be built.
    public var problem: String? {
        if GuestMemoryLayout(memory: memory) == nil {
            return
                "memory is \(memory): use a multiple of 2MiB from \(GuestMemoryLayout.bytesMin) to \(GuestMemoryLayout.bytesMax)"
        }
        if !(1...Self.vcpusMax).contains(vcpus) {
            return "vcpus is \(vcpus): use 1 to \(Self.vcpusMax)"
        }
        if commandLine.utf8.count > Self.commandLineBytesMax {
            return
                "the command line has \(commandLine.utf8.count) bytes: at most \(Self.commandLineBytesMax)"
        }
        if commandLine.utf8.contains(0) { return "the command line holds a zero byte" }
        if downtimeLimit <= .zero || downtimeLimit > .seconds(60) {
            return "the downtime limit is \(downtimeLimit): use more than 0 and at most 60s"
        }
        return nil
    }
}
