import Host
import KVM
import Machine
import Model
import Testing
import VMControl

@Suite("Guests of a few instructions", .enabled(if: isKVMUsable), .timeLimit(.minutes(5)))
struct TinyGuestTests {
    @Test("A guest prints and powers off")
    func powerOff() throws {
        var program = Program()
        program.print("hello")
        program.powerOff()
        let guest = try TestMachine(program)
        #expect(try guest.runToEnd().reason == .powerOff)
        #expect(guest.console.text == "hello")
        #expect(guest.machine.status.state == .stopped)
    }

    @Test("Serial input reaches the guest, and its answer comes back")
    func serialInput() throws {
        var program = Program()
        let start = program.address
        program.readSerial()
        program.writeSerial()
        program.jump(to: start)
        let guest = try TestMachine(program)
        try guest.machine.resumeGuest()
        guest.type("ferry")
        try guest.console.wait { $0 == "ferry" ? () : nil }
    }

    @Test("A guest that resets itself boots again, with its memory kept")
    func reboot() throws {
        var program = Program()
        program.print("R")
        program.bytes([0x80, 0x3d] + program.little(UInt32(0x30_0000)) + [0])  // cmp byte, 0
        program.bytes([0x75, 23])  // jnz over the next 23 bytes
        program.store(1, at: 0x30_0000)
        program.out(port: 0x64, byte: 0xfe)
        program.halt()
        program.bytes([0x90, 0x90, 0x90])
        program.powerOff()
        let guest = try TestMachine(program)
        #expect(try guest.runToEnd().reason == .powerOff)
        #expect(guest.console.text == "RR")
    }

    @Test("A reset from outside starts the kernel again")
    func reset() throws {
        var program = Program()
        program.print("R")
        program.halt()
        let guest = try TestMachine(program)
        try guest.machine.resumeGuest()
        try guest.console.wait { $0 == "R" ? () : nil }
        try guest.machine.resetGuest()
        try guest.console.wait { $0 == "RR" ? () : nil }
        #expect(guest.machine.status.state == .running)
    }

    @Test("A triple fault ends the VM and is reported as what it is")
    func tripleFault() throws {
        var program = Program()
        program.bytes([0x0f, 0x0b])  // ud2, without a table of handlers
        let exit = try TestMachine(program).runToEnd()
        #expect(exit.reason == .tripleFault)
        #expect(exit.detail.contains("vcpu0"))
    }

    @Test("An instruction that KVM cannot emulate is reported with RIP and its bytes")
    func emulationFailure() throws {
        var program = Program()
        program.print("x")
        let address = program.address
        // popcnt eax, [0xd0000000]: not RAM, so it is for the emulator, which does not know it.
        program.bytes([0xf3, 0x0f, 0xb8, 0x05, 0, 0, 0, 0xd0])
        program.powerOff()
        let guest = try TestMachine(program)
        let exit = try guest.runToEnd()
        #expect(exit.reason == .emulationFailure)
        #expect(exit.detail.contains("RIP 0x\(String(address, radix: 16))"))
        #expect(exit.detail.contains("f3 0f b8 05 00 00 00 d0"))
        #expect(exit.detail.contains("CPL 0"))
        #expect(guest.machine.status.state == .failed)
    }

    @Test("int3 traps to the guest's handler and returns after the instruction")
    func breakpoint() throws {
        let handler = TinyKernel.codeAddress + 0x100
        let table = TinyKernel.codeAddress + 0x200
        let pointer = TinyKernel.codeAddress + 0x300
        var program = Program()
        program.bytes([0xbc] + program.little(UInt32(0x20_0000)))  // mov esp
        program.bytes([0x0f, 0x01, 0x1d] + program.little(pointer))  // lidt
        program.bytes([0xcc])
        program.print("after")
        program.powerOff()
        program.bytes([UInt8](repeating: 0x90, count: 0x100 - program.code.count))
        program.print("trap ")
        // As iret does, which KVM's emulator does not know: pop ecx; add esp, 8; jmp ecx.
        program.bytes([0x59, 0x83, 0xc4, 0x08, 0xff, 0xe1])
        program.bytes([UInt8](repeating: 0, count: 0x200 - program.code.count))
        var gates = [UInt8](repeating: 0, count: 0x100)
        gates.replaceSubrange(
            24..<32,
            with: program.little(UInt16(truncatingIfNeeded: handler)) + [0x10, 0, 0, 0x8e]
                + program.little(UInt16(handler >> 16)))
        program.bytes(gates)
        program.bytes(program.little(UInt16(0xff)) + program.little(table))
        let guest = try TestMachine(program)
        let exit = try guest.runToEnd()
        #expect(exit == VMExit(reason: .powerOff, detail: "the guest powered off"))
        #expect(guest.console.text == "trap after")
    }

