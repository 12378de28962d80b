// The steps of the records from version to version.

import ClusterCore
import FoundationEssentials

extension RecordStep {
    /// To version 2: a VM's record nests its spec and its policy; before, it kept the request that made the VM.
    static let nestedSpecs = RecordStep { (entry) throws(StoreError) -> StoreChange? in
        guard case .vm = RecordKey(entry.key) else { return nil }
        let data = Data(entry.value)
        // An earlier attempt has made it.
        if (try? JSONDecoder().decode(ClusterVMRecord.self, from: data)) != nil { return nil }
        let old: VMRecordOfVersion1
        do { old = try JSONDecoder().decode(VMRecordOfVersion1.self, from: data) } catch {
            throw .unusable(
                reason: "what the store has under \(entry.key) cannot be read: \(error)")
        }
        return .put(entry.key, try RecordCodec.encodeRecord(.vm(old.record)))
    }
}
