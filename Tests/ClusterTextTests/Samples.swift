// Messages for the tests of their texts.

import API
import Model

func vmName(_ text: String) throws -> VMName { try VMName(text) }
func hostName(_ text: String) throws -> HostName { try HostName(text) }

func move(
    _ vm: String, to host: String, wave: Int = 0, seconds: Double = 10,
    state: MoveInfo.State = .waiting, why: String = "host-a is drained"
) throws -> MoveInfo {
    MoveInfo(
        vm: try vmName(vm), vmID: VMID(high: 0, low: 1), from: try hostName("host-a"),
        to: try hostName(host), plannedFor: .drain, why: why, wave: wave,
        predicted: MovePrediction(
            seconds: Estimate(low: seconds / 2, expected: seconds, high: seconds * 2),
            downtimeMs: Estimate(low: 5, expected: 7.25, high: 12),
            bytes: Estimate(low: 1e9, expected: 0x1p30, high: 2e9), isThrottled: false,
            keepsDowntimeLimit: true),
        state: state)
}

func plan(_ moves: [MoveInfo], left: [LeftBehind] = [], waves: Int = 1) -> PlanInfo {
    PlanInfo(
        moves: moves, left: left, waves: waves,
        seconds: Estimate(low: 10, expected: 20, high: 40))
}

func operation(
    _ plan: PlanInfo, state: OperationInfo.State = .running, done: Int = 0,
    seconds: Double? = nil, detail: String? = nil
) throws -> OperationInfo {
    OperationInfo(
        id: OperationID(high: 0, low: 7), revision: 1, kind: .drain, state: state,
        host: try hostName("host-a"), startedAtMs: 1_700_000_000_000,
        endedAtMs: seconds.map { 1_700_000_000_000 + Int64($0 * 1000) }, startedBy: "admin",
        plan: plan, movesDone: done, detail: detail)
}

func host(
    _ name: String, cores: Int = 8, busy: Double = 2, state: HostState = .active
) throws -> ClusterHost {
    ClusterHost(
        name: try hostName(name), revision: 1, state: state, wanted: .active, isFenced: false,
        heardOfMsAgo: 1500,
        registration: HostRegistration(
            agentID: Identifier128(high: 0, low: 1), agentVersion: "0.1.0",
            apiAddress: "10.0.0.1:7101", peerAddress: "10.0.0.1:7201", cores: cores,
            memoryBytes: 32 << 30, memoryReserveBytes: 1 << 30, cpuFeatures: []),
        cpuCores: busy, memoryUsedBytes: 8 << 30,
        pressure: HostPressure(cpu: 1.25, memory: 0, io: nil), vcpusPromised: 4,
        memoryPromisedBytes: 4 << 30, vcpusLimit: 8, memoryLimitBytes: 31 << 30, vms: 2)
}

func vm(
    _ name: String, busy: Double? = 0.5, state: ClusterVMState = .running,
    desired: DesiredState = .running, host: String? = "host-a"
) throws -> ClusterVM {
    var vm = ClusterVM(
        id: VMID(high: 0, low: 2), revision: 3,
        spec: VMSpec(name: try vmName(name), memory: .gibibytes(1), vcpus: 2), state: state,
        epoch: 1)
    vm.policy.desired = desired
    vm.host = try host.map(hostName)
    vm.cpuCores = busy
    vm.memoryUsedBytes = 512 << 20
    vm.dirtyBytesPerSecond = 0x1p20
    return vm
}

func clusterInfo() throws -> ClusterInfo {
    ClusterInfo(
        cluster: try ClusterName("prod"), controller: try hostName("controller-1"),
        leader: try hostName("controller-1"), term: 4, version: "0.1.0", policy: "worst-fit",
        hosts: ["active": 2, "draining": 0], vms: ["running": 2, "pending": 1], migrations: 1,
        imbalance: 0.031)
}
