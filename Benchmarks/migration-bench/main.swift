// Moves a fake guest over loopback TLS and prints how long it took: the engine alone, without KVM.
//
// migration-bench [MEMORY] [FILLED] [PAIRS]   e.g. migration-bench 1GiB 768MiB 3

import Glibc
import Host
import Migration
import MigrationProtocol
import MigrationTestSupport
import Model
import PeerLink

struct Variant {
    let name: String
    let streams: Int
    let compression: Compression
}

func measure(
    _ variant: Variant, memory: ByteCount, filled: ByteCount, sourceKeys: PeerKeys,
    destinationKeys: PeerKeys, dirtyPerSecond: Int, content: FakeContent
) throws -> MigrationReport {
    let guest = try FakeGuest(memory: memory, downtimeLimit: .milliseconds(50))
    let filledPages = Int(filled.bytes) / pageBytes
    guest.fill(0..<filledPages, content)
    if dirtyPerSecond > 0 {
        try guest.startWriting(
            pages: 0..<min(16384, filledPages), perSecond: dirtyPerSecond, content)
    }
    let folder = "/var/tmp/ferry-bench-\(getpid())"
    _ = unsafe mkdir(folder, 0o700)
    defer { _ = unsafe system("rm -rf \(folder)") }
    let vm = VMID.random()
    let sourceLedger = try LedgerFile(path: folder + "/source")
    try sourceLedger.append(.owned(vm: vm, epoch: .first, migration: nil))
    let host = try FakeHost(name: "b", ledger: LedgerFile(path: folder + "/destination"))
    let address = try host.serve(destinationKeys)
    defer { host.stop() }
    let migration = SourceMigration(
        vm: vm, epoch: .first, guest: guest, to: address, keys: sourceKeys, ledger: sourceLedger,
        options: MigrationOptions(streams: variant.streams, compression: variant.compression))
    let before = cpuTime()
    let report = try migration.run()
    print("cpu \((cpuTime() - before).milliseconds) ms, ", terminator: "")
    guest.stopWriting()
    if let page = host.guests.first.flatMap({ guest.firstDifference(from: $0) }) {
        print("page \(page) differs")
        exit(1)
    }
    return report
}

/// User and system time of this process: both ends and the fake guest.
func cpuTime() -> Duration {
    var usage = rusage()
    _ = unsafe getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
    return .seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        + .microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
}

let arguments = CommandLine.arguments.dropFirst()
let memory = arguments.first.flatMap { ByteCount($0) } ?? .gibibytes(1)
let filled = arguments.dropFirst().first.flatMap { ByteCount($0) } ?? .mebibytes(768)
let pairs = arguments.dropFirst(2).first.flatMap { Int($0) } ?? 3
let only = arguments.dropFirst(3).first
let dirty = arguments.dropFirst(4).first.flatMap { Int($0) } ?? 2000
let content: FakeContent = arguments.dropFirst(5).first == "random" ? .random : .text
let keys = try TestKeys()
let sourceKeys = try PeerKeys(folder: keys.issue("a"))
let destinationKeys = try PeerKeys(folder: keys.issue("b"))
let variants = [
    Variant(name: "raw-1", streams: 1, compression: .none),
    Variant(name: "raw-2", streams: 2, compression: .none),
    Variant(name: "lz4-1", streams: 1, compression: .lz4),
    Variant(name: "lz4-2", streams: 2, compression: .lz4),
    Variant(name: "zstd-2", streams: 2, compression: .zstd),
    Variant(name: "zlib-2", streams: 2, compression: .zlib),
    Variant(name: "auto-1", streams: 1, compression: .auto),
    Variant(name: "auto-2", streams: 2, compression: .auto),
].filter { variant in only.map { variant.name.hasPrefix($0) } ?? true }

for _ in 0..<pairs {
    for variant in variants {
        let report = try measure(
            variant, memory: memory, filled: filled, sourceKeys: sourceKeys,
            destinationKeys: destinationKeys, dirtyPerSecond: dirty, content: content)
        let phases = report.phases.filter { MigrationPhase.downtimePhases.contains($0.phase) }
            .map { "\($0.phase.rawValue) \($0.duration.milliseconds)" }.joined(separator: ", ")
        print(
            "\(variant.name): total \(report.total.milliseconds) ms, downtime"
                + " \(report.downtime.milliseconds) ms (predicted \(report.predictedDowntime.milliseconds)),"
                + " rounds \(report.rounds), wire \(report.wireBytes >> 20) MiB, \(report.compression),"
                + " \(phases)")
    }
}
