import Model
import Testing

@Suite("The layout of guest memory")
struct GuestMemoryLayoutTests {
    @Test("Memory up to 3 GiB is one slot")
    func oneSlot() throws {
        let layout = try #require(GuestMemoryLayout(memory: .gibibytes(3)))
        #expect(layout.slots == [MemorySlot(guestAddress: 0, fileOffset: 0, bytes: 3 << 30)])
    }

    @Test("Memory beyond 3 GiB goes on above the hole, without a hole in the file")
    func twoSlots() throws {
        let layout = try #require(GuestMemoryLayout(memory: .gibibytes(5)))
        #expect(layout.slots.count == 2)
        #expect(
            layout.slots[1]
                == MemorySlot(guestAddress: 4 << 30, fileOffset: 3 << 30, bytes: 2 << 30))
        #expect(layout.slots[1].pages == (3 << 18)..<(5 << 18))
        #expect(layout.pageCount == 5 << 18)
    }

    @Test("A range is found only where it is RAM of one slot")
    func offsets() throws {
        let layout = try #require(GuestMemoryLayout(memory: .gibibytes(4)))
        #expect(layout.fileOffset(ofGuestAddress: 0x1000, count: 4096) == 0x1000)
        #expect(layout.fileOffset(ofGuestAddress: 4 << 30, count: 1) == 3 << 30)
        #expect(layout.fileOffset(ofGuestAddress: (3 << 30) - 1, count: 2) == nil)
        #expect(layout.fileOffset(ofGuestAddress: 3 << 30, count: 1) == nil)
        #expect(layout.fileOffset(ofGuestAddress: 5 << 30, count: 1) == nil)
        #expect(layout.fileOffset(ofGuestAddress: .max, count: .max) == nil)
    }

    @Test(
        "A size that no host can build is refused",
        arguments: [0, 1 << 20, (16 << 20) + 4096, 1 << 50])
    func refused(bytes: UInt64) {
        #expect(GuestMemoryLayout(memory: ByteCount(bytes)) == nil)
    }

    @Test("A spec says the first thing that is wrong with it")
    func specProblems() throws {
        var spec = VMSpec(name: try VMName("a"), memory: .mebibytes(64))
        #expect(spec.problem == nil)
        spec.vcpus = 0
        #expect(spec.problem?.hasPrefix("vcpus is 0") == true)
        spec.vcpus = 1
        spec.downtimeLimit = DowntimeLimit(.zero)
        #expect(spec.problem?.hasPrefix("the downtime limit") == true)
        spec.memory = .mebibytes(17)
        #expect(spec.problem?.hasPrefix("memory is 17MiB") == true)
    }

    @Test("Huge pages take time by their number, other pages none")
    func hugePageTime() throws {
        var spec = VMSpec(name: try VMName("a"), memory: .gibibytes(64))
        #expect(spec.hugePageTime == .zero)
        spec.hugePages = true
        #expect(spec.hugePageTime == .seconds(65))
    }

    @Test("Missing CPU features are named")
    func cpuFeatures() {
        let vm = CPUFeatures(["avx2", "sse2", "avx512f"])
        #expect(vm.missingFeatures(on: CPUFeatures(["sse2", "avx2", "aes"])) == ["avx512f"])
        #expect(vm.missingFeatures(on: vm).isEmpty)
    }
}
