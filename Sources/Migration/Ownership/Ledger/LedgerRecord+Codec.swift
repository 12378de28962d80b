// The byte encoding of a ledger record: at most `LedgerRecord.bytesMax` bytes.

import Model
package import Wire

extension LedgerRecord {
    /// Kind, two identifiers, an epoch, and a name with its length.
    package static let bytesMax = 1 + 16 + 8 + 1 + 16 + 4 + 63

    package func writeBytes(to writer: inout ByteWriter) {
        writer.writeInteger(kind)
        writer.writeIdentifier(vm)
        writer.writeInteger(Ownership(self).epoch.number)
        writer.writeOptional(value: migration) { $0.writeIdentifier($1) }
        if let peer { writer.writeText(peer.text) }
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        let kind: UInt8 = try reader.readInteger(field: "record")
        let vm = try reader.readIdentifier()
        let epoch = try reader.readEpoch()
        let migration = try reader.readOptional(field: "migration") { (reader) throws(WireError) in
            try reader.readIdentifier()
        }
        switch (kind, migration) {
        case (1, _): self = .owned(vm: vm, epoch: epoch, migration: migration)
        case (2, let migration?):
            self = .released(
                vm: vm, epoch: epoch, to: try reader.readHostName(), migration: migration)
        case (3, let migration?):
            self = .handedOver(
                vm: vm, epoch: epoch, to: try reader.readHostName(), migration: migration)
        case (4, let migration?):
            self = .incoming(
                vm: vm, epoch: epoch, from: try reader.readHostName(), migration: migration)
        case (5, let migration?):
            self = .neverRan(vm: vm, epoch: epoch, migration: migration)
        case (7, let migration?):
            self = .takenOver(
                vm: vm, epoch: epoch, against: try reader.readHostName(), migration: migration)
        case (8, nil):
            self = .superseded(vm: vm, epoch: epoch, by: try reader.readHostName())
        case (6, nil): self = .deleted(vm: vm, epoch: epoch)
        default: throw .invalid(field: "record", value: UInt64(kind))
        }
    }

    private var kind: UInt8 {
        switch self {
        case .owned: 1
        case .released: 2
        case .handedOver: 3
        case .incoming: 4
        case .neverRan: 5
        case .deleted: 6
        case .takenOver: 7
        case .superseded: 8
        }
    }

    private var migration: MigrationID? {
        switch self {
        case .owned(_, _, let migration): migration
        case .released(_, _, _, let migration), .handedOver(_, _, _, let migration),
            .takenOver(_, _, _, let migration), .incoming(_, _, _, let migration),
            .neverRan(_, _, let migration):
            migration
        case .superseded, .deleted: nil
        }
    }

    private var peer: HostName? {
        switch self {
        case .released(_, _, let host, _), .handedOver(_, _, let host, _),
            .takenOver(_, _, let host, _), .superseded(_, _, let host),
            .incoming(_, _, let host, _):
            host
        case .owned, .neverRan, .deleted: nil
        }
    }
}
