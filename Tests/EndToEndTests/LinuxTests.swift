import API
import Clients
import Foundation
import Host
import Model
import Testbed
import Testing

extension EndToEnd {
    @Suite(
        "A Linux guest",
        .enabled(
            if: LinuxGuest.kernelPath != nil,
            "needs a kernel: set FERRY_LINUX_KERNEL (Scripts/linux-guest fetches one)"))
    struct LinuxTests {
        @Test(
            "boots, is saved and restored, moves twice while user space computes, and takes input")
        func bootSaveRestoreMove() async throws {
            try await withCluster { cluster in
                let vm = try VMName("linux")
                let (a, b, c) = (cluster.hosts[0], cluster.hosts[1], cluster.hosts[2])
                let guest = try await LinuxGuest(vm, in: cluster)
                defer { guest.watch.stopWatching() }
                try await guest.boot(on: a)

                let saved = cluster.folder + "/linux.ferry"
                let save = try await cluster.runFerry("vm", "save", vm.text, "--to", saved)
                try #require(save.exitCode == 0, "\(save.errors)")
                let delete = try await cluster.runFerry("vm", "delete", vm.text)
                try #require(delete.exitCode == 0, "\(delete.errors)")
                let restore = try await cluster.runFerry(
                    "vm", "restore", vm.text, "--from", saved, "--on", a.text)
                try #require(restore.exitCode == 0, "\(restore.errors)")
                try await guest.waitForLines(2)

                for (source, destination) in [(a, b), (b, c)] {
                    let migration = try await cluster.move(vm, from: source, to: destination)
                    try #require(
                        migration.state == .succeeded, "\(migration.failure?.message ?? "")")
                    try await guest.waitForLines(3)
                }
                try guest.expectUnbrokenChain()

                try await cluster.agentClient(for: c).sendConsoleInput(
                    Array("hello\n".utf8), to: vm)
                try await guest.wait("the guest echoes", within: .seconds(30)) {
                    $0.hasSuffix("linux echo hello")
                }
            }
        }
    }
}

/// A Linux guest whose /init prints a line a second: a sequence number and a chained checksum.
struct LinuxGuest {
    /// FERRY_LINUX_KERNEL, or a kernel beside the sources.
    static var kernelPath: String? {
        let candidates = [
            ProcessInfo.processInfo.environment["FERRY_LINUX_KERNEL"],
            FileManager.default.currentDirectoryPath + "/../shared/guests/linux/vmlinux",
        ]
        return candidates.compactMap { $0 }.first { FileManager.default.fileExists(atPath: $0) }
    }

    /// What a kernel needs where KVM has no hardware help; harmless elsewhere.
    private static let commandLine = """
        console=ttyS0 earlyprintk=serial,ttyS0,115200 nokaslr panic=-1 reboot=k tsc=reliable lpj=10000000 \
        mitigations=off nopti noxsave clearcpuid=xsave,xsaveopt,xsavec,xsaves,smap,smep,fsgsbase,cx16,popcnt,\
        rdtscp,invpcid,pcid,clwb,erms,fsrm,umip,rdrand,rdseed
        """

    let watch: PulseWatch
    private let vm: VMName
    private let cluster: LocalCluster

    init(_ vm: VMName, in cluster: LocalCluster) async throws {
        self.vm = vm
        self.cluster = cluster
        watch = try PulseWatch(vm, in: cluster)
    }

    func boot(on host: HostName) async throws {
        let initramfs = cluster.folder + "/initramfs.cpio"
        let script = FileManager.default.currentDirectoryPath + "/Scripts/linux-guest"
        let made = try await FerryCommand.runProgram(
            at: script, arguments: ["initramfs", initramfs], folder: cluster.folder)
        try #require(made.exitCode == 0, "\(made.errors)")
        let kernel = try #require(Self.kernelPath)
        _ = try await cluster.agentClient(for: host).createVM(
            with: CreateVM(
                VMSpec(
                    name: vm, memory: .mebibytes(64), commandLine: Self.commandLine,
                    kernel: .files(kernel: kernel, initrd: initramfs))))
        try await wait("user space runs", within: .seconds(300)) { $0.hasSuffix("linux ready") }
        try await waitForLines(3)
    }

    func wait(
        _ what: String, within limit: Duration, _ match: (String) -> Bool
    ) async throws {
        let deadline = Instant.now + limit
        while !watch.lines.contains(where: { match($0.text) }) {
            guard Instant.now < deadline else {
                throw TestbedError(
                    "not within \(limit): \(what); the last line: \(watch.lines.last?.text ?? "none")"
                )
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// `count` more lines of the chain.
    func waitForLines(_ count: Int) async throws {
        let before = chain.count
        let deadline = Instant.now + .seconds(60)
        while chain.count < before + count {
            guard Instant.now < deadline else {
                throw TestbedError(
                    "user space stands still: \(watch.lines.last?.text ?? "no line")")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private var chain: [(sequence: Int, value: Int64)] {
        watch.lines.compactMap { line in
            guard let start = line.text.range(of: "linux seq=") else { return nil }
            let words = line.text[start.upperBound...].split(separator: " ")
            guard words.count == 2, let sequence = Int(words[0]), words[1].hasPrefix("chain="),
                let value = Int64(words[1].dropFirst(6))
            else { return nil }
            return (sequence, value)
        }
    }

    /// Every line follows from the one before it: nothing was lost, repeated or computed wrong.
    func expectUnbrokenChain() throws {
        var sequence = 0
        var value: Int64 = 1
        for line in chain {
            sequence += 1
            for _ in 0..<100 {
                value = value &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            }
            #expect(line.sequence == sequence)
            #expect(line.value == value)
        }
    }
}
