import API
import ClusterText
import Model
import Placement
import Testing

@Suite("Hosts, VMs and decisions in words")
struct ClusterTextTests {
    @Test func `Every host of a decision has its score term by term or the filter that refused it`()
        throws
    {
        typealias Verdict = PlacementAnswer.Verdict
        typealias Term = PlacementAnswer.Term
        let answer = PlacementAnswer(
            vm: try vmName("web"), policy: "worst-fit", chosen: try hostName("host-c"),
            verdicts: [
                Verdict(
                    host: try hostName("host-a"), filter: "memory",
                    refusal: "needs 4GiB of memory, 1GiB of 8GiB are free"),
                Verdict(
                    host: try hostName("host-b"),
                    terms: [Term(name: "free vCPUs", value: 0.25)], score: 0.25),
                Verdict(
                    host: try hostName("host-c"),
                    terms: [
                        Term(name: "free vCPUs", value: 0.5),
                        Term(name: "free memory", value: 0.75),
                    ], score: 1.25),
                Verdict(host: try hostName("host-d")),
            ])
        #expect(
            answer.text == """
                   HOST    SCORE  WHY
                *  host-c  1.25   free vCPUs 0.5 + free memory 0.75
                   host-b  0.25   free vCPUs 0.25
                   host-d  -      could take it, but no lot fell on it
                   host-a  -      refused by memory: needs 4GiB of memory, 1GiB of 8GiB are free
                web would go to host-c, by the policy worst-fit
                """)
    }

    @Test func `A decision of the scheduler itself reads the same, whatever its hosts are called`()
        throws
    {
        var cluster = ClusterState()
        for (number, cores) in [4, 8, 1].enumerated() {
            try cluster.registerHost(
                PlacementHost(
                    name: "Node #\(number)",
                    capacity: Resources(vcpus: cores, memory: ByteCount(1 << 32))))
        }
        let vm = try cluster.registerVM(
            PlacementVM(
                id: VMID(high: 0, low: 1), name: "web",
                request: Resources(vcpus: 2, memory: ByteCount(1 << 31))))
        #expect(
            cluster.explainPlacement(of: vm, using: WorstFit()).explanationText(
                hosts: cluster.hosts) == """
                       HOST     SCORE  WHY
                    *  Node #1  2      free vCPUs 1 + free memory 1
                       Node #0  1.5    free vCPUs 0.5 + free memory 1
                       Node #2  -      refused by vCPUs: needs 2 vCPUs, 1 of 1 are free
                    web would go to Node #1, by the policy worst-fit
                    """)
    }

    @Test func `When no host fits that is the last line`() throws {
        let answer = PlacementAnswer(
            vm: try vmName("web"), policy: "worst-fit", chosen: nil,
            verdicts: [
                PlacementAnswer.Verdict(
                    host: try hostName("host-a"), filter: "labels", refusal: "lacks ssd")
            ])
        #expect(answer.text.hasSuffix("no host can take web"))
    }

    @Test func `A VM that is not as wanted says what it shall`() throws {
        var moving = try vm("web", state: .migrating)
        moving.destination = try hostName("host-b")
        #expect(moving.stateText == "migrating")
        #expect(moving.placeText == "host-a to host-b")
        #expect(try vm("web", state: .failed, host: nil).stateText == "failed, shall run")
        #expect(
            try vm("web", state: .running, desired: .stopped).stateText == "running, shall stop")
        #expect(try vm("web", state: .stopped, desired: .stopped, host: nil).placeText == "-")
        #expect(try vm("web", state: .pending, host: nil).stateText == "pending")
    }

    @Test func `Hosts are listed with what is used and what is promised`() throws {
        var fenced = try host("host-b", state: .unreachable)
        fenced.isFenced = true
        #expect(
            hostTableText(for: [try host("host-a"), fenced]) == """
                HOST    STATE                             VMS  CPU      PROMISED  MEMORY        PROMISED      HEARD OF   REASON
                host-a  active                            2    2.0/8.0  4.0/8.0   8.0/32.0 GiB  4.0/31.0 GiB  1.5 s ago
                host-b  unreachable, then active, fenced  2    2.0/8.0  4.0/8.0   8.0/32.0 GiB  4.0/31.0 GiB  1.5 s ago
                """)
    }

    @Test func `The cluster is told in two lines`() throws {
        let info = try clusterInfo()
        #expect(
            info.text
                == "cluster prod: controller-1 leads (term 4), policy worst-fit, imbalance 0.031")
        #expect(info.countsText == "hosts: 2 active; VMs: 2 running, 1 pending; 1 migration")
    }

    @Test(arguments: [
        (0.04, "0.0 s"), (9.94, "9.9 s"), (42.4, "42 s"), (119.6, "2 min 0 s"), (200, "3 min 20 s"),
        (7500, "2 h 5 min"), (Double.infinity, "unknown"),
    ])
    func `Times to wait are rounded as people round`(seconds: Double, text: String) {
        #expect(timeSpanText(seconds: seconds) == text)
    }

    @Test(arguments: [(0.5, "0.5"), (1, "1"), (0.12345, "0.1235"), (0, "0"), (100, "100")])
    func `Figures have no tail of noughts`(value: Double, text: String) {
        #expect(decimalText(for: value) == text)
    }
}

@Suite("ferry top's frame")
struct TopFrameTests {
    private func frame(hosts: Int = 2, vms: Int = 3) throws -> TopFrame {
        TopFrame(
            cluster: try clusterInfo(),
            hosts: try (0..<hosts).map { try host("host-\($0)", busy: Double($0)) },
            vms: try (0..<vms).map { try vm("vm-\($0)", busy: Double($0)) },
            operations: [("drain of host-0", "[1/3] moving vm-1 to host-1, 12 s left")])
    }

    @Test func `It has the cluster, what is under way, hosts with bars and VMs by load`() throws {
        let lines = try frame().renderLines(width: 200, height: nil)
        #expect(lines[0].contains("controller-1 leads"))
        #expect(lines.contains("drain of host-0  [1/3] moving vm-1 to host-1, 12 s left"))
        let busiest = try #require(lines.first { $0.hasPrefix("host-1") })
        #expect(busiest.contains("[##..............]  1.0/8"))
        #expect(busiest.contains("[####............]  8.0/32.0 GiB"))
        #expect(busiest.contains("cpu 1.2%, memory 0.0%"))
        let order = lines.filter { $0.hasPrefix("vm-") }.map { $0.prefix(4) }
        #expect(order == ["vm-2", "vm-1", "vm-0"])
    }

    @Test(arguments: [(80, 24), (20, 10), (1, 1), (200, 60)])
    func `It fits the screen, whatever its size`(width: Int, height: Int) throws {
        let lines = try frame(hosts: 40, vms: 300).renderLines(width: width, height: height)
        #expect(lines.count <= height)
        #expect(lines.allSatisfy { $0.count <= width })
    }

    @Test func `What does not fit is counted, and hosts leave room for VMs`() throws {
        let lines = try frame(hosts: 40, vms: 300).renderLines(width: 120, height: 30)
        #expect(lines.contains { $0.hasPrefix("... and ") && $0.hasSuffix(" more hosts") })
        #expect(lines.last?.hasSuffix(" more VMs") == true)
        #expect(lines.count { $0.hasPrefix("vm-") } >= 8)
    }
}
