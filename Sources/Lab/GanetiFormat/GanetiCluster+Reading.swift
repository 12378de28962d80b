// Reading the text: every line checked, every mistake told with its place.

extension GanetiCluster {
    /// - Parameter file: its name, for messages.
    package init(text: String, file: String) throws(GanetiFormatError) {
        var reader = Reader(file: file)
        try reader.readSections(from: text)
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

    mutating func readSections(from text: String) throws(GanetiFormatError) {
        guard text.utf8.count <= Limits.fileBytesMax else {
            throw formatError(
                field: "file", expected: "at most \(Limits.fileBytesMax) bytes",
                found: "\(text.utf8.count)")
        }
        var rest = text[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: "\n") ?? rest.endIndex
            try readNextLine(text: rest[..<end])
            rest = end == rest.endIndex ? "" : rest[rest.index(after: end)...]
        }
        // The tags may be empty and the policies missing, but instances end with an empty line.
        guard section >= 3 else {
            throw formatError(
                field: "sections", expected: "4 or 5 sections between empty lines",
                found: "\(section + 1)")
        }
    }

    private mutating func readNextLine(text: Substring) throws(GanetiFormatError) {
        line += 1
        if text.isEmpty {
            section += 1
            guard section < Self.sections.count else {
                throw formatError(field: "sections", expected: "at most 5 sections", found: text)
            }
            return
        }
        let columns = text.split(separator: "|", omittingEmptySubsequences: false)
        switch section {
        case 0: try readGroup(columns: columns)
        case 1: try readNode(columns: columns)
        case 2: try readInstance(columns: columns)
        case 3: cluster.tags.append(String(text))
        default: try readPolicy(columns: columns)
        }
    }

    private mutating func readGroup(columns: [Substring]) throws(GanetiFormatError) {
        try requireCount(of: columns, in: 3...5)
        guard groupIndices[String(columns[1])] == nil else {
            throw formatError(
                field: "group uuid", expected: "a uuid that no other group has", found: columns[1])
        }
        groupIndices[String(columns[1])] = cluster.groups.count
        cluster.groups.append(
            GanetiCluster.Group(
                name: try parseName(from: columns[0], field: "group name"), uuid: String(columns[1])
            ))
    }

    private mutating func readNode(columns: [Substring]) throws(GanetiFormatError) {
        try requireCount(of: columns, in: 9...15)
        let name = try parseName(from: columns[0], field: "node name")
        guard nodeIndices[name] == nil else {
            throw formatError(
                field: "node name", expected: "a name that no other node has", found: name)
        }
        guard let group = groupIndices[String(columns[8])] else {
            throw formatError(
                field: "group uuid", expected: "the uuid of a group above", found: columns[8])
        }
        guard ["M", "N", "Y"].contains(columns[7]) else {
            throw formatError(field: "role", expected: "M, N or Y", found: columns[7])
        }
        var node = GanetiCluster.Node(name: name, group: group)
        node.isOffline = columns[7] == "Y" || columns[1...6].contains("?")
        if !node.isOffline { try readResources(columns: columns, into: &node) }
        nodeIndices[name] = cluster.nodes.count
        cluster.nodes.append(node)
    }

    private func readResources(
        columns: [Substring], into node: inout GanetiCluster.Node
    ) throws(GanetiFormatError) {
        node.memoryMiB = try parseSize(from: columns[1], field: "total memory")
        node.ownMemoryMiB = try parseSize(from: columns[2], field: "node memory")
        node.freeMemoryMiB = try parseSize(from: columns[3], field: "free memory")
        node.diskMiB = try parseSize(from: columns[4], field: "total disk")
        node.freeDiskMiB = try parseSize(from: columns[5], field: "free disk")
        node.cores = try parseCount(from: columns[6], field: "cores", in: 1...Limits.coresMax)
        if columns.count > 9 { node.spindles = try parseCount(from: columns[9], field: "spindles") }
        if columns.count > 13 {
            node.ownCPUs = try parseCount(from: columns[13], field: "node CPUs")
        }
        guard columns.count > 14 else { return }
        guard let speed = Double(columns[14]), speed > 0, speed < 1e6 else {
            throw formatError(field: "CPU speed", expected: "a number above 0", found: columns[14])
        }
        node.cpuSpeed = speed
    }

