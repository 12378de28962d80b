// Starts a program that outlives its starter: a session of its own, its own input and output, nothing inherited
// but a few words of the environment.

internal import CLinux
import Glibc

package enum DetachedProcess {
    /// What a starter's environment may tell; LD_LIBRARY_PATH because it may be where the Swift runtime is.
    private static let inheritedNames: Set<Substring> = ["PATH", "HOME", "LANG", "LD_LIBRARY_PATH"]
    private static let inheritedPrefix = "FERRY_"

    /// - Parameters:
    ///   - arguments: without the program's own name; each without a zero byte.
    ///   - log: standard output and error are appended to this file.
    /// - Returns: the process's number. It is a child: reap it.
    package static func startProgram(
        at program: String, arguments: [String], logPath log: String
    ) throws(SystemError) -> Int32 {
        let words = unsafe makeCStrings(from: [program] + arguments)
        defer { unsafe words.forEach { unsafe free($0) } }
        let environment = unsafe makeCStrings(from: inheritedEnvironment)
        defer { unsafe environment.forEach { unsafe free($0) } }
        return try checkedWrapperCall(named: "posix_spawn(\(program))") {
            unsafe ferry_spawn_detached(program, words, environment, log)
        }
    }

    /// For C: zero-terminated, with nil at the end. The caller frees them.
    private static func makeCStrings(from words: [String]) -> [UnsafeMutablePointer<CChar>?] {
        unsafe words.map { unsafe strdup($0) } + [nil]
    }

    private static var inheritedEnvironment: [String] {
        var entries: [String] = []
        var next = unsafe environ
        while let entry = unsafe next.pointee {
            let text = unsafe String(cString: entry)
            let name = text.prefix { $0 != "=" }
            if inheritedNames.contains(name) || name.hasPrefix(inheritedPrefix) {
                entries.append(text)
            }
            unsafe next += 1
        }
        return entries
    }
}
