// Starts a program that outlives its starter: a session of its own, its own input and output, nothing inherited.

internal import CLinux
import Glibc

package enum DetachedProcess {
    /// - Parameters:
    ///   - arguments: without the program's own name; each without a zero byte.
    ///   - log: standard output and error are appended to this file.
    /// - Returns: the process's number. It is a child: reap it.
    package static func start(
        _ program: String, _ arguments: [String], log: String
    ) throws(SystemError) -> Int32 {
        var words: [UnsafeMutablePointer<CChar>?] = unsafe ([program] + arguments).map {
            unsafe strdup($0)
        }
        unsafe words.append(nil)
        defer { unsafe words.forEach { unsafe free($0) } }
        return try checkedNegative("posix_spawn(\(program))") {
            unsafe ferry_spawn_detached(program, words, log)
        }
    }
}
