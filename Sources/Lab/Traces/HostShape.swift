// Hosts as a command line says them: "32c/256GiB", and lists as "100" or "100x32c/256GiB,20x64c/512GiB".

package import Model
package import Placement

package enum HostListError: Error, Hashable, Sendable {
    case badShape(String)
    case badCount(String)
    case tooManyHosts(max: Int)
}

extension HostListError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .badShape(let text):
            "'\(text.prefix(40))' is no shape of a host: write cores and memory as in 32c/256GiB"
        case .badCount(let text):
            "'\(text.prefix(40))' is no number of hosts: write 100, or 100x32c/256GiB, lists of them with commas"
        case .tooManyHosts(let max): "there can be \(max) hosts at most"
        }
    }
}

/// Cores and memory of a host. Text form: "32c/256GiB".
package struct HostShape: Hashable, Sendable, CustomStringConvertible {
    package let cores: Int
    package let memory: ByteCount

    package init(cores: Int, memory: ByteCount) {
        self.cores = cores
        self.memory = memory
    }

    package init(text: String) throws(HostListError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].last == "c", let cores = Int(parts[0].dropLast()),
            (1...Limits.coresMax).contains(cores), let memory = ByteCount(String(parts[1])),
            (1...UInt64(Limits.memoryBytesMax)).contains(memory.bytes)
        else { throw .badShape(text) }
        self.init(cores: cores, memory: memory)
    }

    package var description: String { "\(cores)c/\(memory)" }
}

/// Hosts in order, as many of each shape.
package struct HostList: Hashable, Sendable {
    package var parts: [(count: Int, shape: HostShape)] { zip(counts, shapes).map { ($0, $1) } }
    private var counts: [Int] = []
    private var shapes: [HostShape] = []

    /// - Parameter shape: of parts that say a number alone.
    package init(text: String, shape: HostShape) throws(HostListError) {
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let words = part.split(separator: "x", maxSplits: 1, omittingEmptySubsequences: false)
            guard let count = Int(words[0]), count > 0 else { throw .badCount(String(part)) }
            counts.append(min(count, Limits.hostsMax + 1))
            shapes.append(words.count == 2 ? try HostShape(text: String(words[1])) : shape)
            guard counts.reduce(0, +) <= Limits.hostsMax else {
                throw .tooManyHosts(max: Limits.hostsMax)
            }
        }
    }

    /// "host-0" and so on.
    package var hosts: [PlacementHost] {
        var hosts: [PlacementHost] = []
        for (count, shape) in parts {
            for _ in 0..<count {
                hosts.append(
                    PlacementHost(
                        name: "host-\(hosts.count)",
                        capacity: Resources(vcpus: shape.cores, memory: shape.memory)))
            }
        }
        return hosts
    }
}