    @Test("Ports and addresses where nobody is read as all ones")
    func emptyBus() throws {
        var program = Program()
        program.bytes([0x66, 0xba, 0xf8, 0x0c, 0xed])  // in eax, 0xcf8: no PCI
        program.bytes([0x23, 0x05, 0, 0, 0, 0xd0])  // and eax, [0xd0000000]
        program.bytes([0x40])  // inc eax: zero if all was ones
        program.bytes([0x75, 7])  // jnz over the print
        program.print("1")
        program.bytes([0x90, 0x90])
        program.powerOff()
        let guest = try TestMachine(program)
        #expect(try guest.runToEnd().reason == .powerOff)
        #expect(guest.console.text == "1")
    }

    @Test("The first CPU finds the command line and the memory map where PVH says")
    func startInfo() throws {
        var program = Program()
        program.bytes([0x8b, 0x73, 0x18])  // mov esi, [ebx + 24]: the command line
        program.bytes([0xac, 0x84, 0xc0, 0x74, 0x07])  // lodsb; test al, al; jz end
        program.writeSerial()
        program.bytes([0xeb, 0xf4])
        program.powerOff()
        let guest = try TestMachine(
            TinyKernel.source(TinyKernel.elf(program.code), commandLine: "say this"))
        #expect(try guest.runToEnd().reason == .powerOff)
        #expect(guest.console.text == "say this")
    }

    @Test("The dirty log holds exactly the pages that the guest wrote", arguments: [16, 4100])
    func dirtyLog(mebibytes: UInt64) throws {
        // The last page is written through a 32-bit address, so below the hole.
        let pages = [0x200, 0x203, 0x3ff, 0x400, 0x7ff, 0xfff]
        var program = Program()
        program.readSerial()
        for page in pages { program.store(1, at: UInt32(page) << 12) }
        program.print("D")
        program.halt()
        let guest = try TestMachine(program, memory: .mebibytes(mebibytes / 2 * 2))
        let log = guest.machine.dirtyLog
        let pageCount = guest.machine.memory.layout.pageCount
        try guest.machine.resumeGuest()
        try log.startLogging()
        #expect(try log.fetchDirtyPages() == pageCount)
        try log.clearPages(in: 0..<pageCount)
        #expect(try log.fetchDirtyPages() == 0)
        guest.type("g")
        try guest.console.wait { $0 == "D" ? () : nil }
        #expect(try log.fetchDirtyPages() == pages.count)
        #expect(dirtyPages(log) == pages)
        // Reading keeps it; clearing a part leaves the rest.
        try log.clearPages(in: 0x200..<0x240)
        #expect(try log.fetchDirtyPages() == pages.count - 2)
        #expect(dirtyPages(log) == Array(pages.dropFirst(2)))
        try log.stopLogging()
        #expect(try log.fetchDirtyPages() == 0)
    }

    @Test("The dirty log also holds what the VMM writes")
    func ownDirtyPages() throws {
        var program = Program()
        program.halt()
        let guest = try TestMachine(program)
        let log = guest.machine.dirtyLog
        let pageCount = guest.machine.memory.layout.pageCount
        try log.startLogging()
        #expect(try log.fetchDirtyPages() == pageCount)
        try log.clearPages(in: 0..<pageCount)
        #expect(guest.machine.memory.writeBytes([1, 2], at: 0x20_0fff))
        #expect(try log.fetchDirtyPages() == 2)
        #expect(dirtyPages(log) == [0x200, 0x201])
        #expect(!guest.machine.memory.writeBytes([1, 2], at: 0xff_ffff))
        #expect(try log.fetchDirtyPages() == 2)
    }
}

/// The pages that are set in the shared bits.
func dirtyPages(_ log: DirtyLog) -> [Int] {
    let words = unsafe log.bits.bytes.bindMemory(to: UInt64.self)
    return words.indices.flatMap { index in
        (0..<64).filter { unsafe words[index] >> UInt64($0) & 1 == 1 }.map { index * 64 + $0 }
    }
}
