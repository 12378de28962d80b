// The CPU features that a VM was started with or a host has, by the names that /proc/cpuinfo uses.

/// A set of CPU features.
public struct CPUFeatures: Hashable, Sendable, Codable {
    /// Names as in /proc/cpuinfo ("avx2", "sse4_2"), sorted, each once.
    public let names: [String]

    public init(_ names: some Sequence<String>) { self.names = Set(names).sorted() }

    /// The features of `self` that `host` lacks, sorted: what stands in the way of running there.
    public func missingFeatures(on host: CPUFeatures) -> [String] {
        let present = Set(host.names)
        return names.filter { !present.contains($0) }
    }

    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode([String].self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(names)
    }
}
