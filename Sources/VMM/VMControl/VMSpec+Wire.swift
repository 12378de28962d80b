// How a spec looks as bytes in a vmm's answer and in the file of a saved VM. Neither says where the kernel is, nor
// whether the VM is leased. Processes of earlier builds read and write these bytes: they change with a version only.

package import Model
package import Wire

extension ByteWriter {
    package mutating func writeVMSpec(_ spec: VMSpec) {
        writeText(spec.name.text)
        writeInteger(spec.memory.bytes)
        writeInteger(UInt32(spec.vcpus))
        writeBool(spec.hugePages)
        writeInteger(spec.downtimeLimit.duration.wholeNanoseconds)
        writeText(spec.commandLine ?? "")
    }
}

extension ByteReader {
    package mutating func readVMSpec() throws(WireError) -> VMSpec {
        guard let name = try? VMName(try readText(limit: 63, field: "name")) else {
            throw .invalidText(field: "name")
        }
        return VMSpec(
            name: name, memory: ByteCount(try readInteger(field: "memory")),
            vcpus: try readCount(limit: VMSpec.vcpusMax, field: "vcpus"),
            hugePages: try readBool(field: "hugePages"),
            downtimeLimit: DowntimeLimit(
                .nanoseconds(try readInteger(as: Int64.self, field: "downtimeLimit"))),
            commandLine: try readText(limit: VMSpec.commandLineBytesMax, field: "command line"),
            kernel: .unknown)
    }
}
