// How a process gives up what it does not need, once its files are open.

internal import CLinux

package enum Confinement {
    /// Closes what the parent left open, except standard input, output and error.
    package static func closeInherited() throws(SystemError) {
        try checkedWrapperCall(named: "close_range") { ferry_close_from(3) }
    }

    /// Memory that holds a guest is in no core file, and no process of this user may read it by ptrace.
    package static func forbidInspection() throws(SystemError) {
        try checkedWrapperCall(named: "prctl(PR_SET_DUMPABLE)") { ferry_set_dumpable(0) }
        try checkedWrapperCall(named: "setrlimit(RLIMIT_CORE)") { ferry_forbid_core_files() }
    }

    /// For the calling thread and the threads it makes: no capability, no other program, no other process
    /// and no signal to one, no socket but Unix sockets, and none of those that connects. Cannot be undone.
    package static func confineThread() throws(SystemError) {
        try checkedWrapperCall(named: "prctl(PR_SET_NO_NEW_PRIVS)") {
            ferry_set_no_new_privileges()
        }
        try checkedWrapperCall(named: "capset") { ferry_drop_capabilities() }
        try checkedWrapperCall(named: "seccomp") { ferry_confine_calls() }
    }

    /// Tries to become another program: what a test asks of a confined thread. Returns only to throw.
    package static func executeProgram(at path: String) throws(SystemError) {
        try checkedWrapperCall(named: "execve(\(path))") { unsafe ferry_execute(path) }
    }
}