    private mutating func readInstance(columns: [Substring]) throws(GanetiFormatError) {
        try requireCount(of: columns, in: 10...12)
        let name = try parseName(from: columns[0], field: "instance name")
        guard instanceNames.insert(name).inserted else {
            throw formatError(
                field: "instance name", expected: "a name that no other instance has", found: name)
        }
        guard let primary = nodeIndices[String(columns[6])] else {
            throw formatError(
                field: "primary node", expected: "the name of a node above", found: columns[6])
        }
        let secondary = columns[7].isEmpty ? nil : nodeIndices[String(columns[7])]
        guard columns[7].isEmpty || (secondary != nil && secondary != primary) else {
            throw formatError(
                field: "secondary node", expected: "nothing, or the name of another node above",
                found: columns[7])
        }
        guard ["Y", "N"].contains(columns[5]) else {
            throw formatError(field: "auto balance", expected: "Y or N", found: columns[5])
        }
        cluster.instances.append(
            GanetiCluster.Instance(
                name: name, memoryMiB: try parseSize(from: columns[1], field: "memory"),
                diskMiB: try parseSize(from: columns[2], field: "disk"),
                vcpus: try parseCount(from: columns[3], field: "vCPUs"),
                isOffline: columns[4] == "ADMIN_offline",
                primary: primary, secondary: secondary, diskTemplate: String(columns[8]),
                tags: columns[9].split(separator: ",").map(String.init),
                spindleUse: columns.count > 10
                    ? try parseCount(from: columns[10], field: "spindle use") : 1))
    }

    private mutating func readPolicy(columns: [Substring]) throws(GanetiFormatError) {
        try requireCount(of: columns, in: 6...7)
        var policy = GanetiCluster.Policy()
        // Older files have the standard and both bounds in three columns, newer ones the bounds in one.
        policy.vcpuRatio = try parseRatio(from: columns[columns.count - 2], field: "vCPU ratio")
        policy.spindleRatio = try parseRatio(
            from: columns[columns.count - 1], field: "spindle ratio")
        cluster.policies[String(columns[0])] = policy
    }
}

extension Reader {
    private func formatError(
        field: String, expected: String, found: some StringProtocol
    ) -> GanetiFormatError {
        GanetiFormatError(
            file: file, line: line, field: field, expected: expected, found: found)
    }

    private func requireCount(
        of columns: [Substring], in counts: ClosedRange<Int>
    ) throws(GanetiFormatError) {
        guard !counts.contains(columns.count) else { return }
        throw formatError(
            field: Self.sections[section],
            expected: "\(counts.lowerBound) to \(counts.upperBound) columns",
            found: "\(columns.count) columns")
    }

    private func parseName(from text: Substring, field: String) throws(GanetiFormatError) -> String
    {
        guard !text.isEmpty else {
            throw formatError(field: field, expected: "a name", found: text)
        }
        return String(text)
    }

    private func parseCount(
        from text: Substring, field: String, in range: ClosedRange<Int> = 0...Limits.coresMax
    ) throws(GanetiFormatError) -> Int {
        guard let value = Int(text), range.contains(value) else {
            throw formatError(
                field: field,
                expected: "a whole number from \(range.lowerBound) to \(range.upperBound)",
                found: text)
        }
        return value
    }

    private func parseSize(from text: Substring, field: String) throws(GanetiFormatError) -> Int {
        guard let value = Int(text), (0...Limits.mebibytesMax).contains(value) else {
            throw formatError(
                field: field, expected: "MiB, a whole number from 0 to \(Limits.mebibytesMax)",
                found: text)
        }
        return value
    }

    private func parseRatio(from text: Substring, field: String) throws(GanetiFormatError) -> Double
    {
        guard let value = Double(text), value > 0, value <= 1000 else {
            throw formatError(
                field: field, expected: "a number above 0 and at most 1000", found: text)
        }
        return value
    }
}
