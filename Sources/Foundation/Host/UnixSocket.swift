// Unix sockets by path, of any length, with descriptors passed along.
//
// A socket's address holds at most 107 bytes of path; state folders may be deeper. The folder is opened
// and the socket named through /proc/self/fd, which is always short.

internal import CLinux
import Glibc

package enum UnixSocket {
    private static let backlog: Int32 = 16

    /// Listens at `path`, replacing a socket that is there; only this user may connect.
    package static func openListener(at path: String) throws(SystemError) -> Descriptor {
        let socket = try makeSocket()
        _ = unsafe unlink(path)
        try withShortPath(replacing: path) { (short) throws(SystemError) in
            var address = try makeAddress(path: short)
            try checkedSystemCall(named: "bind(\(path))") {
                unsafe withUnsafeBytes(of: &address) {
                    unsafe Glibc.bind(
                        socket.number, $0.assumingMemoryBound(to: sockaddr.self).baseAddress,
                        socklen_t($0.count))
                }
            }
        }
        try checkedSystemCall(named: "chmod(\(path))") { unsafe chmod(path, 0o600) }
        try checkedSystemCall(named: "listen(\(path))") { Glibc.listen(socket.number, backlog) }
        return socket
    }

    package static func openConnection(to path: String) throws(SystemError) -> Descriptor {
        let socket = try makeSocket()
        try withShortPath(replacing: path) { (short) throws(SystemError) in
            var address = try makeAddress(path: short)
            try checkedSystemCall(named: "connect(\(path))") {
                unsafe withUnsafeBytes(of: &address) {
                    unsafe Glibc.connect(
                        socket.number, $0.assumingMemoryBound(to: sockaddr.self).baseAddress,
                        socklen_t($0.count))
                }
            }
        }
        return socket
    }

    /// The next connection.
    package static func acceptConnection(on listener: Descriptor) throws(SystemError) -> Descriptor
    {
        Descriptor(
            owning: try checkedWrapperCall(named: "accept") { ferry_accept(listener.number) })
    }

    /// Whether the other end belongs to this process's user; false when that cannot be told.
    package static func isPeerSameUser(on socket: Descriptor) -> Bool {
        (try? peerCredentials(of: socket).uid) == geteuid()
    }

    /// The process and user at the other end.
    package static func peerCredentials(of socket: Descriptor) throws(SystemError) -> (
        pid: Int32, uid: UInt32
    ) {
        var pid: pid_t = 0
        var uid: uid_t = 0
        try checkedWrapperCall(named: "SO_PEERCRED") {
            unsafe ferry_peer_credentials(socket.number, &pid, &uid)
        }
        return (pid, uid)
    }

    /// Sends all bytes; descriptors go with the first of them.
    package static func sendBytes(
        _ bytes: [UInt8], attaching descriptors: [Descriptor] = [], on socket: Descriptor
    ) throws(SystemError) {
        var rest = bytes[...]
        var numbers = descriptors.map(\.number)
        while !rest.isEmpty {
            let sent = try checkedWrapperCall(named: "sendmsg") {
                unsafe rest.withUnsafeBytes { bytes in
                    unsafe ferry_send_with_fds(
                        socket.number, bytes.baseAddress, bytes.count, numbers, numbers.count)
                }
            }
            rest = rest.dropFirst(sent)
            numbers = []
        }
        withExtendedLifetime(descriptors) {}
    }

    /// Receives up to `count` bytes and what descriptors came with them; no bytes at the end.
    package static func receiveBytes(
        upTo count: Int, on socket: Descriptor
    ) throws(SystemError) -> (bytes: [UInt8], descriptors: [Descriptor]) {
        var numbers = [Int32](repeating: -1, count: Int(FERRY_FDS_MAX))
        var numberCount = numbers.count
        var bytes = [UInt8](repeating: 0, count: count)
        let received = try checkedWrapperCall(named: "recvmsg") {
            numberCount = numbers.count
            return unsafe bytes.withUnsafeMutableBytes {
                unsafe ferry_receive_with_fds(
                    socket.number, $0.baseAddress, $0.count, &numbers, &numberCount)
            }
        }
        bytes.removeLast(count - received)
        return (bytes, numbers.prefix(numberCount).map { Descriptor(owning: $0) })
    }

    private static func makeSocket() throws(SystemError) -> Descriptor {
        Descriptor(
            owning: try checkedSystemCall(named: "socket(AF_UNIX)") {
                socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            })
    }

    private static func withShortPath<Value>(
        replacing path: String, body: (String) throws(SystemError) -> Value
    ) throws(SystemError) -> Value {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        let descriptor = try Descriptor.openFile(at: folder, flags: O_DIRECTORY)
        return try body("/proc/self/fd/\(descriptor.number)/\(name)")
    }

    private static func makeAddress(path: String) throws(SystemError) -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard bytes.count < room else {
            throw SystemError(call: "socket(\(path))", code: ENAMETOOLONG)
        }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        return address
    }
}
