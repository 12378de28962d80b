// The driver's end of a control file: arms the shim of one program, and hears when it acted.

import CFaultControl
import Glibc
import Host

/// The rules of the shim in one host's agent, or in its ferry-vmms.
@safe final class FaultControl: @unchecked Sendable {
    /// `@unchecked`: one scenario at a time arms; the rest is atomic in C. Mapped as long as this object lives.
    private let control: OpaquePointer

    init(path: String) throws(SystemError) {
        guard let control = unsafe fault_control_create(path) else {
            throw SystemError(call: "fault_control_create(\(path))", code: errno)
        }
        unsafe self.control = control
    }

    deinit { unsafe fault_control_close(control) }

    func armFaultRules(_ rules: [fault_rule]) {
        unsafe fault_arm(control, rules, Int32(rules.count))
    }

    func disarmRules() { unsafe fault_disarm(control) }

    func hitCount(ofRule rule: Int) -> Int { Int(unsafe fault_hits(control, Int32(rule))) }

    func releaseHeldCalls(ofRule rule: Int) { unsafe fault_release(control, Int32(rule)) }
}
