// The cluster as clients see it.

package import API
package import Model
import Placement

extension Cluster {
    package func vm(_ name: VMName) throws(Problem) -> ClusterVM { show(try vmRecord(name)) }

    package func vms(
        after: VMName?, limit: Int, host: HostName? = nil, state: ClusterVMState? = nil
    ) -> Page<ClusterVM> {
        var items: [ClusterVM] = []
        for name in vmNames.after(after) {
            guard let record = vms[name] else { continue }
            let vm = show(record)
            if let host, vm.host != host, vm.destination != host { continue }
            if let state, vm.state != state { continue }
            if items.count == limit { return Page(items: items, next: items.last?.name.text) }
            items.append(vm)
        }
        return Page(items: items)
    }

    func show(_ vm: ClusterVMRecord) -> ClusterVM {
        let sight = vmSights[vm.id]
        var shown = ClusterVM(
            id: vm.id, revision: vm.version, spec: vm.spec, policy: vm.policy,
            state: state(of: vm), epoch: vm.place?.epoch ?? vm.epochMax)
        shown.reason = reason(of: vm)
        shown.host = vm.place?.host ?? vm.start?.host
        shown.destination = vm.move?.to
        shown.migration = vm.move?.migration
        shown.restarts = vm.restarts
        shown.home = vm.home
        shown.cpuCores = sight?.cpuCores
        shown.memoryUsedBytes = sight?.memoryUsedBytes.map { UInt64($0) }
        shown.dirtyBytesPerSecond = sight?.dirtyBytesPerSecond
        return shown
    }

    private func state(of vm: ClusterVMRecord) -> ClusterVMState {
        if vm.isDeleting { return .deleting }
        guard let place = vm.place else {
            if vm.start != nil { return .starting }
            return vm.policy.desired == .stopped ? .stopped : .pending
        }
        if hosts[place.host]?.state == .unreachable { return .unknown }
        if vm.move != nil { return .migrating }
        guard let report = vmSights[vm.id]?.reports[place.host] else {
            // Just made, or not heard of since this controller leads.
            if vm.failure != nil { return .failed }
            return vm.policy.desired == .running ? .running : .stopping
        }
        if report.ownership == .released { return .unknown }
        switch report.state {
        case .running: return vm.policy.desired == .stopped ? .stopping : .running
        case .paused: return .paused
        case .incoming: return .migrating
        case .stopped:
            if vm.bootWanted { return .starting }
            return vm.policy.desired == .running && vm.policy.failurePolicy == .restart
                && report.exit?.isFailure ?? false ? .failed : .stopped
        case .failed: return vm.bootWanted ? .starting : .failed
        }
    }

    private func reason(of vm: ClusterVMRecord) -> String? {
        if let failure = vm.failure { return failure }
        if let place = vm.place, let host = hosts[place.host], host.state == .unreachable {
            return "host \(place.host) is unreachable, so nobody knows whether it runs there"
        }
        return nil
    }

    package func host(_ name: HostName, _ now: Moment) throws(Problem) -> ClusterHost {
        show(try hostRecord(name), now)
    }

    package func hosts(after: HostName?, limit: Int, _ now: Moment) -> Page<ClusterHost> {
        let names = hostNames.after(after)
        let items = names.prefix(limit).compactMap { hosts[$0].map { show($0, now) } }
        return Page(items: items, next: names.count > limit ? items.last?.name.text : nil)
    }

    private func show(_ host: HostRecord, _ now: Moment) -> ClusterHost {
        let sight = hostSights[host.name]
        let index = scheduler.host(named: host.name.text)
        let used = index.map { scheduler.used(on: $0) } ?? .none
        let limit = index.map { scheduler.limit(of: $0) } ?? .none
        let heard = (sight?.heartbeats ?? 0) > 0 ? sight?.heardAt : nil
        return ClusterHost(
            name: host.name, revision: host.version, state: host.state, wanted: host.wanted,
            reason: reason(of: host), isFenced: host.silence?.fence != nil,
            heardOfMsAgo: heard.map { (now.uptime - $0).wholeMilliseconds },
            operation: host.operation, registration: host.registration,
            cpuCores: sight?.cpuCores ?? 0, memoryUsedBytes: sight?.memoryUsedBytes ?? 0,
            pressure: sight?.pressure ?? HostPressure(),
            vcpusPromised: Double(used.milliCPUs) / 1000,
            memoryPromisedBytes: UInt64(max(0, used.memoryBytes)),
            vcpusLimit: Double(limit.milliCPUs) / 1000,
            memoryLimitBytes: UInt64(max(0, limit.memoryBytes)),
            vms: index.map { scheduler.vmCount(on: $0) } ?? 0,
            unmanagedVMs: unmanaged[host.name, default: [:]].values.map(\.name).sorted())
    }

    private func reason(of host: HostRecord) -> String? {
        switch host.silence?.fence {
        case .operator: "an operator said that it is off"
        case .lease: "silent for longer than its lease: its leased VMs have stopped"
        case nil:
            host.silence == nil ? nil : "no heartbeat"
        }
    }

    /// Counts, for `ClusterInfo` and the metrics.
    package var hostCounts: [String: Int] {
        var counts = Dictionary(HostState.allCases.map { ($0.rawValue, 0) }) { $1 }
        for host in hosts.values { counts[host.state.rawValue, default: 0] += 1 }
        return counts
    }

    package var vmCounts: [String: Int] {
        var counts = Dictionary(ClusterVMState.allCases.map { ($0.rawValue, 0) }) { $1 }
        for vm in vms.values { counts[state(of: vm).rawValue, default: 0] += 1 }
        return counts
    }

    package var movesUnderWay: Int { moving.count }

    /// The first thing wrong with the scheduler's picture, held against its own rules: for tests.
    package func brokenRule() -> String? { scheduler.wrongSum() ?? scheduler.brokenRule() }

    package var imbalance: Double {
        LoadSpread(of: scheduler) { scheduler.hosts[$0].state == .active }.score
    }
}

// MARK: - Tokens

extension Cluster {
    package mutating func createToken(
        _ record: TokenRecord, _ output: inout Output
    ) throws(Problem) -> TokenInfo {
        guard tokens.count < Limits.tokensMax else {
            throw Problem(.tooMany, "there are \(tokens.count) tokens, the most there can be")
        }
        do throws(NameError) { _ = try HostName(record.name) } catch {
            throw Problem(.invalid, "\(error)")
        }
        guard tokens[record.name] == nil else {
            throw Problem(.nameTaken, "there is a token \(record.name) already")
        }
        tokens[record.name] = record
        output.note(.token(record.name))
        return show(record)
    }

    package mutating func deleteToken(_ name: String, _ output: inout Output) throws(Problem) {
        guard tokens.removeValue(forKey: name) != nil else {
            throw Problem(.tokenNotFound, "there is no token '\(name.prefix(100))'")
        }
        output.note(.token(name))
    }

    package func tokens(after: String?, limit: Int) -> Page<TokenInfo> {
        let names = tokens.keys.sorted().filter { after == nil || $0 > after ?? "" }
        let items = names.prefix(limit).compactMap { tokens[$0].map { show($0) } }
        return Page(items: items, next: names.count > limit ? items.last?.name : nil)
    }

    /// All, for whoever compares a client's token with them.
    package var tokenRecords: [TokenRecord] { Array(tokens.values) }

    private func show(_ token: TokenRecord) -> TokenInfo {
        TokenInfo(
            name: token.name, role: token.role, createdAtMs: token.createdAtMs,
            expiresAtMs: token.expiresAtMs)
    }
}
