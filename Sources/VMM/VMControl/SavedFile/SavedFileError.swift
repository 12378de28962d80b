// What can be wrong with a saved VM's file.

package import Host
package import Wire

package enum SavedFileError: Error, Hashable, Sendable, CustomStringConvertible {
    case system(SystemError)
    case notASavedVM
    case wrongVersion(found: Int, known: Int)
    /// The file ends within this part.
    case truncated(part: String)
    case wrongChecksum(part: String)
    case malformed(part: String, WireError)
    case contradiction(String)

    package var description: String {
        switch self {
        case .system(let error): "the saved VM's file: \(error)"
        case .notASavedVM: "the file is no saved VM of Ferry's"
        case .wrongVersion(let found, let known):
            "the saved VM's file has version \(found), this ferry-vmm knows version \(known)"
        case .truncated(let part): "the saved VM's file is cut off in its \(part)"
        case .wrongChecksum(let part):
            "the saved VM's file is damaged: the checksum of its \(part) is wrong"
        case .malformed(let part, let error):
            "the saved VM's file is damaged: in its \(part), \(error)"
        case .contradiction(let text): text
        }
    }
}
