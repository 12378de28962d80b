import API
import Clients
import ClusterFile
import Foundation
import Host
import Model
import Pulse
import Testing

@Suite("An agent and its VMs", .enabled(if: kvmIsUsable, "needs /dev/kvm"), .serialized)
struct AgentTests {
    @Test("A VM is created, shown, paused, resumed, stopped, started, and deleted")
    func life() async throws {
        try await TestCluster.with { cluster in
            try await cluster.agent { agent in
                let vm = try await agent.createPulse("web")
                #expect(vm.state == .running)
                #expect(vm.epoch == 1)
                #expect(vm.spec.kernel == .shipped)
                let beat = try await agent.heartbeat(of: vm.name)
                #expect(beat.errors == 0)
                #expect(try await agent.listAllVMs().map(\.id) == [vm.id])

                #expect(try await agent.performAction(.pause, on: vm.name).state == .paused)
                #expect(try await agent.performAction(.resume, on: vm.name).state == .running)
                let later = try await agent.heartbeat(of: vm.name)
                #expect(later.sequence > beat.sequence)

                #expect(try await agent.performAction(.stop, on: vm.name).state == .stopped)
                await problem(.wrongState) {
                    _ = try await agent.performAction(.pause, on: vm.name)
                }
                let again = try await agent.performAction(.start, on: vm.name)
                #expect(again.state == .running)
                #expect(again.id == vm.id)
                await problem(.wrongState) {
                    _ = try await agent.performAction(.start, on: vm.name)
                }
                #expect(try await agent.heartbeat(of: vm.name).errors == 0)

                #expect(try await agent.performAction(.reset, on: vm.name).state == .running)
                #expect(try await agent.heartbeat(of: vm.name).errors == 0)

                try await agent.deleteVM(named: vm.name)
                await problem(.vmNotFound) { _ = try await agent.readVMInfo(named: vm.name) }
                await problem(.vmNotFound) { try await agent.deleteVM(named: vm.name) }
                #expect(!Folder.isPresent(at: cluster.vmFolder("web")))
            }
        }
    }

    @Test("A VM that is asked to wait is paused until it is resumed")
    func paused() async throws {
        try await TestCluster.with { cluster in
            try await cluster.agent { agent in
                let vm = try await agent.createPulse("web", paused: true)
                #expect(vm.state == .paused)
                #expect(try await agent.readConsoleLog(of: vm.name).isEmpty)
                #expect(try await agent.performAction(.resume, on: vm.name).state == .running)
                _ = try await agent.heartbeat(of: vm.name)
            }
        }
    }

    @Test("What cannot be is refused by its own code, and leaves nothing behind")
    func refusals() async throws {
        try await TestCluster.with { cluster in
            try await cluster.agent { agent in
                let vm = try await agent.createPulse("web", paused: true)
                await problem(.nameTaken) { _ = try await agent.createPulse("web") }
                let other = try VMName("other")
                func create(_ memory: UInt64, _ kernel: String?) async throws {
                    _ = try await agent.createVM(
                        with: CreateVM(
                            VMSpec(
                                name: other, memory: ByteCount(memory),
                                kernel: kernel.map { .files(kernel: $0, initrd: nil) }
                                    ?? .shipped)))
                }
                await problem(.kernelUnusable) { try await create(64 << 20, "/etc/passwd") }
                await problem(.kernelUnusable) { try await create(64 << 20, "/nowhere") }
                await problem(.notEnoughMemory) { try await create(1 << 40, nil) }
                await problem(.invalid) { try await create(12345, nil) }
                await problem(.savedFileUnusable) {
                    _ = try await agent.restoreVM(with: RestoreVM(path: "/etc/passwd", name: other))
                }
                await problem(.savedFileUnusable) {
                    _ = try await agent.restoreVM(with: RestoreVM(name: other))
                }
                await problem(.invalid) { _ = try await agent.restoreVM(with: RestoreVM()) }
                #expect(try await agent.listAllVMs().map(\.id) == [vm.id])
                #expect(!Folder.isPresent(at: cluster.vmFolder("other")))
            }
        }
    }

    @Test("Console input reaches the guest, and its answer comes back")
    func console() async throws {
        try await TestCluster.with { cluster in
            try await cluster.agent { agent in
                let vm = try await agent.createPulse("web")
                _ = try await agent.heartbeat(of: vm.name)
                async let echo = agent.line(of: vm.name) { line in
                    if case .echo(let text) = line { text } else { nil }
                }
                // Asked again and again: the first words may come before the reader is there.
                let asking = Task {
                    while !Task.isCancelled {
                        try await agent.sendConsoleInput(Array("echo ahoy\n".utf8), to: vm.name)
                        _ = try await agent.heartbeat(of: vm.name)
                    }
                }
                #expect(try await echo == "ahoy")
                asking.cancel()
                let log = String(
                    decoding: try await agent.readConsoleLog(of: vm.name), as: UTF8.self)
                #expect(log.contains("pulse ready"))
                #expect(try await agent.readConsoleLog(of: vm.name, tailBytes: 10).count == 10)
                _ = try await agent.performAction(.stop, on: vm.name)
                await problem(.wrongState) {
                    try await agent.sendConsoleInput([65], to: vm.name)
                }
            }
        }
    }

