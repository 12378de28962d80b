import Foundation
import Glibc
import Host
import KVM
import Machine
import Model
import Synchronization
import Testing
import VMControl
import Wire

@Suite("The serial port")
struct SerialPortTests {
    /// Register accesses change the port, which #expect does not allow in its own expression.
    private func expect<Value: Equatable>(
        _ found: Value, _ wanted: Value, at location: SourceLocation = #_sourceLocation
    ) {
        #expect(found == wanted, sourceLocation: location)
    }

    @Test("Output goes out, and the transmitter's interrupt comes and goes as a driver expects")
    func transmitter() {
        var port = SerialPort()
        expect(port.writeRegister(at: 4, value: 0x0b), nil)  // OUT2: interrupts on
        #expect(!port.asksForInterrupt)
        expect(port.writeRegister(at: 1, value: 0x02), nil)  // transmitter empty
        #expect(port.asksForInterrupt)
        expect(port.readRegister(at: 2), 0x02)
        #expect(!port.asksForInterrupt)
        expect(port.readRegister(at: 2), 0x01)
        expect(port.writeRegister(at: 0, value: 65), 65)
        #expect(port.asksForInterrupt)
        expect(port.readRegister(at: 5), 0x60)
        expect(port.writeRegister(at: 1, value: 0), nil)
        #expect(!port.asksForInterrupt)
    }

    @Test("Input asks for an interrupt until it is read, and has bounds")
    func receiver() {
        var port = SerialPort()
        _ = port.writeRegister(at: 4, value: 0x08)
        _ = port.writeRegister(at: 1, value: 0x01)
        expect(port.enqueueInput([1, 2]), 2)
        #expect(port.asksForInterrupt)
        expect(port.readRegister(at: 2), 0x04)
        expect(port.readRegister(at: 5), 0x61)
        expect(port.readRegister(at: 0), 1)
        expect(port.readRegister(at: 0), 2)
        #expect(!port.asksForInterrupt)
        expect(port.readRegister(at: 0), 0)
        expect(port.enqueueInput([UInt8](repeating: 0, count: 1 << 20)), 16 << 10)
        expect(port.enqueueInput([1]), 0)
    }

    @Test("It looks like a 16550A: FIFO bits, divisor latch, loopback, scratch")
    func detection() {
        var port = SerialPort()
        _ = port.writeRegister(at: 2, value: 0x01)
        expect(port.readRegister(at: 2), 0xc1)
        _ = port.writeRegister(at: 3, value: 0x83)
        _ = port.writeRegister(at: 0, value: 1)
        _ = port.writeRegister(at: 1, value: 2)
        expect(port.readRegister(at: 0), 1)
        expect(port.readRegister(at: 1), 2)
        _ = port.writeRegister(at: 3, value: 0x03)
        expect(port.readRegister(at: 1), 0)
        _ = port.writeRegister(at: 4, value: 0x1a)  // loopback, RTS, OUT2
        expect(port.readRegister(at: 6), 0x90)
        expect(port.writeRegister(at: 0, value: 7), nil)
        expect(port.readRegister(at: 0), 7)
        _ = port.writeRegister(at: 7, value: 0x5a)
        expect(port.readRegister(at: 7), 0x5a)
    }

    @Test("Its state is restored as it was")
    func state() throws {
        var port = SerialPort()
        _ = port.writeRegister(at: 4, value: 0x08)
        _ = port.writeRegister(at: 1, value: 0x03)
        _ = port.enqueueInput([1, 2, 3])
        var reader = ByteReader(port.encoded)
        #expect(try SerialPort(from: &reader) == port)
        try reader.requireFullyRead()
    }
}

@Suite("A guest's lifecycle")
struct LifecycleTests {
    private let first = ConnectionID(1)
    private let second = ConnectionID(2)

    @Test("A handover belongs to its connection, until it is sealed")
    func handover() {
        var life = Lifecycle(state: .running)
        life.markPaused(for: first)
        #expect(life.state == .paused)
        let strange = (
            sealed: life.sealHandover(by: second), resumes: life.endHandover(ownedBy: second)
        )
        #expect(!strange.sealed && !strange.resumes)
        let resumes = life.endHandover(ownedBy: first)
        #expect(resumes)
        life.markRunning()
        life.markPaused(for: first)
        let isSealed = life.sealHandover(by: first)
        #expect(isSealed && life.isSealed)
        let resumesSealed = life.endHandover(ownedBy: first)
        #expect(!resumesSealed)
        life.markRunning()
        #expect(!life.isSealed)
    }

    @Test("Who was paused before a handover stays paused after it")
    func pausedBefore() {
        var life = Lifecycle(state: .running)
        life.markPaused(for: nil)
        life.markPaused(for: first)
        let resumes = life.endHandover(ownedBy: first)
        #expect(!resumes)
        #expect(life.state == .paused)
    }

