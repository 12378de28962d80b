import API
import Foundation
import Model
import Testing

@Suite("The API's messages")
struct APITests {
    private func roundTrip<Value: Codable & Equatable>(_ value: Value) throws -> Bool {
        try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value)) == value
    }

    private func vm() throws -> VMInfo {
        var vm = VMInfo(
            id: .random(), host: try HostName("host-a"), state: .running,
            spec: VMSpec(
                name: try VMName("web"), memory: .gibibytes(1), vcpus: 2,
                commandLine: "console=ttyS0", kernel: .files(kernel: "/boot/vmlinux", initrd: nil)),
            epoch: 3, cpuTimeMs: 12.5)
        vm.processID = 42
        vm.exit = VMExit(reason: .powerOff, detail: "it powered off")
        return vm
    }

    @Test("Every message comes back as it went")
    func roundTrips() throws {
        #expect(try roundTrip(VMList(vms: [vm()])))
        #expect(
            try roundTrip(CreateVM(VMSpec(name: VMName("web"), memory: .gibibytes(1), vcpus: 2))))
        #expect(try roundTrip(SaveVM(path: "/x")))
        #expect(try roundTrip(SavedVM(path: "/x", bytes: 5)))
        #expect(try roundTrip(RestoreVM(path: "/x", name: VMName("web"), paused: true)))
        #expect(try roundTrip(Problem(.nameTaken, detail: "there is one")))
        #expect(
            try roundTrip(
                StartMigration(
                    vm: VMName("web"), to: HostName("host-b"), downtimeLimit: .milliseconds(20),
                    streams: 4,
                    compression: .zstd)))
        var progress = MigrationProgress()
        progress.phase = .preCopy
        progress.predictedDowntime = .milliseconds(7)
        var report = MigrationReport()
        report.downtime = .microseconds(7300)
        report.phases = [PhaseDuration(phase: .pause, duration: .microseconds(300))]
        let info = MigrationInfo(
            id: .random(), vm: try VMName("web"), vmID: .random(), source: try HostName("host-a"),
            destination: try HostName("host-b"), state: .failed, progress: ProgressInfo(progress),
            report: ReportInfo(report),
            failure: FailureInfo(
                code: .notConverged, phase: .preCopy, reason: "too fast",
                aftermath: "it runs nowhere", details: ["avx2"], vmIsRunning: false))
        #expect(try roundTrip(MigrationList(migrations: [info])))
        #expect(info.failure?.message == "too fast; it runs nowhere")
        var settled = info.failure
        settled?.resolveOutcome(aftermath: "it runs again", vmIsRunning: true)
        #expect(settled?.message == "too fast; it runs again")
        #expect(settled?.vmIsRunning == true)
        #expect(info.report?.downtimeMs == 7.3)
        #expect(info.report?.phases.first?.isDowntime == true)
        #expect(info.progress?.predictedDowntimeMs == 7)
    }

    @Test("A VM that says little gets the defaults, and the shipped kernel")
    func createDefaults() throws {
        let create = try JSONDecoder().decode(
            CreateVM.self, from: Data(#"{"name":"web","memoryBytes":67108864}"#.utf8))
        let spec = try create.checkedSpec(defaultCommandLine: "rate=1")
        #expect(
            spec
                == VMSpec(
                    name: try VMName("web"), memory: .mebibytes(64), commandLine: "rate=1",
                    kernel: .shipped))
    }

    @Test(
        "A VM that cannot be is refused, in words",
        arguments: [
            #"{"name":"web","memoryBytes":3}"#,
            #"{"name":"web","memoryBytes":67108864,"vcpus":0}"#,
            #"{"name":"web","memoryBytes":67108864,"vcpus":65}"#,
            #"{"name":"web","memoryBytes":67108864,"downtimeLimitMs":0}"#,
            #"{"name":"web","memoryBytes":67108864,"downtimeLimitMs":1e300}"#,
            #"{"name":"web","memoryBytes":67108864,"kernelPath":"relative"}"#,
            #"{"name":"web","memoryBytes":67108864,"initrdPath":"/initrd"}"#,
        ])
    func createRefusals(_ text: String) throws {
        let create = try JSONDecoder().decode(CreateVM.self, from: Data(text.utf8))
        let problem = #expect(throws: Problem.self) {
            try create.checkedSpec(defaultCommandLine: "")
        }
        #expect(problem?.knownCode == .invalid)
        #expect(problem?.status == 422)
        #expect(problem?.detail.isEmpty == false)
    }

    @Test("Streams and downtime limits of a migration are bounded")
    func migrationBounds() throws {
        var start = StartMigration(vm: try VMName("web"), to: try HostName("host-b"))
        #expect(try start.checkedStreams(usual: 2) == 2)
        #expect(try start.checkedDowntimeLimit(usual: .milliseconds(50)) == .milliseconds(50))
        for streams in [0, -1, 17] {
            start.streams = streams
            #expect(throws: Problem.self) { try start.checkedStreams(usual: 2) }
        }
        for limit in [0, -5, 60_001, Double.nan, .infinity] {
            start.downtimeLimit = DowntimeLimit(milliseconds: limit)
            #expect(throws: Problem.self) {
                try start.checkedDowntimeLimit(usual: .milliseconds(50))
            }
        }
    }

    @Test(
        "Codes of problems are stable words with an error's status",
        arguments: Problem.Code.allCases)
    func problems(_ code: Problem.Code) {
        #expect((400..<600).contains(code.status))
        #expect(code.rawValue.allSatisfy { $0.isLowercase || $0 == "_" })
        #expect(!code.title.isEmpty)
    }
}
