// The vmm's own log: lines on standard error.

import Glibc

/// One line, in one write, so that lines of several threads do not mix.
package func writeLogLine(_ text: String) {
    var time = time(nil)
    var parts = unsafe tm()
    _ = unsafe gmtime_r(&time, &parts)
    let stamp = unsafe [parts.tm_hour, parts.tm_min, parts.tm_sec]
        .map { ($0 < 10 ? "0" : "") + String($0) }.joined(separator: ":")
    let line = Array("\(stamp) ferry-vmm: \(text)\n".utf8)
    // Nobody is left to tell that the log cannot be written.
    _ = unsafe line.withUnsafeBytes { unsafe write(2, $0.baseAddress, $0.count) }
}
