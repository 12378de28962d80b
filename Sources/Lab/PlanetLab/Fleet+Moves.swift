// VMs that come, go and end.

extension Fleet {
    /// Out of the source's list, and at the end of the target's as a VM like others.
    mutating func completeMigration(ofVM vm: Int, to target: Int) {
        let source = hostOf[vm]
        guests[source].removeAll { $0.vm == vm && !$0.isArriving }
        memoryMB[source] -= ramMB[vm]
        guests[target].removeAll { $0.vm == vm }
        guests[target].append(Guest(vm: vm))
        isMigrating[vm] = false
        hostOf[vm] = target
    }

    /// Ends VMs that ask for nothing, unless they migrate.
    ///
    /// - Returns: how many.
    mutating func deleteIdleVMs() -> Int {
        var deleted = 0
        for host in 0..<hosts {
            for place in guests[host].indices.reversed() {
                let vm = guests[host][place].vm
                guard demand[vm] == 0, !isMigrating[vm] else { continue }
                guests[host].remove(at: place)
                memoryMB[host] -= ramMB[vm]
                deleted += 1
            }
        }
        return deleted
    }

    /// After a round arriving VMs stand first in a host's list, the others as they stood.
    mutating func orderArrivingFirst(onHost host: Int) {
        guard guests[host].contains(where: \.isArriving) else { return }
        guests[host] = guests[host].filter(\.isArriving) + guests[host].filter { !$0.isArriving }
    }
}
