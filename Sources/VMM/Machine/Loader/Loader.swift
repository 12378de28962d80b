// Puts a kernel and what it needs into guest memory.

import Model
import Wire

/// Where and how the first CPU starts: PVH wants the start info in RBX, Linux its parameters in RSI.
package struct EntryPoint: Hashable, Sendable {
    package var address: UInt32
    package var rbx: UInt64
    package var rsi: UInt64

    package init(address: UInt32, rbx: UInt64, rsi: UInt64) {
        self.address = address
        self.rbx = rbx
        self.rsi = rsi
    }
}

/// Loads one guest. The memory holds no other guest's data: what is not written here stays as it is.
package struct Loader {
    private let memory: GuestMemory
    private let vcpus: Int

    package init(memory: GuestMemory, vcpus: Int) {
        self.memory = memory
        self.vcpus = vcpus
    }

    package func loadGuest(from source: BootSource) throws(KernelError) -> EntryPoint {
        let image = try source.readKernel()
        writeLowMemory(
            MPTable.makeMPStructures(vcpus: vcpus, at: BootLayout.mpTable), at: BootLayout.mpTable)
        var table = ByteWriter()
        for descriptor in BootLayout.descriptors { table.writeInteger(descriptor) }
        writeLowMemory(table.bytes, at: BootLayout.descriptorTable)
        if image.bytes.starts(with: ELFImage.magic) {
            return try loadKernel(ELFImage(image), from: image, source: source)
        }
        guard BzImage.hasSignature(in: image) else { throw .notAKernel }
        return try loadKernel(BzImage(image), from: image, source: source)
    }

    private func loadKernel(
        _ kernel: ELFImage, from image: ImageBytes, source: BootSource
    ) throws(KernelError) -> EntryPoint {
        var end = BootLayout.highMemoryStart
        for segment in kernel.segments {
            try loadSegment(segment, from: image)
            end = max(end, segment.physicalAddress + segment.memoryBytes)
        }
        try writeCommandLine(text: source.commandLine, limit: VMSpec.commandLineBytesMax)
        let initrd = try loadInitrd(from: source, above: end, below: lowRAMEnd)
        writeLowMemory(
            StartInfo.encodeStartInfo(initrd: initrd, mapEntries: memoryMap.count),
            at: BootLayout.startInfo)
        writeLowMemory(StartInfo.encodeModules(initrd: initrd), at: BootLayout.modules)
        writeLowMemory(StartInfo.encodeMemoryMap(entries: memoryMap), at: BootLayout.memoryMap)
        return EntryPoint(address: kernel.entry, rbx: BootLayout.startInfo, rsi: 0)
    }

    private func loadKernel(
        _ kernel: BzImage, from image: ImageBytes, source: BootSource
    ) throws(KernelError) -> EntryPoint {
        guard kernel.memoryEnd <= lowRAMEnd else {
            throw .outsideMemory(
                what: "kernel", address: BzImage.loadAddress,
                bytes: kernel.memoryEnd - BzImage.loadAddress)
        }
        let code = image.bytes[kernel.codeOffset...]
        guard memory.writeBytes(code, at: BzImage.loadAddress) else {
            throw .outsideMemory(
                what: "kernel", address: BzImage.loadAddress, bytes: UInt64(code.count))
        }
        try writeCommandLine(text: source.commandLine, limit: kernel.commandLineBytesMax)
        let initrd = try loadInitrd(
            from: source, above: kernel.memoryEnd,
            below: min(lowRAMEnd, kernel.initrdAddressMax + 1))
        writeLowMemory(
            BootParameters.makeZeroPage(for: kernel, initrd: initrd, memoryMap: memoryMap),
            at: BootLayout.bootParameters)
        return EntryPoint(
            address: UInt32(BzImage.loadAddress), rbx: 0, rsi: BootLayout.bootParameters)
    }

    private func loadSegment(
        _ segment: ELFImage.Segment, from image: ImageBytes
    ) throws(KernelError) {
        let outside = KernelError.outsideMemory(
            what: "kernel's segment", address: segment.physicalAddress, bytes: segment.memoryBytes)
        guard segment.physicalAddress >= BootLayout.highMemoryStart,
            memory.layout.fileOffset(
                ofGuestAddress: segment.physicalAddress, count: segment.memoryBytes) != nil
        else { throw outside }
        let bytes = try image.readSlice(
            at: segment.fileOffset, count: segment.fileBytes, field: "segment")
        guard memory.writeBytes(bytes, at: segment.physicalAddress),
            memory.zeroBytes(
                at: segment.physicalAddress + segment.fileBytes,
                count: Int(segment.memoryBytes - segment.fileBytes))
        else { throw outside }
    }

    /// As high as it may be, so that it is out of the kernel's way.
    private func loadInitrd(
        from source: BootSource, above start: UInt64, below end: UInt64
    ) throws(KernelError) -> Range<UInt64>? {
        let bytes = UInt64(try source.initrdBytes())
        guard bytes > 0 else { return nil }
        let room = end > start ? end - start : 0
        let outside = KernelError.outsideMemory(what: "initrd", address: start, bytes: bytes)
        guard bytes <= room, (end - bytes) & ~0xfff >= start else { throw outside }
        let address = (end - bytes) & ~0xfff
        let read: Void? = try unsafe memory.withWritableBytes(at: address, count: Int(bytes)) {
            (target) throws(KernelError) in try unsafe source.readInitrd(into: target)
        }
        guard read != nil else { throw outside }
        return address..<(address + bytes)
    }

    private func writeCommandLine(text: String, limit: Int) throws(KernelError) {
        guard text.utf8.count <= min(limit, VMSpec.commandLineBytesMax) else {
            throw .commandLineTooLong(bytes: text.utf8.count, limit: limit)
        }
        writeLowMemory(Array(text.utf8) + [0], at: BootLayout.commandLine)
    }

    /// For places below 1 MiB, which every guest has.
    private func writeLowMemory(_ bytes: [UInt8], at address: UInt64) {
        precondition(memory.writeBytes(bytes, at: address), "every guest has memory below 1 MiB")
    }

    private var memoryMap: [BootLayout.MapEntry] { BootLayout.memoryMap(of: memory.layout) }
    private var lowRAMEnd: UInt64 { BootLayout.lowRAMEnd(of: memory.layout) }
}
