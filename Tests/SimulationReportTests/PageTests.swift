// The page: it stands alone, nothing from a trace can break out of it, and a browser shows the numbers of the JSON.

import Foundation
import Simulation
import SimulationReport
import Testing

@Suite("The report's page")
struct PageTests {
    @Test func `Names from outside cannot become markup or script`() {
        let evil = "<img src=x onerror=alert(1)></script><script>alert('2')\u{1}&\""
        var sweep = Sweep.sample(variants: [evil, "other"])
        sweep.workload = evil
        sweep.settings = [Setting("trace", value: evil)]
        var results = RunResult.samples(sweep)
        results[0].notes = [evil]
        let page = Comparison(sweep: sweep, results: results).html
        #expect(!page.contains("<img"))
        #expect(!page.contains("<script>alert"))
        #expect(page.components(separatedBy: "</script>").count == 3)
        #expect(page.contains("&lt;img src=x onerror=alert(1)&gt;"))
    }

    @Test func `The page asks nothing of a network`() {
        let page = Comparison(sweep: .sample(), results: RunResult.samples(.sample())).html
        let links = page.components(separatedBy: "http").dropFirst().filter {
            // The name of SVG, which nobody fetches, and the policy's own header.
            !$0.hasPrefix("://www.w3.org/2000/svg") && !$0.hasPrefix("-equiv")
        }
        #expect(links.isEmpty, "\(links.map { $0.prefix(60) })")
        #expect(page.contains("default-src 'none'"))
        #expect(!page.contains("url(") && !page.contains("@import"))
    }

    @Test(.enabled(if: Browser.path != nil, "no Chromium: Scripts/setup --tests installs it"))
    func `A browser draws the numbers that the JSON has`() async throws {
        let sweep = Sweep.sample(policies: ["best-fit", "worst-fit", "dot-product"])
        let comparison = Comparison(sweep: sweep, results: RunResult.samples(sweep))
        let dom = try await Browser.dump(comparison.html)
        #expect(dom.contains("data-drawn=\"true\""), "the script ended before its end")
        let json = try JSONSerialization.jsonObject(with: Data(comparison.json.text.utf8))
        let policies = try #require(
            ((json as? [String: Any])?["variants"] as? [[String: Any]])?[0]["policies"]
                as? [[String: Any]])
        for policy in policies {
            let name = try #require(policy["name"] as? String)
            try checkTable(dom, name, policy)
            try checkLines(dom, name, policy)
            #expect(dom.contains("data-chart=\"heat\" data-policy=\"\(name)\" data-max=\"77\""))
        }
        // The bound is drawn where the JSON has it.
        #expect(dom.contains("data-bound=\"4\"") && dom.contains("data-bound=\"70.25\""))
        #expect(
            dom.contains(
                "data-policy=\"bound: no policy needs fewer\" data-points=\"24\" data-max=\"4\""))
        // No VM of the first policy moved: the chart of downtimes is of the others.
        let downtime = try #require(dom.range(of: "data-chart=\"downtime\""))
        let chart = String(dom[downtime.upperBound...].prefix(4000))
        #expect(!chart.contains("data-policy=\"best-fit\" data-points"))
        #expect(chart.contains("data-policy=\"worst-fit\" data-points=\"7\" data-max=\"100\""))
    }

    private func checkTable(_ dom: String, _ name: String, _ policy: [String: Any]) throws {
        let figures = try #require(policy["figures"] as? [String: [String: Any]])
        for key in ["energyKWh", "hostsInUseMean", "refused", "placed"] {
            let figure = try #require(Figure.all.first { $0.key == key })
            let mean = try #require(figures[key]?["mean"] as? Double)
            let cell =
                "data-column=\"\(name)\" data-figure=\"\(key)\"><strong>\(figure.valueText(for: mean))</strong>"
            #expect(dom.contains(cell), "\(cell)")
        }
        let energy = try #require(figures["energyKWh"]?["mean"] as? Double)
        let text = energy == energy.rounded() ? "\(Int(energy))" : "\(energy)"
        #expect(dom.contains("data-policy=\"\(name)\" data-value=\"\(text)\""), "\(text)")
    }

    private func checkLines(_ dom: String, _ name: String, _ policy: [String: Any]) throws {
        let course = try #require(policy["course"] as? [String: [Double]])
        for chart in ["hostsInUse", "migrations"] where name != "best-fit" || chart != "migrations"
        {
            let values = try #require(course[chart])
            let most = try #require(values.max())
            let last = try #require(values.last)
            let line =
                "data-policy=\"\(name)\" data-points=\"\(values.count)\" data-max=\"\(Int(most))\" data-last=\"\(Int(last))\""
            #expect(dom.contains(line), "\(line)")
        }
    }
}
