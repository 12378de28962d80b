// Where VMs start: placed one by one at time 0, with all the CPU, memory and bandwidth that they are sold with.

extension Fleet {
    /// - Returns: the first VM that fits on no host; nil when all are placed.
    mutating func placeAllVMs(policy kind: PlanetLabPolicy.Kind) -> Int? {
        for vm in 0..<vms {
            let found =
                switch kind {
                case .nonPowerAware, .frequencyScaling: firstFitHost(for: vm)
                case .consolidation(let detection): leastPowerHost(for: vm, using: detection)
                }
            guard let host = found else { return vm }
            guests[host].append(Guest(vm: vm))
            hostOf[vm] = host
            memoryMB[host] += ramMB[vm]
            givenSum[host] += table.mips[vm]
            free[host] -= table.mips[vm]
        }
        return nil
    }

    private func hasRoomAtStart(host: Int, vm: Int) -> Bool {
        let mips = table.mips[vm]
        return core[host] >= mips && free[host] >= mips
            && memoryMB[host] + ramMB[vm] <= Hardware.hostMemoryMB
            && guests[host].count < Hardware.vmsByBandwidth
    }

    private func firstFitHost(for vm: Int) -> Int? {
        (0..<hosts).first { hasRoomAtStart(host: $0, vm: vm) }
    }

    /// The host whose power grows least. No workload runs yet, so a test for overload sees the new VM alone, and every
    /// host is taken to draw what an idle one does, unless the rules charge idle power.
    private func leastPowerHost(for vm: Int, using detection: PlanetLabPolicy.Detection) -> Int? {
        let mips = table.mips[vm]
        var best: (host: Int, cost: Double)?
        for host in 0..<hosts where hasRoomAtStart(host: host, vm: vm) {
            if !guests[host].isEmpty, mips / capacity[host] > detection.shareAtStart { continue }
            let after = wattsDrawn(ofHost: host, atShare: (givenSum[host] + mips) / capacity[host])
            let cost =
                after
                - (rules.chargesIdlePowerOfTargets
                    ? plannedWatts(ofHost: host) : wattsDrawn(ofHost: host, atShare: 0))
            if cost < best?.cost ?? .greatestFiniteMagnitude { best = (host, cost) }
        }
        return best?.host
    }
}

extension PlanetLabPolicy.Detection {
    /// What a host's demand is held against while there is no history.
    fileprivate var shareAtStart: Double {
        if case .threshold(let share) = self { share } else { OverloadTest.fallbackShare }
    }
}
