import Faults
import Foundation
import Testing

@Suite(
    "Faults in real processes",
    .enabled(if: unsafe access("/dev/kvm", R_OK | W_OK) == 0, "needs a usable /dev/kvm"))
struct ShortCampaignTests {
    @Test("40 of them: one owner after each, who runs the VM; no wrong page; nothing left behind")
    func short() async {
        let report = await Campaign(scenarios: Matrix.short) { print($0) }.runAllScenarios()
        #expect(report.violations.isEmpty, "\(report.summary)")
        #expect(report.rows.count == Matrix.short.count, "\(report.summary)")
    }
}
