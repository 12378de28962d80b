// The names of a run of the real drivers, as the explorer calls them.

package import MigrationProtocol
package import Model
package import Ownership

package struct TraceNames: Sendable {
    private let sides: [HostName: Side]
    private let number: @Sendable (MigrationID) -> UInt8?

    /// - Parameters:
    ///   - source: the host on which the VM runs at first.
    ///   - number: the explorer's number of a migration: `number(ofMigration:renewals:)`.
    package init(
        source: HostName, destination: HostName,
        number: @escaping @Sendable (MigrationID) -> UInt8?
    ) {
        sides = [source: .s, destination: .d]
        self.number = number
    }

    /// - Parameters:
    ///   - ordinal: which migration of the run it is, from 1.
    ///   - renewals: how often it has continued under another name; nil when the explorer has no name for so many.
    package static func migrationNumber(ordinal: Int, renewals: Int) -> UInt8? {
        guard renewals < FixedValues.namesEach, ordinal < 60 else { return nil }
        return UInt8(ordinal) * FixedValues.namesEach + UInt8(renewals)
    }

    package func migrationSide(of host: HostName) -> Side? { sides[host] }

    private func modelHostName(for name: HostName) -> HostName {
        sides[name]?.name ?? FixedValues.stranger
    }

    private func modelMigrationID(for id: MigrationID) -> MigrationID {
        // 255 is no migration's number.
        FixedValues.migrationID(number: number(id) ?? .max)
    }

    package func modelRecord(for record: LedgerRecord) -> LedgerRecord {
        LedgerRecord(vm: FixedValues.vm, establishing: modelOwnership(for: Ownership(record)))
    }

    package func modelOwnership(for ownership: Ownership) -> Ownership {
        switch ownership {
        case .owned(let epoch, let id): .owned(epoch, migration: id.map(modelMigrationID))
        case .released(let epoch, let to, let id):
            .released(epoch, to: modelHostName(for: to), migration: modelMigrationID(for: id))
        case .handedOver(let epoch, let to, let id):
            .handedOver(epoch, to: modelHostName(for: to), migration: modelMigrationID(for: id))
        case .takenOver(let epoch, let against, let id):
            .takenOver(
                epoch, against: modelHostName(for: against), migration: modelMigrationID(for: id))
        case .superseded(let epoch, let by): .superseded(epoch, by: modelHostName(for: by))
        case .incoming(let epoch, let from, let id):
            .incoming(epoch, from: modelHostName(for: from), migration: modelMigrationID(for: id))
        case .neverRan(let epoch, let id): .neverRan(epoch, migration: modelMigrationID(for: id))
        case .deleted(let epoch): .deleted(epoch)
        }
    }

    /// The query of a message; nil for every other message.
    package func ownershipQuery(in message: PeerMessage) -> OwnershipQuery? {
        switch message {
        case .question(let question):
            .question(
                OwnershipQuestion(
                    vm: FixedValues.vm, epoch: question.epoch,
                    migration: modelMigrationID(for: question.migration)))
        case .takeoverNotice(let notice):
            .notice(
                TakeoverNotice(
                    vm: FixedValues.vm, epoch: notice.epoch,
                    migration: modelMigrationID(for: notice.migration)))
        default: nil
        }
    }

    /// The reply of a message; nil for every other message.
    package func queryReply(in message: PeerMessage) -> QueryInTransit.Reply? {
        switch message {
        case .answer(let answer): .answer(answer)
        case .refused: .refused
        default: nil
        }
    }

    /// The explorer's message; nil for one that it leaves out because no decision depends on it.
    ///
    /// - Parameter isFromSource: a source's refusal has no code that a destination acts upon.
    package func controlMessage(for message: PeerMessage, isFromSource: Bool) -> ControlMessage? {
        switch message {
        case .offer(let offer):
            .offer(
                number(offer.migration) ?? .max, offer.epoch, isRehearsal: offer.isRehearsal)
        case .accepted: .accepted
        case .rehearse: .rehearse
        case .rehearsed: .rehearsed
        case .verify: .verify
        case .ready: .ready(isRight: true)
        case .go(let epoch): .go(epoch)
        case .running(let epoch, _, _): .running(epoch)
        case .answer(.neverRan(let epoch)): .neverRan(epoch)
        case .refused(let refusal):
            .refused(isHere: !isFromSource && refusal.code == .vmExists)
        case .answer, .hello, .welcome, .hashes, .alive, .state, .question, .takeoverNotice: nil
        }
    }
}
