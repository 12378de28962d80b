// Disks that fail or are full, and memory that is not there.

import Glibc
import Model

extension Matrix {
    static var disks: [Scenario] { ledgers + folders + fullDisks }

    private static var ledgers: [Scenario] {
        let records: [(MigrationPhase, Side, FaultCall.Record, Set<Side>)] = [
            (.negotiate, .destination, .incoming, [.source]),
            (.handover, .source, .released, [.source]),
            (.handover, .destination, .owned, [.source]),
            (.announce, .source, .handedOver, [.destination]),
        ]
        var all: [Scenario] = []
        for (phase, side, record, owners) in records {
            for (moment, code) in [
                (FaultPoint.Moment.before, EIO), (.before, ENOSPC), (.unflushed, EIO),
            ] {
                all.append(
                    Scenario(
                        phase: phase,
                        point: FaultPoint(side: side, moment: moment, call: .record(record)),
                        fault: .fail(code, times: 1), owners: owners))
            }
        }
        return all + [EIO, ENOSPC].flatMap(secondFailures)
    }

    /// The record that a failure calls for cannot be written either, for a while or until the agent starts anew.
    private static func secondFailures(code: Int32) -> [Scenario] {
        let owned = FaultPoint(side: .destination, moment: .before, call: .record(.owned))
        let neverRan = FaultPoint(side: .destination, moment: .before, call: .record(.neverRan))
        let released = FaultPoint(side: .source, moment: .before, call: .record(.released))
        return [
            Scenario(
                phase: .handover, point: owned, fault: .fail(code, times: 1),
                circumstances: [.init(point: neverRan, action: .fail(code), times: 2)],
                owners: [.source]),
            Scenario(
                phase: .handover, point: released, fault: .fail(code, times: 1),
                circumstances: [.init(point: neverRan, action: .fail(code), times: 1)],
                owners: [.source]),
            Scenario(
                phase: .verify, point: neverRan, fault: .fail(code, times: 1),
                circumstances: [
                    .init(
                        point: FaultPoint(
                            side: .destination, program: .vmm, moment: .before,
                            call: .memory(.create), occurrence: 3),
                        action: .fail(ENOMEM), times: nil),
                    .init(
                        point: FaultPoint(
                            side: .destination, moment: .before, call: .request(.loadState)),
                        action: .fail(EPIPE), times: 1),
                ], owners: [.source]),
        ]
    }

    private static var folders: [Scenario] {
        let calls: [FaultCall] = [
            .file(.mkdir, path: "/vms/"), .file(.open, path: "/vm.json."),
            .file(.write, path: "/vm.json."), .file(.flush, path: "/vm.json."),
            .file(.rename, path: "/vm.json"), .file(.open, path: "vmm.log"),
        ]
        // The log is opened by the process that becomes the ferry-vmm: no shim is in it yet.
        return calls.dropLast().flatMap { call in
            [EIO, ENOSPC].map { code in
                Scenario(
                    phase: .negotiate,
                    point: FaultPoint(side: .destination, moment: .before, call: call),
                    fault: .fail(code, times: 1), owners: [.source])
            }
        }
    }

    private static var fullDisks: [Scenario] {
        [
            Scenario(
                phase: .negotiate, point: nil, fault: .fullDisk, place: .namespaces,
                owners: [.source]),
            Scenario(
                phase: .preCopy,
                point: FaultPoint(side: .source, moment: .before, call: .frame, occurrence: 8),
                fault: .fullDisk, place: .namespaces),
            Scenario(
                phase: .handover,
                point: FaultPoint(side: .source, moment: .before, call: .message(.go)),
                fault: .fullDisk, place: .namespaces),
        ]
    }

    static var memory: [Scenario] {
        let vmmCalls: [FaultCall] = [.memory(.create), .memory(.size), .memory(.map)]
        let noVMM = vmmCalls.map { call in
            Scenario(
                phase: .negotiate,
                point: FaultPoint(
                    side: .destination, program: .vmm, moment: .before, call: call),
                fault: .fail(ENOMEM, times: nil), owners: [.source])
        }
        let noMapping = Scenario(
            phase: .negotiate,
            point: FaultPoint(side: .destination, moment: .before, call: .memory(.map)),
            fault: .fail(ENOMEM, times: nil), owners: [.source])
        // A page that cannot be written as a file is written through the mapping: the migration may succeed.
        let noPages = [ENOMEM, ENOSPC].map { code in
            Scenario(
                phase: .preCopy,
                point: FaultPoint(
                    side: .destination, moment: .before, call: .memory(.write), occurrence: 100),
                fault: .fail(code, times: nil))
        }
        let noState = [
            Scenario(
                phase: .deviceState,
                point: FaultPoint(
                    side: .source, program: .vmm, moment: .before, call: .memory(.create)),
                fault: .fail(ENOMEM, times: 1), owners: [.source]),
            Scenario(
                phase: .verify,
                point: FaultPoint(side: .destination, moment: .before, call: .memory(.create)),
                fault: .fail(ENOMEM, times: 1), owners: [.source]),
        ]
        let really = [
            Scenario(phase: .negotiate, point: nil, fault: .noRoom, owners: [.source]),
            Scenario(
                phase: .preCopy,
                point: FaultPoint(side: .source, moment: .before, call: .frame, occurrence: 4),
                fault: .memoryLimit),
        ]
        return noVMM + [noMapping] + noPages + noState + really
    }
}
