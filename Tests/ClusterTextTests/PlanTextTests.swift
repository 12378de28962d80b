import API
import ClusterText
import Model
import Testing

@Suite("Plans and reports in words")
struct PlanTextTests {
    @Test func `A plan is a table of moves with what each will take, then what stays and why`()
        throws
    {
        var slow = try move("db", to: "host-c", wave: 1, seconds: 200)
        slow.predicted.isThrottled = true
        slow.predicted.keepsDowntimeLimit = false
        let text = plan(
            [try move("web", to: "host-b"), slow],
            left: [LeftBehind(vm: try vmName("big"), why: "2 by memory")], waves: 2
        ).summaryText(ifEmpty: "nothing to move")
        #expect(
            text == """
                WAVE  VM   FROM    TO      TIME        DOWNTIME                            DATA     WHY
                1     web  host-a  host-b  10 s        7.2 ms                              1.0 GiB  host-a is drained
                2     db   host-a  host-c  3 min 20 s  7.2 ms, held back, above its limit  1.0 GiB  host-a is drained
                2 moves in 2 waves, about 20 s (10 s to 40 s)
                big stays: 2 by memory
                """)
    }

    @Test func `A plan without moves says so, and why`() {
        var plan = plan([])
        plan.imbalanceBefore = 0.11
        plan.imbalanceAfter = 0.11
        plan.outcome =
            "no move is worth it: web to host-b would bring 0.4 and cost 1.2 host seconds"
        #expect(
            plan.summaryText(ifEmpty: "nothing to move") == """
                nothing to move
                imbalance 0.11, after it 0.11
                no move is worth it: web to host-b would bring 0.4 and cost 1.2 host seconds
                """)
    }

    @Test func `The end of an operation has the prediction beside what came`() throws {
        var done = try move("web", to: "host-b", state: .done)
        done.actualSeconds = 8.25
        done.actualDowntimeMs = 6.1
        var failed = try move("db", to: "host-c", state: .failed)
        failed.attempts = 3
        failed.reason = "connection broken"
        let ended = try operation(
            plan([done, failed], left: [LeftBehind(vm: try vmName("big"), why: "no room")]),
            state: .incomplete, done: 1, seconds: 25, detail: "2 VMs not moved: db, big")
        #expect(
            ended.text == """
                VM   FROM    TO      MOVE                TIME   PREDICTED  DOWNTIME  PREDICTED  REASON
                web  host-a  host-b  done                8.2 s  10 s       6.1 ms    7.2 ms
                db   host-a  host-c  failed, 3 attempts  -      10 s       -         7.2 ms     connection broken
                big stays: no room
                drain of host-a: ended, something is left, 1 of 2 moves in 25 s (predicted 20 s)
                """)
        #expect(!ended.isComplete)
        #expect(try operation(plan([done]), state: .succeeded, done: 1, seconds: 9).isComplete)
    }

    @Test func `What no move can say, the operation says`() throws {
        let ended = try operation(
            plan([]), state: .cancelled, seconds: 1, detail: "the host was fenced")
        #expect(
            ended.text == """
                drain of host-a: cancelled, 0 of 0 moves in 1.0 s
                the host was fenced
                """)
    }

    @Test func `Operations are listed with their state and start`() throws {
        let table = operationTableText(for: [try operation(plan([try move("web", to: "host-b")]))])
        #expect(table.contains("drain  host-a  running  0/1    2023-11-14 22:13:20  admin"))
    }

    @Test func `Maintenance groups are numbered, and hosts that cannot be emptied say who stays`()
        throws
    {
        let possible = MaintenancePlanInfo.Group(
            hosts: [try hostName("host-a"), try hostName("host-b")],
            drain: plan([try move("web", to: "host-c")]))
        let stuck = MaintenancePlanInfo.Group(
            hosts: [try hostName("host-d")],
            drain: plan([], left: [LeftBehind(vm: try vmName("big"), why: "2 by memory")]))
        let text = MaintenancePlanInfo(groups: [possible], impossible: [stuck]).text
        #expect(
            text == """
                group 1  host-a, host-b  (1 move, about 20 s (10 s to 40 s))
                host-d cannot be emptied, not even alone:
                    big stays: 2 by memory
                """)
    }
}

@Suite("An operation that is followed")
struct OperationWatchTests {
    @Test func `What is left is the longest of each wave, and falls while time goes by`() throws {
        var moves = [
            try move("web", to: "host-b", wave: 0, seconds: 10, state: .running),
            try move("db", to: "host-c", wave: 0, seconds: 4, state: .running),
            try move("log", to: "host-b", wave: 1, seconds: 20),
        ]
        var watch = OperationWatch()
        #expect(
            watch.progressLine(for: try operation(plan(moves)), at: 100)
                == "[0/3] moving web to host-b and 1 more, 30 s left")
        #expect(
            watch.progressLine(for: try operation(plan(moves)), at: 106).hasSuffix(" 24 s left"))
        // It takes longer than predicted: that is not subtracted from the others.
        #expect(
            watch.progressLine(for: try operation(plan(moves)), at: 150).hasSuffix(" 20 s left"))
        moves[0].state = .done
        moves[1].state = .waiting
        #expect(
            watch.progressLine(for: try operation(plan(moves), done: 1), at: 151)
                == "[1/3] waiting to go on, 24 s left")
    }

    @Test func `When all has moved it is about to finish`() throws {
        var watch = OperationWatch()
        let moved = plan([try move("web", to: "host-b", state: .done)])
        #expect(watch.progressLine(for: try operation(moved, done: 1), at: 0) == "[1/1] finishing")
    }

    @Test func `An operation that ends finishes what is under way only`() throws {
        let moves = [
            try move("web", to: "host-b", wave: 0, seconds: 10, state: .running),
            try move("log", to: "host-b", wave: 1, seconds: 20),
        ]
        var watch = OperationWatch()
        let line = watch.progressLine(for: try operation(plan(moves), state: .cancelling), at: 0)
        #expect(line == "[0/2] ending, moving web to host-b, 10 s left")
    }
}
