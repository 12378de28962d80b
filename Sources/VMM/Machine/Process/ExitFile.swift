// exit.json: why a vmm ended, for an agent that was not there to be told.

import Glibc
import Host
import Model

enum ExitFile {
    /// Writes it whole or not at all.
    static func writeExit(_ exit: VMExit, to path: String) throws(SystemError) {
        let draft = path + ".new"
        let file = try Descriptor.openFile(at: draft, flags: O_WRONLY | O_CREAT | O_TRUNC)
        try file.writeAllBytes(Array(encodeJSON(for: exit).utf8))
        try checkedSystemCall(named: "fsync(\(draft))") { fsync(file.number) }
        try checkedSystemCall(named: "rename(\(path))") { unsafe rename(draft, path) }
    }

    /// The same JSON as VMExit's Codable.
    static func encodeJSON(for exit: VMExit) -> String {
        #"{"reason":"\#(exit.reason.rawValue)","detail":"\#(jsonEscaped(text: exit.detail))"}"#
            + "\n"
    }

    private static func jsonEscaped(text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case _ where scalar.value < 0x20:
                result += "\\u" + scalar.value.hexadecimal(digits: 4)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