    @Test("The first end counts")
    func end() {
        var life = Lifecycle(state: .running)
        life.markEnded(with: VMExit(reason: .tripleFault, detail: "a"))
        life.markEnded(with: VMExit(reason: .stopped, detail: "b"))
        #expect(life.state == .failed)
        #expect(life.exit?.detail == "a")
    }
}

@Suite("CPUID for guests")
struct CPUIDPolicyTests {
    private let supported = [
        CPUIDEntry(leaf: 0, eax: 0x10),
        CPUIDEntry(leaf: 1, ebx: 0x0507_0800, ecx: 1 << 5 | 1 << 27 | 1, edx: 1),
        CPUIDEntry(leaf: 0xb, subleaf: 0, ebx: 99),
        CPUIDEntry(leaf: 0x4000_0000, eax: 0x4000_0001),
        CPUIDEntry(leaf: 0x4000_0001, eax: 0xffff_ffff),
        CPUIDEntry(leaf: 0x8000_0001, ecx: 1 << 2 | 1),
        CPUIDEntry(leaf: 0x8000_0008, eax: 0x3030, ebx: 4, ecx: 0x7007),
    ]

    @Test("Each CPU has its own number; what does not move is not offered")
    func entries() throws {
        let entries = CPUIDPolicy.guestEntries(from: supported, id: 2, vcpus: 3)
        func entry(_ leaf: UInt32, _ subleaf: UInt32 = 0) throws -> CPUIDEntry {
            try #require(entries.first { $0.leaf == leaf && $0.subleaf == subleaf })
        }
        #expect(try entry(1).ebx == 0x0203_0800)
        #expect(try entry(1).ecx == 1 << 31 | 1)
        #expect(try entry(1).edx == 1 << 28 | 1)
        #expect(try entry(0xb).edx == 2)
        #expect(try entry(0xb, 1).ebx == 3)
        #expect(try entry(0xb, 1).eax == 2)
        #expect(try entry(0x4000_0001).eax == 0x0100_004b)
        #expect(try entry(0x8000_0001).ecx == 1)
        #expect(try entry(0x8000_0008).ebx == 4)
        #expect(try entry(0x8000_0008).eax == 0x3030)
        #expect(try entry(0x8000_0008).ecx == 0x2002)
        #expect(entries.count { $0.leaf == 0x4000_0000 } == 1)
    }

    @Test("Features have the names of /proc/cpuinfo")
    func features() {
        let features = CPUFeatures(cpuid: [
            CPUIDEntry(leaf: 1, ecx: 1 | 1 << 20 | 1 << 27, edx: 1 << 26),
            CPUIDEntry(leaf: 7, ebx: 1 << 5, ecx: 1 << 9),
            CPUIDEntry(leaf: 0x8000_0001, edx: 1 << 29),
        ])
        #expect(features.names == ["avx2", "lm", "pni", "sse2", "sse4_2", "vaes"])
    }
}

@Suite("A confined thread")
struct ConfinementTests {
    @Test("It cannot become another program, reaches no network, and signals only its own process")
    func confined() throws {
        let codes = Mutex<[Int32]>([])
        try NamedThread(name: "confined") {
            do {
                try Confinement.confineThread()
                do throws(SystemError) { try Confinement.executeProgram(at: "/bin/true") } catch {
                    codes.withLock { $0.append(error.code) }
                }
                let address = SocketAddress(ip: "127.0.0.1", port: 1)
                do throws(SystemError) {
                    _ = try TCPSocket.openConnection(to: address, within: .seconds(1))
                } catch {
                    codes.withLock { $0.append(error.code) }
                }
                let path = FileManager.default.temporaryDirectory.path + "/nobody-listens"
                do throws(SystemError) { _ = try UnixSocket.openConnection(to: path) } catch {
                    codes.withLock { $0.append(error.code) }
                }
                // The test's parent may not be asked whether it is there, a thread of its own may.
                let code = Glibc.kill(getppid(), 0) < 0 ? errno : 0
                codes.withLock { $0.append(code) }
                codes.withLock { $0.append(pthread_kill(pthread_self(), 0)) }
                // Threads and memory files still work.
                _ = try MemoryFile.createFixedSize(name: "allowed", bytes: 4096)
                try NamedThread(name: "allowed") { codes.withLock { $0.append(0) } }.joinThread()
            } catch {
                Issue.record(error)
            }
        }.joinThread()
        // execve, TCP, connect and kill; then the own thread's signal, and the thread that ran
        #expect(codes.withLock { $0 } == [EPERM, EPERM, EPERM, EPERM, 0, 0])
    }
}
