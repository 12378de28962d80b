// Where a VM's kernel comes from, for when it boots again: on this host, or on one that it has moved to.
//
// JSON: an object. {"path": "/boot/vmlinuz", "initrd": "/boot/initrd.img"} names files, {"source": "shipped"} or {} the
// kernel that comes with Ferry, {"source": "unknown"} none.

/// What a VM boots. The files do not travel with a VM; their paths do, and are looked for where it is.
public enum KernelSource: Hashable, Sendable {
    /// The kernel that comes with Ferry.
    case shipped
    /// Absolute paths on the VM's host.
    case files(kernel: String, initrd: String?)
    /// Not known: the VM was restored from a file. It runs, but cannot boot again.
    case unknown

    public static let pathBytesMax = 4096

    public var kernelPath: String? { if case .files(let kernel, _) = self { kernel } else { nil } }
    public var initrdPath: String? { if case .files(_, let initrd) = self { initrd } else { nil } }

    /// The first thing wrong with its paths, as a sentence.
    public var problem: String? {
        guard case .files(let kernel, let initrd) = self else { return nil }
        if kernel.isEmpty { return "an initrd is given without a kernel; give both or neither" }
        for (part, path) in [("kernel", kernel), ("initrd", initrd)] {
            if let path, !Self.isAbsolutePath(path) {
                return "the path of the \(part) must be an absolute path on the VM's host"
            }
        }
        return nil
    }

    private static func isAbsolutePath(_ path: String) -> Bool {
        path.hasPrefix("/") && !path.utf8.contains(0) && path.utf8.count <= pathBytesMax
    }
}

extension KernelSource: Codable {
    enum CodingKeys: String, CodingKey { case source, path, initrd }

    // `files` is first: a value of the first case is what goes with a path in the description of the API.
    private enum Source: String, Codable, CaseIterable { case files, shipped, unknown }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let path = try fields.decodeIfPresent(String.self, forKey: .path)
        let initrd = try fields.decodeIfPresent(String.self, forKey: .initrd)
        let hasFiles = path != nil || initrd != nil
        let source = try fields.decodeIfPresent(Source.self, forKey: .source)
        switch source ?? (hasFiles ? .files : .shipped) {
        case .files:
            // `problem` refuses an initrd that has no kernel.
            self = .files(kernel: path ?? "", initrd: initrd)
        case .shipped: self = .shipped
        case .unknown: self = .unknown
        }
        guard !hasFiles || isFiles else {
            throw DecodingError.dataCorruptedError(
                forKey: .source, in: fields, debugDescription: "a path is given, so it is 'files'")
        }
    }

    private var isFiles: Bool { if case .files = self { true } else { false } }

    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .shipped: try fields.encode(Source.shipped, forKey: .source)
        case .unknown: try fields.encode(Source.unknown, forKey: .source)
        case .files(let kernel, let initrd):
            try fields.encode(Source.files, forKey: .source)
            try fields.encode(kernel, forKey: .path)
            try fields.encodeIfPresent(initrd, forKey: .initrd)
        }
    }
}
