// Reading the text: every line checked, every mistake told with its place.

extension GanetiCluster {
    /// - Parameter file: its name, for messages.
    package init(text: String, file: String) throws(GanetiFormatError) {
        var reader = Reader(file: file)
        try reader.read(text)
        self = reader.cluster
    }
}

private struct Reader {
    let file: String
    var cluster = GanetiCluster()
    private var line = 0
    private var section = 0
    private var groupIndices: [String: Int] = [:]
    private var nodeIndices: [String: Int] = [:]
    private var instanceNames: Set<String> = []

    private static let sections = ["groups", "nodes", "instances", "tags", "policies"]

    init(file: String) { self.file = file }

    mutating func read(_ text: String) throws(GanetiFormatError) {
        guard text.utf8.count <= Limits.fileBytesMax else {
            throw error("file", "at most \(Limits.fileBytesMax) bytes", "\(text.utf8.count)")
        }
        var rest = text[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: "\n") ?? rest.endIndex
            try readLine(rest[..<end])
            rest = end == rest.endIndex ? "" : rest[rest.index(after: end)...]
        }
        // The tags may be empty and the policies missing, but instances end with an empty line.
        guard section >= 3 else {
            throw error("sections", "4 or 5 sections between empty lines", "\(section + 1)")
        }
    }

    private mutating func readLine(_ text: Substring) throws(GanetiFormatError) {
        line += 1
        if text.isEmpty {
            section += 1
            guard section < Self.sections.count else {
                throw error("sections", "at most 5 sections", text)
            }
            return
        }
        let columns = text.split(separator: "|", omittingEmptySubsequences: false)
        switch section {
        case 0: try readGroup(columns)
        case 1: try readNode(columns)
        case 2: try readInstance(columns)
        case 3: cluster.tags.append(String(text))
        default: try readPolicy(columns)
        }
    }

    private mutating func readGroup(_ columns: [Substring]) throws(GanetiFormatError) {
        try expect(columns, 3...5)
        guard groupIndices[String(columns[1])] == nil else {
            throw error("group uuid", "a uuid that no other group has", columns[1])
        }
        groupIndices[String(columns[1])] = cluster.groups.count
        cluster.groups.append(
            GanetiCluster.Group(name: try name(columns[0], "group name"), uuid: String(columns[1])))
    }

    private mutating func readNode(_ columns: [Substring]) throws(GanetiFormatError) {
        try expect(columns, 9...15)
        let name = try name(columns[0], "node name")
        guard nodeIndices[name] == nil else {
            throw error("node name", "a name that no other node has", name)
        }
        guard let group = groupIndices[String(columns[8])] else {
            throw error("group uuid", "the uuid of a group above", columns[8])
        }
        guard ["M", "N", "Y"].contains(columns[7]) else {
            throw error("role", "M, N or Y", columns[7])
        }
        var node = GanetiCluster.Node(name: name, group: group)
        node.isOffline = columns[7] == "Y" || columns[1...6].contains("?")
        if !node.isOffline { try readFigures(columns, &node) }
        nodeIndices[name] = cluster.nodes.count
        cluster.nodes.append(node)
    }

    private func readFigures(
        _ columns: [Substring], _ node: inout GanetiCluster.Node
    ) throws(GanetiFormatError) {
        node.memoryMiB = try size(columns[1], "total memory")
        node.ownMemoryMiB = try size(columns[2], "node memory")
        node.freeMemoryMiB = try size(columns[3], "free memory")
        node.diskMiB = try size(columns[4], "total disk")
        node.freeDiskMiB = try size(columns[5], "free disk")
        node.cores = try count(columns[6], "cores", 1...Limits.coresMax)
        if columns.count > 9 { node.spindles = try count(columns[9], "spindles") }
        if columns.count > 13 { node.ownCPUs = try count(columns[13], "node CPUs") }
        guard columns.count > 14 else { return }
        guard let speed = Double(columns[14]), speed > 0, speed < 1e6 else {
            throw error("CPU speed", "a number above 0", columns[14])
        }
        node.cpuSpeed = speed
    }

    private mutating func readInstance(_ columns: [Substring]) throws(GanetiFormatError) {
        try expect(columns, 10...12)
        let name = try name(columns[0], "instance name")
        guard instanceNames.insert(name).inserted else {
            throw error("instance name", "a name that no other instance has", name)
        }
        guard let primary = nodeIndices[String(columns[6])] else {
            throw error("primary node", "the name of a node above", columns[6])
        }
        let secondary = columns[7].isEmpty ? nil : nodeIndices[String(columns[7])]
        guard columns[7].isEmpty || (secondary != nil && secondary != primary) else {
            throw error("secondary node", "nothing, or the name of another node above", columns[7])
        }
        guard ["Y", "N"].contains(columns[5]) else {
            throw error("auto balance", "Y or N", columns[5])
        }
        cluster.instances.append(
            GanetiCluster.Instance(
                name: name, memoryMiB: try size(columns[1], "memory"),
                diskMiB: try size(columns[2], "disk"),
                vcpus: try count(columns[3], "vCPUs"), isOffline: columns[4] == "ADMIN_offline",
                primary: primary, secondary: secondary, diskTemplate: String(columns[8]),
                tags: columns[9].split(separator: ",").map(String.init),
                spindleUse: columns.count > 10 ? try count(columns[10], "spindle use") : 1))
    }

    private mutating func readPolicy(_ columns: [Substring]) throws(GanetiFormatError) {
        try expect(columns, 6...7)
        var policy = GanetiCluster.Policy()
        // Older files have the standard and both bounds in three columns, newer ones the bounds in one.
        policy.vcpuRatio = try ratio(columns[columns.count - 2], "vCPU ratio")
        policy.spindleRatio = try ratio(columns[columns.count - 1], "spindle ratio")
        cluster.policies[String(columns[0])] = policy
    }
}

extension Reader {
    private func error(
        _ field: String, _ expected: String, _ found: some StringProtocol
    ) -> GanetiFormatError {
        GanetiFormatError(
            file: file, line: line, field: field, expected: expected, found: found)
    }

    private func expect(
        _ columns: [Substring], _ counts: ClosedRange<Int>
    ) throws(GanetiFormatError) {
        guard !counts.contains(columns.count) else { return }
        throw error(
            Self.sections[section], "\(counts.lowerBound) to \(counts.upperBound) columns",
            "\(columns.count) columns")
    }

    private func name(_ text: Substring, _ field: String) throws(GanetiFormatError) -> String {
        guard !text.isEmpty else { throw error(field, "a name", text) }
        return String(text)
    }

    private func count(
        _ text: Substring, _ field: String, _ range: ClosedRange<Int> = 0...Limits.coresMax
    ) throws(GanetiFormatError) -> Int {
        guard let value = Int(text), range.contains(value) else {
            throw error(
                field, "a whole number from \(range.lowerBound) to \(range.upperBound)", text)
        }
        return value
    }

    private func size(_ text: Substring, _ field: String) throws(GanetiFormatError) -> Int {
        guard let value = Int(text), (0...Limits.mebibytesMax).contains(value) else {
            throw error(field, "MiB, a whole number from 0 to \(Limits.mebibytesMax)", text)
        }
        return value
    }

    private func ratio(_ text: Substring, _ field: String) throws(GanetiFormatError) -> Double {
        guard let value = Double(text), value > 0, value <= 1000 else {
            throw error(field, "a number above 0 and at most 1000", text)
        }
        return value
    }
}
