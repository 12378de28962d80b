// A failed call to the kernel names itself, and EINTR is retried in one place.

import Glibc

/// A system call that failed.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The call, and what it was about where that helps: "open(/dev/kvm)".
    public let call: String
    /// errno
    public let code: Int32

    public init(call: String, code: Int32) {
        self.call = call
        self.code = code
    }

    /// The file, or a folder on the way to it, is not there.
    public var isNoEntry: Bool { code == ENOENT }

    public var description: String { "\(call): \(unsafe String(cString: strerror(code)))" }
}

/// Runs a call that returns -1 and sets errno; again after EINTR.
@discardableResult
package func checkedSystemCall<Value: SignedInteger>(
    named call: @autoclosure () -> String, body: () -> Value
) throws(SystemError) -> Value {
    while true {
        let result = body()
        if result != -1 { return result }
        let code = errno
        if code != EINTR { throw SystemError(call: call(), code: code) }
    }
}

/// Runs a call of CLinux, which returns -errno; again after EINTR.
@discardableResult
package func checkedWrapperCall<Value: SignedInteger>(
    named call: @autoclosure () -> String, body: () -> Value
) throws(SystemError) -> Value {
    while true {
        let result = body()
        if result >= 0 { return result }
        let code = -Int32(truncatingIfNeeded: result)
        if code != EINTR { throw SystemError(call: call(), code: code) }
    }
}
