// A VM's record as version 1 of the stored records had it: the request that made it, and beside that what may change.

import API
import Model

package struct VMRecordOfVersion1: Decodable {
    private let version: Version
    private let id: VMID
    private let request: CreateClusterVM
    private let desired: DesiredState
    private let labels: [String]
    private let priority: Int
    private let mayBeBalanced: Bool
    private let failurePolicy: FailurePolicy
    private let isDeleting: Bool
    private let place: VMPlace?
    private let takeover: TakeoverRecord?
    private let start: StartOrder?
    private let move: MoveOrder?
    private let epochMax: UInt64
    private let epochFloor: UInt64
    private let retired: [RetiredCopy]
    private let bootWanted: Bool
    private let restarts: Int
    private let notBeforeMs: Int64?
    private let failure: String?
    private let home: HostName?
    private let lastMove: MovedFrom?
    private let features: [String]?

    /// The same VM in today's shape.
    package var record: ClusterVMRecord {
        var record = ClusterVMRecord(request: request, id: id)
        record.version = version
        var policy = record.policy
        policy.desired = desired
        policy.labels = labels
        policy.priority = priority
        policy.mayBeBalanced = mayBeBalanced
        policy.failurePolicy = failurePolicy
        record.changePolicy(to: policy)
        record.isDeleting = isDeleting
        record.place = place
        record.takeover = takeover
        record.start = start
        record.move = move
        record.epochMax = epochMax
        record.epochFloor = epochFloor
        record.retired = retired
        record.bootWanted = bootWanted
        record.restarts = restarts
        record.notBeforeMs = notBeforeMs
        record.failure = failure
        record.home = home
        record.lastMove = lastMove
        record.features = features
        return record
    }
}
