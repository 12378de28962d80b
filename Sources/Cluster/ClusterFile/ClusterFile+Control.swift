// Reads what the controllers need: who they are, where they keep the cluster's state, how they schedule.

import Host
import Model
import Placement
import Yams

extension ClusterFile {
    static func readController(
        from item: (node: Node, key: String), path: String
    ) throws(ClusterFileError) -> Controller {
        let reader = try MappingReader(item.node, at: item.key, in: path, known: ["name", "api"])
        return Controller(
            name: try reader.readValue(
                forKey: "name", wanted: "a name of lower-case letters, digits and '-'"
            ) {
                try? HostName($0)
            },
            api: try reader.readValue(forKey: "api", wanted: address) { SocketAddress($0) })
    }

    static func readStore(
        from root: MappingReader, resolvingPath absolute: (String) -> String?
    ) throws(ClusterFileError) -> Store {
        guard
            let reader = try root.readMapping(
                forKey: "store", known: ["kind", "endpoints", "keys-folder"])
        else { return .sqlite }
        let isEtcd = try reader.readValue(forKey: "kind", wanted: "sqlite or etcd") {
            ["sqlite": false, "etcd": true][$0]
        }
        guard isEtcd else { return .sqlite }
        let endpoints = try reader.readTexts(
            forKey: "endpoints", limit: Limits.endpointsMax,
            wanted: "http://HOST:PORT or https://HOST:PORT"
        ) { ($0.hasPrefix("https://") || $0.hasPrefix("http://")) && $0.utf8.count <= 200 }
        guard let first = endpoints.first else {
            throw reader.missingKeyError(for: "endpoints")
        }
        guard first.hasPrefix("https://") else {
            return .etcd(endpoints: endpoints, keysFolder: nil)
        }
        return .etcd(
            endpoints: endpoints,
            keysFolder: try reader.readValue(
                forKey: "keys-folder", wanted: "a path", parse: absolute))
    }

    static func readControl(from root: MappingReader) throws(ClusterFileError) -> Control {
        var control = Control()
        let times: [(name: String, path: WritableKeyPath<Control, Duration>)] = [
            ("heartbeat", \.heartbeat), ("host-lease", \.hostLease),
            ("controller-lease", \.controllerLease),
        ]
        guard
            let reader = try root.readMapping(
                forKey: "control", known: times.map(\.name) + ["policy", "balance"])
        else { return control }
        for time in times {
            control[keyPath: time.path] = try reader.readValue(
                forKey: time.name, usual: control[keyPath: time.path],
                wanted: "a time from 500ms to 1h, such as 5s"
            ) { Duration(text: $0).flatMap { Limits.controlTime.contains($0) ? $0 : nil } }
        }
        control.policy = try reader.readValue(
            forKey: "policy", usual: control.policy,
            wanted: NamedPolicies.names.joined(separator: ", ")
        ) { NamedPolicies.names.contains($0) ? $0 : nil }
        control.balance = try reader.readValue(
            forKey: "balance", usual: control.balance, wanted: "off, advise or auto"
        ) { ["off", "advise", "auto"].contains($0) ? $0 : nil }
        guard control.hostLease >= control.heartbeat * 2 else {
            throw reader.badValueError(
                for: "host-lease",
                wanted: "at least twice the heartbeat, which is \(control.heartbeat)")
        }
        return control
    }
}

/// Reads the scheduler's part of a host.
struct TraitsReader {
    static let keys = [
        "labels", "zone", "rack", "link", "link-speed", "cpu-overcommit", "memory-overcommit",
    ]
    let reader: MappingReader

    func readTraits() throws(ClusterFileError) -> ClusterFile.Traits {
        var traits = ClusterFile.Traits()
        traits.labels = try reader.readTexts(
            forKey: "labels", limit: Limits.labelsMax,
            wanted: "KEY=VALUE or a word, without spaces",
            accepting: Self.isPlainWord)
        let words: [(name: String, path: WritableKeyPath<ClusterFile.Traits, String>)] = [
            ("zone", \.zone), ("rack", \.rack), ("link", \.link),
        ]
        for word in words {
            traits[keyPath: word.path] = try reader.readValue(
                forKey: word.name, usual: "", wanted: "a word without spaces"
            ) { Self.isPlainWord($0) ? $0 : nil }
        }
        traits.linkBytesPerSecond = try reader.readValue(
            forKey: "link-speed", usual: traits.linkBytesPerSecond,
            wanted: "a speed such as 10Gbit",
            parse: Self.parseBytesPerSecond)
        let ratios: [(name: String, path: WritableKeyPath<ClusterFile.Traits, Double>)] = [
            ("cpu-overcommit", \.cpuOvercommit), ("memory-overcommit", \.memoryOvercommit),
        ]
        for ratio in ratios {
            traits[keyPath: ratio.path] = try reader.readValue(
                forKey: ratio.name, usual: 1, wanted: "a number from 0.1 to 100"
            ) { Double($0).flatMap { (0.1...100).contains($0) ? $0 : nil } }
        }
        return traits
    }

    private static func isPlainWord(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= Limits.wordBytesMax
            && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: ",") }
    }

    private static func parseBytesPerSecond(_ text: String) -> Double? {
        for (unit, factor) in [("Gbit", 1.25e8), ("Mbit", 1.25e5)] where text.hasSuffix(unit) {
            guard let number = Double(text.dropLast(unit.count)), number > 0, number <= 1e6
            else { return nil }
            return number * factor
        }
        return nil
    }
}
