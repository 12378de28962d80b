// How the version before wrote a VM: its fields stood flat in each message and record. Requests in that shape are still
// accepted, and the answers of older agents, vm.json files and stored records in that shape are still read. Nothing is
// written in it any more.
//
//   CreateVM, CreateClusterVM   name, memoryBytes, …, kernelPath, initrdPath
//   VMInfo                      the same, and hasShippedKernel
//   vm.json                     name, memoryBytes, …, downtimeLimitNs, kernel as {"shipped":{}},
//                               {"files":{"kernel":…,"initrd":…}} or {"unknown":{}}

extension VMSpec {
    /// The names that only the flat shape has.
    public static let flatNames: Set<String> = ["kernelPath", "initrdPath"]

    private enum FlatKeys: String, CodingKey {
        case kernelPath, initrdPath, hasShippedKernel, downtimeLimitNs, kernel
    }

    /// The spec under `key` of a message or record; where there is none, the one whose fields stand flat in it.
    public init<Key: CodingKey>(nestedIn decoder: any Decoder, forKey key: Key) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        if fields.contains(key) {
            self = try fields.decode(VMSpec.self, forKey: key)
        } else {
            try self.init(flatIn: decoder)
        }
    }

    private init(flatIn decoder: any Decoder) throws {
        try self.init(from: decoder)
        let fields = try decoder.container(keyedBy: FlatKeys.self)
        if let nanoseconds = try fields.decodeIfPresent(Int64.self, forKey: .downtimeLimitNs) {
            downtimeLimit = DowntimeLimit(.nanoseconds(nanoseconds))
        }
        let path = try fields.decodeIfPresent(String.self, forKey: .kernelPath)
        let initrd = try fields.decodeIfPresent(String.self, forKey: .initrdPath)
        if path != nil || initrd != nil {
            kernel = .files(kernel: path ?? "", initrd: initrd)
        } else if try fields.decodeIfPresent(Bool.self, forKey: .hasShippedKernel) == false {
            kernel = .unknown
        } else {
            kernel = try FlatKernel.decodeIfFlat(from: fields, forKey: .kernel)?.source ?? kernel
        }
    }
}

/// The kernel in a vm.json of the version before.
private enum FlatKernel: Decodable {
    case shipped, unknown
    case files(kernel: String, initrd: String?)

    enum CodingKeys: CodingKey { case shipped, unknown, files }

    /// Nil when the key is absent, or its value is of today's shape.
    static func decodeIfFlat<Key: CodingKey>(
        from fields: KeyedDecodingContainer<Key>, forKey key: Key
    ) throws -> FlatKernel? {
        guard fields.contains(key), try !fields.decodeNil(forKey: key) else { return nil }
        let cases = try fields.nestedContainer(keyedBy: CodingKeys.self, forKey: key).allKeys
        return cases.isEmpty ? nil : try fields.decode(FlatKernel.self, forKey: key)
    }

    var source: KernelSource {
        switch self {
        case .shipped: .shipped
        case .unknown: .unknown
        case .files(let kernel, let initrd): .files(kernel: kernel, initrd: initrd)
        }
    }
}
