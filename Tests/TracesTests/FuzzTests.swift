// Whatever stands in a trace: it is read or refused, and never traps. What is read keeps a workload's promises.

import Foundation
import Model
import Simulation
import Testing
import Traces

@Suite("Damaged traces")
struct FuzzTests {
    /// More of them for a longer search.
    private static let seeds: ClosedRange<UInt64> =
        1...(ProcessInfo.processInfo.environment["FERRY_SEEDS"].flatMap { UInt64($0) } ?? 3)

    /// Nil when a promise of `Workload` is broken by nobody.
    private func brokenPromise(_ workload: Workload) -> String? {
        let requests = workload.requests
        if requests.isEmpty { return "no VMs" }
        if !workload.names.isEmpty, workload.names.count != requests.count { return "names" }
        for (earlier, later) in zip(requests, requests.dropFirst())
        where earlier.arrival > later.arrival { return "order" }
        for request in requests {
            if request.departure < request.arrival { return "a departure before its arrival" }
            if request.milliCPUs < 0 || request.memoryBytes < 0 { return "a negative request" }
            if !workload.groupSets.indices.contains(Int(request.groupSet)) { return "groups" }
            if request.series >= workload.utilisation.series.count { return "series" }
        }
        for set in workload.groupSets where set.contains(where: { $0 >= workload.groups.count }) {
            return "a group that is not there"
        }
        for row in workload.utilisation.series.indices {
            let share = workload.utilisation.sampledCPUShare(inRow: Int32(row), after: .zero)
            if !(0...1).contains(share) { return "a share of \(share)" }
        }
        return nil
    }

    /// Writes one file's bytes and reads the whole.
    private func check(
        _ sample: Sample, _ folder: TraceFolder, _ name: String, _ bytes: [UInt8], _ what: String
    ) throws -> Bool {
        try folder.write(name, bytes)
        do throws(TraceError) {
            let workload = try TraceReader.readWorkload(
                path: sample.path(in: folder), format: sample.format)
            if let broken = brokenPromise(workload) {
                Issue.record("\(sample) \(name), \(what): \(broken)")
            }
            return true
        } catch {
            if "\(error)".isEmpty { Issue.record("\(sample) \(name), \(what): no words") }
            return false
        }
    }

    @Test(arguments: Sample.all)
    func `Every truncation is read or refused`(sample: Sample) throws {
        let folder = try TraceFolder()
        try folder.write(sample.files)
        for (name, text) in sample.files.sorted(by: { $0.key < $1.key }) {
            let bytes = Array(text.utf8)
            var refused = 0
            for count in bytes.indices {
                let isRead = try check(
                    sample, folder, name, Array(bytes[..<count]), "cut to \(count)")
                if !isRead { refused += 1 }
            }
            #expect(refused > 0, "a part of \(name) is no trace")
            try folder.write(name, bytes)
        }
    }

    @Test(arguments: Sample.all, seeds)
    func `Bytes changed by lot are read or refused`(sample: Sample, seed: UInt64) throws {
        let folder = try TraceFolder()
        try folder.write(sample.files)
        var lots = SplitMix64(seed: seed)
        let telling = Array("0123456789.,;-+eE\"\n\r \tNn\u{0}".utf8) + [0xEF, 0xFF]
        for (name, text) in sample.files.sorted(by: { $0.key < $1.key }) {
            let whole = Array(text.utf8)
            for round in 0..<150 {
                var bytes = whole
                for _ in 0...lots.drawNumber(below: 3) {
                    let place = lots.drawNumber(below: bytes.count)
                    let byte =
                        lots.drawNumber(below: 2) == 0
                        ? telling[lots.drawNumber(below: telling.count)]
                        : UInt8(lots.drawNumber(below: 256))
                    switch lots.drawNumber(below: 3) {
                    case 0: bytes[place] = byte
                    case 1: bytes.insert(byte, at: place)
                    default: bytes.remove(at: place)
                    }
                }
                _ = try check(sample, folder, name, bytes, "seed \(seed), round \(round)")
            }
            try folder.write(name, whole)
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `Noise is in no format`(seed: UInt64) throws {
        let folder = try TraceFolder()
        var lots = SplitMix64(seed: seed)
        for _ in 0..<50 {
            let bytes = (0..<lots.drawNumber(below: 400)).map { _ in
                UInt8(lots.drawNumber(below: 256))
            }
            try folder.write("noise", bytes)
            #expect(throws: TraceError.self) {
                try TraceReader.readWorkload(path: "\(folder.path)/noise")
            }
            for format in TraceFormat.allCases {
                #expect(throws: TraceError.self) {
                    try TraceReader.readWorkload(path: "\(folder.path)/noise", format: format)
                }
            }
        }
    }
}
