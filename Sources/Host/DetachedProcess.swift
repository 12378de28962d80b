// Starts a program that outlives its starter: a session of its own, its own input and output, nothing inherited.

import Glibc

package enum DetachedProcess {
    /// - Parameters:
    ///   - arguments: without the program's own name; each without a zero byte.
    ///   - log: standard output and error are appended to this file.
    /// - Returns: the process's number. It is a child: reap it.
    package static func start(
        _ program: String, _ arguments: [String], log: String
    ) throws(SystemError) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        try code("stdin") { unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) }
        try code("log") {
            unsafe posix_spawn_file_actions_addopen(
                &actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        }
        try code("stderr") { unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2) }
        // Whatever a library opened without close-on-exec stays here too.
        try code("closefrom") { unsafe posix_spawn_file_actions_addclosefrom_np(&actions, 3) }
        // The child starts with no signal blocked or ignored, whatever this process does with them.
        var none = sigset_t()
        var all = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | 0x80  // POSIX_SPAWN_SETSID
        try code("flags") { unsafe posix_spawnattr_setflags(&attributes, Int16(flags)) }

        var words: [UnsafeMutablePointer<CChar>?] = []
        for unsafe word in [program] + arguments { unsafe words.append(strdup(word)) }
        unsafe words.append(nil)
        defer { for unsafe word in unsafe words { unsafe free(word) } }
        var processID: pid_t = 0
        try code(program) {
            unsafe posix_spawn(&processID, program, &actions, &attributes, words, environ)
        }
        return processID
    }

    private static func code(_ what: String, _ call: () -> Int32) throws(SystemError) {
        let result = call()
        guard result == 0 else { throw SystemError(call: "posix_spawn(\(what))", code: result) }
    }
}
