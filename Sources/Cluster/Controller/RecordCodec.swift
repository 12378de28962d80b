// Records as the store holds them: JSON, of the version that `RecordSchema` tells.

package import ClusterCore
import FoundationEssentials
import Model

package enum RecordCodec {
    package static func encodeRecord(_ record: ClusterRecord) throws(StoreError) -> [UInt8] {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let data =
                switch record {
                case .host(let host): try encoder.encode(host)
                case .vm(let vm): try encoder.encode(vm)
                case .group(let group): try encoder.encode(group)
                case .operation(let operation): try encoder.encode(operation)
                case .balance(let balance): try encoder.encode(balance)
                case .token(let token): try encoder.encode(token)
                }
            return Array(data)
        } catch { throw .unusable(reason: "a record cannot be written as JSON: \(error)") }
    }

    /// Nil for keys of other things.
    package static func decodeRecord(from entry: StoreEntry) throws(StoreError) -> ClusterRecord? {
        guard let key = RecordKey(entry.key) else { return nil }
        do {
            let decoder = JSONDecoder()
            let data = Data(entry.value)
            return switch key {
            case .host: .host(try decoder.decode(HostRecord.self, from: data))
            case .vm: .vm(try decoder.decode(ClusterVMRecord.self, from: data))
            case .group: .group(try decoder.decode(GroupRecord.self, from: data))
            case .operation: .operation(try decoder.decode(OperationRecord.self, from: data))
            case .balance: .balance(try decoder.decode(BalanceRecord.self, from: data))
            case .token: .token(try decoder.decode(TokenRecord.self, from: data))
            }
        } catch {
            throw .unusable(
                reason: "what the store has under \(entry.key) cannot be read: \(error)")
        }
    }
}
