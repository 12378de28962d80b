// The command ferry-vmm: reads its arguments and runs one VM.

import ArgumentParser
import Glibc
import Machine
import Model

@main
struct FerryVMM: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ferry-vmm",
        abstract: "Runs one virtual machine. ferry-agent starts it; it can be run by hand too.",
        discussion: """
            The folder gets control.sock (for agents), console.sock (the serial console, raw bytes both
            ways), console.log and, at the end, exit.json, which says why the VM ended.

            By hand, with a Linux kernel and an initramfs:

              mkdir -m 700 /tmp/vm
              ferry-vmm --directory /tmp/vm --name try --memory 256MiB --kernel vmlinux \\
                --initrd initramfs.cpio --command-line 'console=ttyS0' &
              tail -f /tmp/vm/console.log
              kill %1

            Exit codes: 0 the guest powered off or was stopped, 1 it failed, 64 wrong usage.
            """)

    @Option(help: "The folder of this VM, with mode 0700.")
    var directory: String
    @Option(
        help: "The VM's identity, 32 hexadecimal digits; random if not given.",
        transform: argumentParser(expecting: "32 hexadecimal digits"))
    var id: VMID?
    @OptionGroup var shape: VMShape
    @Option(help: "An ELF kernel with a PVH note, or a Linux bzImage.")
    var kernel: String?
    @Option(help: "An initial RAM disk.")
    var initrd: String?
    @Flag(help: "Wait for a migration. A kernel is then used only when the guest resets.")
    var incoming = false
    @Option(help: "Restore a saved VM. A kernel is then used only when the guest resets.")
    var restore: String?
    @Flag(help: "Do not run the guest yet.")
    var paused = false
    @Flag(help: "Allow core files and debuggers: they see the guest's memory.")
    var debuggable = false

    func validate() throws {
        if incoming, restore != nil {
            throw ValidationError("--incoming and --restore exclude each other")
        }
        if kernel == nil, !incoming, restore == nil {
            throw ValidationError("give a --kernel, or one of --incoming and --restore")
        }
        if shape.isLeased, !incoming, !paused {
            throw ValidationError("--leased needs --paused: nobody can have granted a lease yet")
        }
        if initrd != nil, kernel == nil { throw ValidationError("--initrd needs a --kernel") }
    }

    func run() throws {
        var options = VMMOptions(directory: directory, start: start, spec: shape.source)
        options.initrd = initrd
        options.id = id
        options.startsPaused = paused
        options.isDebuggable = debuggable
        throw ExitCode(VMMProcess(options).runUntilExit())
    }

    private var start: VMMOptions.Start {
        if incoming { return .incoming(kernel: kernel) }
        if let restore { return .restore(file: restore, kernel: kernel) }
        // `validate` made sure that there is one.
        return .boot(kernel: kernel ?? "")
    }
}

/// An argument that is written as a value's text form.
func argumentParser<Value: LosslessStringConvertible & SendableMetatype>(
    expecting what: String
) -> @Sendable (String) throws -> Value {
    { text in
        guard let value = Value(text) else { throw ValidationError("'\(text)' is not \(what)") }
        return value
    }
}
