// Reads a cluster file strictly: what is not known is an error, not a silence.

import Host
import Model
import Yams

let address = "an IP address and a port such as 10.0.0.1:7101"

extension ClusterFile {
    /// - Parameter folder: what relative paths in the file are relative to.
    package init(loading path: String, relativeTo folder: String) throws(ClusterFileError) {
        let bytes: [UInt8]
        do { bytes = try File.readContents(at: path, limit: Limits.fileBytesMax) } catch {
            throw .unreadable(path: path, error)
        }
        try self.init(
            yaml: String(decoding: bytes, as: UTF8.self), path: path, relativeTo: folder)
    }

    package init(
        yaml: String, path: String, relativeTo folder: String
    ) throws(ClusterFileError) {
        let root: Node?
        do { root = try Yams.compose(yaml: yaml) } catch {
            throw .notYAML(path: path, reason: "\(error)")
        }
        let reader = try MappingReader(
            root, at: "", in: path,
            known: [
                "cluster", "state-folder", "keys-folder", "memory-reserve", "migration", "hosts",
                "controllers", "store", "control",
            ])
        self.path = path
        cluster = try reader.readValue(
            forKey: "cluster", wanted: "a name of lower-case letters, digits and '-'"
        ) {
            try? ClusterName($0)
        }
        func resolvePath(_ path: String) -> String? {
            path.isEmpty ? nil : path.hasPrefix("/") ? path : "\(folder)/\(path)"
        }
        stateFolder = try reader.readValue(
            forKey: "state-folder", wanted: "a path", parse: resolvePath)
        keysFolder = try reader.readValue(
            forKey: "keys-folder", wanted: "a path", parse: resolvePath)
        memoryReserve =
            reader.hasValue(forKey: "memory-reserve")
            ? try reader.readValue(
                forKey: "memory-reserve", wanted: "a size such as 512MiB, at most 1024TiB",
                parse: Self.parseMemoryReserve)
            : .mebibytes(Limits.memoryReserveDefaultMiB)
        patience = try Self.readPatience(from: reader)
        controllers =
            reader.hasValue(forKey: "controllers")
            ? try reader.readList(forKey: "controllers", limit: Limits.controllersMax).map {
                (item) throws(ClusterFileError) in
                try Self.readController(from: item, path: path)
            } : []
        store = try Self.readStore(from: reader, resolvingPath: resolvePath)
        control = try Self.readControl(from: reader)
        hosts = try reader.readList(forKey: "hosts", limit: Limits.hostsMax).map {
            (item) throws(ClusterFileError) in
            try Self.readMember(from: item, path: path)
        }
        try refuseDuplicates()
        if controllers.count > 1, store == .sqlite {
            throw .badValue(
                path: path, key: "controllers", value: "\(controllers.count) controllers",
                wanted: "one controller with the store sqlite, or `store: kind: etcd` for several")
        }
    }

    private static func readMember(
        from item: (node: Node, key: String), path: String
    ) throws(ClusterFileError) -> Member {
        let reader = try MappingReader(
            item.node, at: item.key, in: path,
            known: ["name", "api", "peer"] + TraitsReader.keys)
        return Member(
            name: try reader.readValue(
                forKey: "name", wanted: "a name of lower-case letters, digits and '-'"
            ) {
                try? HostName($0)
            },
            api: try reader.readValue(forKey: "api", wanted: address) { SocketAddress($0) },
            peer: try reader.readValue(forKey: "peer", wanted: address) { SocketAddress($0) },
            traits: try TraitsReader(reader: reader).readTraits())
    }

    private static func readPatience(from root: MappingReader) throws(ClusterFileError) -> Patience
    {
        var patience = Patience()
        let keys: [(name: String, path: WritableKeyPath<Patience, Duration>)] = [
            ("dead-peer-after", \.deadPeer),
            ("dead-peer-after-in-handover", \.deadPeerInHandover),
            ("keep-broken-for", \.keepBroken),
        ]
        guard let reader = try root.readMapping(forKey: "migration", known: keys.map(\.name)) else {
            return patience
        }
        for key in keys where reader.hasValue(forKey: key.name) {
            patience[keyPath: key.path] = try reader.readValue(
                forKey: key.name, wanted: "a time from 1s to 1h, such as 10s"
            ) {
                Duration(text: $0).flatMap { Limits.patience.contains($0) ? $0 : nil }
            }
        }
        return patience
    }

