// Opens files that users name. What is not a regular file is refused before a read could block on it.

import Glibc
package import Host

package enum RegularFileError: Error, Hashable, Sendable, CustomStringConvertible {
    case system(SystemError)
    case notRegular

    package var description: String {
        switch self {
        case .system(let error): "\(error)"
        case .notRegular: "it is not a regular file"
        }
    }
}

enum RegularFile {
    /// For reading. Never waits for a writer, as opening a FIFO otherwise does.
    static func openForReading(at path: String) throws(RegularFileError) -> Descriptor {
        let file: Descriptor
        do { file = try Descriptor.openFile(at: path, flags: O_RDONLY | O_NONBLOCK) } catch {
            throw .system(error)
        }
        var status = stat()
        do { try checkedSystemCall(named: "fstat") { unsafe fstat(file.number, &status) } } catch {
            throw .system(error)
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
        return file
    }
}
