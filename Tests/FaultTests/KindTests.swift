import Faults
import MigrationProtocol
import Model
import Ownership
import Testing
import VMControl
import Wire

@Suite("The shim knows what it sees by the kinds of Ferry's own bytes")
struct KindTests {
    @Test("messages to the peer")
    func messages() {
        let samples: [(PeerMessage, FaultCall.Message)] = [
            (.hello(versions: 1...1, .control), .hello), (.welcome(version: 1), .welcome),
            (.alive(round: 1, remainingBytes: 0), .alive), (.state([1]), .state),
            (.go(.first), .go), (.running(.first, own: .zero, resume: .zero), .running),
            (.answer(.taken(.first)), .answer), (.rehearse(state: [1]), .rehearse),
        ]
        for (message, kind) in samples { #expect(UInt32(message.bytes[4]) == kind.rawValue) }
    }

    @Test("records of the ledger")
    func records() throws {
        let (vm, migration) = (VMID.random(), MigrationID.random())
        let samples: [(LedgerRecord, FaultCall.Record)] = [
            (.owned(vm: vm, epoch: .first, migration: nil), .owned),
            (.neverRan(vm: vm, epoch: .first, migration: migration), .neverRan),
            (.deleted(vm: vm, epoch: .first), .deleted),
            (.superseded(vm: vm, epoch: .first, by: try HostName("a")), .overruled),
        ]
        for (record, kind) in samples {
            var writer = ByteWriter()
            record.writeBytes(to: &writer)
            #expect(UInt32(writer.bytes[0]) == kind.rawValue)
        }
    }

    @Test("requests to a ferry-vmm")
    func requests() {
        let samples: [(VMMRequest, FaultCall.Request)] = [
            (.attach, .attach), (.pause(forHandover: true), .pause), (.seal, .seal),
            (.resume, .resume), (.quit, .quit), (.saveState, .saveState),
            (.loadState(bytes: 1), .loadState), (.startDirtyLog, .startDirtyLog),
            (.clearDirtyLog(firstPage: 0, pageCount: 64), .clearDirtyLog),
            (.throttle(percent: 1), .throttle),
        ]
        for (request, kind) in samples {
            #expect(UInt32(request.encodeFrame(number: 1)[4]) == kind.rawValue)
        }
    }
}
