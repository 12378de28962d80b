// How a spec looks as bytes in a vmm's answer and in the file of a saved VM. Neither says where the kernel is, nor
// whether the VM is leased. Processes of earlier builds read and write these bytes: they change with a version only.

package import Model
package import Wire

extension ByteWriter {
    package mutating func write(_ spec: VMSpec) {
        write(spec.name.text)
        write(spec.memory.bytes)
        write(UInt32(spec.vcpus))
        write(spec.hugePages)
        write(spec.downtimeLimit.duration.wholeNanoseconds)
        write(spec.commandLine ?? "")
    }
}

extension ByteReader {
    package mutating func spec() throws(WireError) -> VMSpec {
        guard let name = try? VMName(try text(limit: 63, field: "name")) else {
            throw .invalidText(field: "name")
        }
        return VMSpec(
            name: name, memory: ByteCount(try integer(field: "memory")),
            vcpus: try count(limit: VMSpec.vcpusMax, field: "vcpus"),
            hugePages: try bool(field: "hugePages"),
            downtimeLimit: DowntimeLimit(
                .nanoseconds(try integer(Int64.self, field: "downtimeLimit"))),
            commandLine: try text(limit: VMSpec.commandLineBytesMax, field: "command line"),
            kernel: .unknown)
    }
}