    @Test("A VM is saved, and a second one made of the file; both run, each with its own identity")
    func saveAndRestore() async throws {
        try await TestCluster.with { cluster in
            try await cluster.agent { agent in
                let vm = try await agent.createPulse("web")
                let beat = try await agent.heartbeat(of: vm.name)
                let saved = try await agent.saveVMToFile(named: vm.name, with: SaveVM())
                #expect(saved.bytes > 0)
                await problem(.fileExists) {
                    _ = try await agent.saveVMToFile(named: vm.name, with: SaveVM())
                }
                #expect(try await agent.readVMInfo(named: vm.name).state == .running)
                await problem(.nameTaken) {
                    _ = try await agent.restoreVM(with: RestoreVM(path: saved.path))
                }
                let twin = try await agent.restoreVM(
                    with: RestoreVM(path: saved.path, name: VMName("twin")))
                #expect(twin.id != vm.id)
                let later = try await agent.heartbeat(of: twin.name)
                #expect(later.sequence > beat.sequence)
                #expect(later.errors == 0)
                #expect(try await agent.heartbeat(of: vm.name).errors == 0)
            }
        }
    }

    @Test("An agent that is killed and started again has its VMs back, still running")
    func killedAgent() async throws {
        try await TestCluster.with { cluster in
            let (before, beat) = try await cluster.agent { agent in
                _ = try await agent.createPulse("still", paused: true)
                _ = try await agent.performAction(
                    .stop, on: agent.createPulse("stopped", paused: true).name)
                let vm = try await agent.createPulse("web")
                return (vm, try await agent.heartbeat(of: vm.name))
            }
            try cluster.kill()
            try await cluster.start(cluster.file.hosts[0].name)
            try await cluster.agent { agent in
                let after = try await agent.readVMInfo(named: before.name)
                #expect(after.state == .running)
                #expect(after.id == before.id)
                #expect(after.processID == before.processID)
                #expect(after.epoch == before.epoch)
                let later = try await agent.heartbeat(of: before.name)
                #expect(later.sequence > beat.sequence)
                #expect(later.errors == 0)
                let states = try await agent.listAllVMs().map { "\($0.name) \($0.state.rawValue)" }
                #expect(states == ["still paused", "stopped stopped", "web running"])
                _ = try await agent.performAction(.start, on: VMName("stopped"))
            }
        }
    }

    @Test("A VM process that is killed is seen as failed at once, and can be started again")
    func killedVM() async throws {
        try await TestCluster.with { cluster in
            try await cluster.agent { agent in
                let vm = try await agent.createPulse("web")
                try killProcess(of: vm)
                var now = try await agent.readVMInfo(named: vm.name)
                let end = Instant.now + .seconds(10)
                while now.processID != nil, Instant.now < end {
                    now = try await agent.readVMInfo(named: vm.name)
                }
                #expect(now.state == .failed)
                #expect(now.exit?.reason == .processDied)
                #expect(try await agent.performAction(.start, on: vm.name).state == .running)
                #expect(try await agent.heartbeat(of: vm.name).errors == 0)
            }
        }
    }

    @Test("A VM process that is found and does not answer is never doubled; stopping it ends it")
    func silentVM() async throws {
        try await TestCluster.with { cluster in
            let vm = try await cluster.agent { try await $0.createPulse("web") }
            let process = try ProcessHandle(try #require(vm.processID))
            try process.sendSignal(SIGSTOP)
            try cluster.kill()
            try await cluster.start(cluster.file.hosts[0].name)
            try await cluster.agent { agent in
                let found = try await agent.readVMInfo(named: vm.name)
                #expect(found.warning?.contains("cannot be reached") == true)
                await problem(.wrongState) {
                    _ = try await agent.performAction(.start, on: vm.name)
                }
                #expect(try !process.waitForExit(within: .zero))
                let stopped = try await agent.performAction(.stop, on: vm.name)
                #expect(stopped.warning == nil)
                #expect(try process.waitForExit(within: .seconds(10)))
                #expect(try await agent.performAction(.start, on: vm.name).state == .running)
            }
        }
    }

    @Test("SIGTERM ends an agent in good order, with live streams open, and its VMs run on")
    func terminated() async throws {
        try await TestCluster.with { cluster in
            let vm = try await cluster.agent { try await $0.createPulse("web") }
            let process = try cluster.process()
            try await cluster.agent { agent in
                try await agent.followConsole(of: vm.name) { _ in
                    // The first piece is here: the stream is open. It ends with the agent.
                    try process.sendSignal(SIGTERM)
                    return true
                }
            }
            #expect(try process.waitForExit(within: .seconds(30)))
            _ = process.reapIfExited()
            #expect(try !ProcessHandle(try #require(vm.processID)).waitForExit(within: .zero))
        }
    }

    @Test("Two agents never share a state folder")
    func lock() async throws {
        try await TestCluster.with { cluster in
            let second = try cluster.launch(cluster.file.hosts[0].name)
            #expect(try second.waitForExit(within: .seconds(30)))
            #expect(second.reapIfExited() == .code(1))
            #expect(try cluster.logText().contains("in use by another agent"))
        }
    }

    @Test("A host says what it is")
    func host() async throws {
        try await TestCluster.with { cluster in
            let host = try await cluster.agent { try await $0.readHostInfo() }
            #expect(host.name.text == "host-a")
            #expect(host.cores > 0)
            #expect(host.memoryBytes > host.memoryAvailableBytes)
            #expect(host.memoryReserveBytes == 256 << 20)
            #expect(host.kvm.apiVersion == 12)
            #expect(host.cpuFeatures.contains("sse2"))
            #expect(host.kvm.capabilities["KVM_CAP_IRQCHIP"] == 1)
        }
    }
}
