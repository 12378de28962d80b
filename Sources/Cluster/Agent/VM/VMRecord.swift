// vm.json: what an agent needs to know of a VM to boot it again and to find it again after a restart.

import FoundationEssentials
package import Host
package import Model

/// A VM as its host stores it. Ownership is not part of it; the ledger stores that.
package struct VMRecord: Hashable, Sendable, Codable {
    package var id: VMID
    package var spec: VMSpec
    /// The saved file that the VM was restored from on this host.
    package var restoredFrom: String?

    package var name: VMName { spec.name }

    package init(id: VMID, spec: VMSpec) {
        self.id = id
        self.spec = spec
    }

    /// `spec` may be absent: the version before wrote its fields flat.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        id = try fields.decode(VMID.self, forKey: .id)
        spec = try VMSpec(nestedIn: decoder, forKey: CodingKeys.spec)
        restoredFrom = try fields.decodeIfPresent(String.self, forKey: .restoredFrom)
    }

    /// Stands for a VM whose record is gone with its folder.
    init(lost id: VMID) {
        let name: VMName
        do { name = try VMName("lost-\(id.description.prefix(8))") } catch {
            fatalError("hexadecimal digits make a name: \(error)")
        }
        self.init(
            id: id, spec: VMSpec(name: name, memory: ByteCount(0), vcpus: 0, kernel: .unknown))
    }
}

package enum VMRecordError: Error, Sendable, CustomStringConvertible {
    case system(SystemError)
    case unreadable(path: String, reason: String)

    package var description: String {
        switch self {
        case .system(let error): "\(error)"
        case .unreadable(let path, let reason): "\(path) cannot be read: \(reason)"
        }
    }
}

extension VMRecord {
    package init(loading files: VMFiles) throws(VMRecordError) {
        try self.init(loadingFrom: files.record)
        // A copied folder would give two VMs one identity.
        guard files.folder.hasSuffix("/\(name)") else {
            throw .unreadable(path: files.record, reason: "it is the record of VM \(name)")
        }
    }

    package init(loadingFrom path: String) throws(VMRecordError) {
        let bytes: [UInt8]
        do { bytes = try File.readContents(at: path, limit: Limits.recordBytesMax) } catch {
            throw .system(error)
        }
        do { self = try JSONDecoder().decode(VMRecord.self, from: Data(bytes)) } catch {
            throw .unreadable(path: path, reason: "\(error)")
        }
        if let problem = spec.problem { throw .unreadable(path: path, reason: problem) }
    }

    /// Durable when it returns.
    package func writeRecord(to files: VMFiles) throws(VMRecordError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        do {
            let bytes = try Array(encoder.encode(self))
            try AtomicFile.writeBytes(bytes, to: files.record, mode: 0o600)
        } catch let error as SystemError {
            throw .system(error)
        } catch {
            throw .unreadable(path: files.record, reason: "\(error)")
        }
    }
}

extension VMFiles {
    /// The exit that a ferry-vmm recorded; nil when there is none, or when it cannot be read.
    func readRecordedExit() -> VMExit? {
        guard let bytes = try? File.readContents(at: exit, limit: Limits.recordBytesMax) else {
            return nil
        }
        return try? JSONDecoder().decode(VMExit.self, from: Data(bytes))
    }

    /// The last line that a ferry-vmm logged, for error messages.
    func readLastLogLine() -> String? {
        guard let bytes = try? File.readLastBytes(at: vmmLog, count: 4096) else { return nil }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").last.map(String.init)
    }
}
