// Where a TCP socket is: an IP address and a port.

import Glibc

/// "127.0.0.1:7101" or "[::1]:7101". Host names are not resolved here.
package struct SocketAddress: Hashable, Sendable {
    package let ip: String
    package let port: UInt16

    package init(ip: String, port: UInt16) {
        self.ip = ip
        self.port = port
    }

    fileprivate var isIPv6: Bool { ip.utf8.contains(UInt8(ascii: ":")) }
}

extension SocketAddress: LosslessStringConvertible {
    package init?(_ description: String) {
        guard let colon = description.lastIndex(of: ":"),
            let port = UInt16(description[description.index(after: colon)...])
        else { return nil }
        var ip = description[..<colon]
        if ip.hasPrefix("["), ip.hasSuffix("]") { ip = ip.dropFirst().dropLast() }
        let address = SocketAddress(ip: String(ip), port: port)
        guard unsafe address.withSockaddr({ unsafe $0 != nil && $1 > 0 }) else { return nil }
        self = address
    }

    package var description: String { isIPv6 ? "[\(ip)]:\(port)" : "\(ip):\(port)" }

    /// Calls with the C form; nil when the text is not an IP address.
    func withSockaddr<Value>(
        _ body: (UnsafePointer<sockaddr>?, socklen_t) -> Value
    ) -> Value {
        if isIPv6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            guard unsafe inet_pton(AF_INET6, ip, &address.sin6_addr) == 1 else {
                return body(nil, 0)
            }
            return unsafe withUnsafeBytes(of: address) {
                unsafe body(
                    $0.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t($0.count))
            }
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard unsafe inet_pton(AF_INET, ip, &address.sin_addr) == 1 else {
            return body(nil, 0)
        }
        return unsafe withUnsafeBytes(of: address) {
            unsafe body($0.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t($0.count))
        }
    }
}
