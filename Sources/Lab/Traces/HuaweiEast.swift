// Huawei-East-1 (Sheng et al., VMAgent): a month of creations and deletions.
//
//   vmid,cpu,memory,time,type        cores, GiB, seconds; type 0 creates, 1 deletes

import Model
import Placement
import Simulation

enum HuaweiEast {
    private struct Event {
        var time: SimTime
        var line: Int
        var vm: Int
        var request: Resources
        var isCreation: Bool
    }

    static func readWorkload(from source: TraceSource) throws(TraceError) -> Workload {
        var events = try readEvents(from: try source.openTable())
        var builder = WorkloadBuilder(format: .huaweiEast, source: source)
        let late = events.indices.dropFirst().count { events[$0].time < events[$0 - 1].time }
        if late > 0 {
            events.sort { ($0.time, $0.line) < ($1.time, $1.line) }
            builder.appendNote(
                "Behind a later row and put in order of time: \(late) of \(events.count) rows.")
        }
        try addVMRequests(for: events, source: source, into: &builder)
        return try builder.finishWorkload(end: events.last?.time)
    }

    private static func readEvents(from rows: CSVTable) throws(TraceError) -> [Event] {
        var table = rows
        let vm = try table.requireColumn(named: "vmid")
        let cpu = try table.requireColumn(named: "cpu")
        let memory = try table.requireColumn(named: "memory")
        let time = try table.requireColumn(named: "time")
        let type = try table.requireColumn(named: "type")
        var events: [Event] = []
        while try table.readNextRow() {
            let request = Resources(
                milliCPUs: try table.milliCPUs(in: cpu),
                memoryBytes: try table.memoryBytes(in: memory, bytesPerUnit: 1 << 30))
            events.append(
                Event(
                    time: try table.simulationTime(in: time), line: table.line,
                    vm: try table.wholeNumber(in: vm, range: 0...Int.max), request: request,
                    isCreation: try table.wholeNumber(in: type, range: 0...1, meaning: "0 or 1:")
                        == 0))
        }
        return events
    }

    private static func addVMRequests(
        for events: [Event], source: TraceSource, into builder: inout WorkloadBuilder
    ) throws(TraceError) {
        var departures: [SimTime?] = []
        var running: [Int: Int] = [:]
        var deletedUnseen = 0
        for event in events {
            if event.isCreation {
                guard running.updateValue(departures.count, forKey: event.vm) == nil else {
                    throw .malformed(
                        TracePlace(source.path, line: event.line, field: "vmid"),
                        expected: "a VM that does not run yet", found: "\(event.vm)")
                }
                departures.append(nil)
                try builder.addRequest(
                    VMRequest(arrival: event.time, departure: .never, request: event.request),
                    name: "\(event.vm)")
            } else if let row = running.removeValue(forKey: event.vm) {
                departures[row] = event.time
            } else {
                deletedUnseen += 1
            }
        }
        builder.setDepartures { row, _ in departures[row] }
        if deletedUnseen > 0 {
            builder.appendNote(
                "Left out, because they were created before the trace: \(deletedUnseen) VMs.")
        }
    }
}
