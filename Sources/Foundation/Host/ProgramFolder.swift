// Where this program lies: its sisters lie there too.

import Glibc

package enum ProgramFolder {
    /// The folder of the running program; "." when the kernel does not say.
    package static var path: String {
        guard let pointer = unsafe realpath("/proc/self/exe", nil) else { return "." }
        defer { unsafe free(pointer) }
        let program = unsafe String(cString: pointer)
        return program.lastIndex(of: "/").map { String(program[..<$0]) } ?? "."
    }
}