    private static func parseMemoryReserve(_ text: String) -> ByteCount? {
        ByteCount(text).flatMap { $0 <= .mebibytes(Limits.memoryReserveMaxMiB) ? $0 : nil }
    }

    private func refuseDuplicates() throws(ClusterFileError) {
        var names: Set<HostName> = []
        var addresses: Set<SocketAddress> = []
        for controller in controllers {
            guard names.insert(controller.name).inserted else {
                throw .duplicate(path: path, key: "controllers.name", value: "\(controller.name)")
            }
            guard addresses.insert(controller.api).inserted else {
                throw .duplicate(path: path, key: "controllers.api", value: "\(controller.api)")
            }
        }
        // A host may have a controller's name: they have different roles.
        names = []
        for host in hosts {
            guard names.insert(host.name).inserted else {
                throw .duplicate(path: path, key: "hosts.name", value: "\(host.name)")
            }
            for address in [host.api, host.peer] where !addresses.insert(address).inserted {
                throw .duplicate(path: path, key: "hosts.api or hosts.peer", value: "\(address)")
            }
        }
    }
}

/// A mapping of a YAML file whose keys are all known.
struct MappingReader {
    private let path: String
    private let prefix: String
    private let mapping: Node.Mapping

    init(
        _ node: Node?, at key: String, in path: String, known: [String]
    ) throws(ClusterFileError) {
        self.path = path
        prefix = key.isEmpty ? "" : key + "."
        guard let mapping = node?.mapping else {
            throw .badValue(
                path: path, key: key.isEmpty ? "(the file)" : key, value: node?.string ?? "",
                wanted: "keys and values: \(known.joined(separator: ", "))")
        }
        self.mapping = mapping
        for (name, _) in mapping {
            guard let text = name.string, known.contains(text) else {
                throw .unknownKey(path: path, key: prefix + (name.string ?? "?"), known: known)
            }
        }
    }

    func missingKeyError(for key: String) -> ClusterFileError {
        .missingKey(path: path, key: prefix + key)
    }

    func badValueError(for key: String, wanted: String) -> ClusterFileError {
        .badValue(
            path: path, key: prefix + key,
            value: mapping[Node(key)]?.scalar?.string ?? "the usual value", wanted: wanted)
    }

    func hasValue(forKey key: String) -> Bool { mapping[Node(key)] != nil }

    /// The mapping under a key; nil when the key is not there.
    func readMapping(forKey key: String, known: [String]) throws(ClusterFileError) -> MappingReader?
    {
        guard let node = mapping[Node(key)] else { return nil }
        return try MappingReader(node, at: prefix + key, in: path, known: known)
    }

    func readValue<Value>(
        forKey key: String, wanted: String, parse: (String) -> Value?
    ) throws(ClusterFileError) -> Value {
        guard let node = mapping[Node(key)] else {
            throw .missingKey(path: path, key: prefix + key)
        }
        guard let text = node.scalar?.string, let value = parse(text) else {
            throw .badValue(
                path: path, key: prefix + key, value: node.scalar?.string ?? "not a single value",
                wanted: wanted)
        }
        return value
    }

    func readList(forKey key: String, limit: Int) throws(ClusterFileError) -> [(
        node: Node, key: String
    )] {
        guard let node = mapping[Node(key)] else {
            throw .missingKey(path: path, key: prefix + key)
        }
        guard let items = node.sequence, (1...limit).contains(items.count) else {
            throw .badValue(
                path: path, key: prefix + key, value: node.scalar?.string ?? "",
                wanted: "a list of 1 to \(limit)")
        }
        return items.enumerated().map { ($1, "\(prefix)\(key)[\($0)]") }
    }

    /// A list of plain texts; empty when the key is not there.
    func readTexts(
        forKey key: String, limit: Int, wanted: String, accepting isGood: (String) -> Bool
    ) throws(ClusterFileError) -> [String] {
        guard hasValue(forKey: key) else { return [] }
        var texts: [String] = []
        for item in try readList(forKey: key, limit: limit) {
            guard let text = item.node.scalar?.string, isGood(text) else {
                throw .badValue(
                    path: path, key: item.key, value: item.node.scalar?.string ?? "not a text",
                    wanted: wanted)
            }
            texts.append(text)
        }
        return texts
    }

    /// The value, or what is usual when the key is not there.
    func readValue<Value>(
        forKey key: String, usual: Value, wanted: String, parse: (String) -> Value?
    ) throws(ClusterFileError) -> Value {
        hasValue(forKey: key) ? try readValue(forKey: key, wanted: wanted, parse: parse) : usual
    }
}
