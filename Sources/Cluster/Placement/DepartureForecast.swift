// When each VM will end, foretold anew as it ages, and told to the cluster.
//
// A VM is judged when it comes, and again whenever it has lived through an interval of the life table: what has lived
// long is expected to live on, whatever was expected when it came. All VMs in an interval came into it in the order of
// their births, so those that outlive it next stand first: a queue for each interval, no search.

package struct DepartureForecast: Sendable {
    /// What VMs that live alike have in common.
    private struct Traits: Hashable, Sendable {
        var shape: Resources
        var kind: Int32
    }

    private struct Life: Sendable {
        var born: Int
        var sort: LifetimeModel.Sort
        var interval: Int
        /// Tells it from others that had the same row.
        var number: Int
    }

    private struct Waiting: Sendable {
        var row: Int32
        var number: Int
        var born: Int
    }

    /// First in, first out; room is given back when half of it is behind the front.
    private struct Queue: Sendable {
        private var items: [Waiting] = []
        private var front = 0

        var first: Waiting? { front < items.count ? items[front] : nil }

        mutating func append(_ item: Waiting) { items.append(item) }

        mutating func removeFirst() {
            front += 1
            guard front > 64, front * 2 > items.count else { return }
            items.removeFirst(front)
            front = 0
        }
    }

    private var model = LifetimeModel()
    private var sorts: [Traits: LifetimeModel.Sort] = [:]
    private var lives: [Life?] = []
    private var queues = [Queue](repeating: Queue(), count: LifetimeModel.intervals)
    private var born = 0

    package init() {}

    /// A VM has come that runs nowhere yet.
    ///
    /// - Parameter kind: a tenant's, a flavour's or an image's number: VMs of one kind live alike; 0: not known.
    package mutating func recordArrival(
        of vm: VMIndex, kind: Int32, in cluster: inout ClusterState, at now: Int
    ) {
        advanceClock(to: now, in: &cluster)
        let sort = lifetimeSort(of: cluster.requestedResources(of: vm), kind: kind)
        while lives.count <= vm { lives.append(nil) }
        lives[vm] = Life(born: now, sort: sort, interval: 0, number: born)
        model.recordEntry(interval: 0, of: sort)
        queues[0].append(Waiting(row: Int32(vm), number: born, born: now))
        born += 1
        predictDeparture(of: vm, in: &cluster)
    }

    /// It found no place: nothing is learnt.
    package mutating func recordRefusal(of vm: VMIndex) {
        guard let life = removeLife(of: vm) else { return }
        model.retractEntry(interval: life.interval, of: life.sort)
    }

    /// A VM has ended.
    package mutating func recordDeparture(
        of vm: VMIndex, in cluster: inout ClusterState, at now: Int
    ) {
        advanceClock(to: now, in: &cluster)
        guard let life = removeLife(of: vm) else { return }
        model.recordEnding(interval: life.interval, of: life.sort, after: now - life.born)
    }

    /// Time goes by: VMs that have outlived an interval are judged anew.
    package mutating func advanceClock(to now: Int, in cluster: inout ClusterState) {
        cluster.advanceClock(to: now)
        // Nobody outlives the last one.
        for interval in 0..<(LifetimeModel.intervals - 1) {
            let length = LifetimeModel.startingAge(ofInterval: interval + 1)
            while let first = queues[interval].first, first.born + length <= now {
                queues[interval].removeFirst()
                let vm = Int(first.row)
                guard let life = lives[vm], life.number == first.number else { continue }
                model.recordSurvival(interval: interval, of: life.sort)
                model.recordEntry(interval: interval + 1, of: life.sort)
                lives[vm]?.interval = interval + 1
                queues[interval + 1].append(first)
                predictDeparture(of: vm, in: &cluster)
            }
        }
    }

    private func predictDeparture(of vm: VMIndex, in cluster: inout ClusterState) {
        guard let life = lives[vm] else { return }
        let seconds = model.expectedLifetime(of: life.sort, from: life.interval)
        cluster.setExpectedDeparture(at: life.born + seconds, of: vm)
    }

    private mutating func removeLife(of vm: VMIndex) -> Life? {
        guard vm < lives.count, let life = lives[vm] else { return nil }
        lives[vm] = nil
        return life
    }

    /// Those of its shape and kind, below all of its shape, below all VMs: the narrowest that there is room for.
    private mutating func lifetimeSort(of shape: Resources, kind: Int32) -> LifetimeModel.Sort {
        let ofShape = lifetimeSort(
            matching: Traits(shape: shape, kind: 0), under: LifetimeModel.all)
        return kind == 0
            ? ofShape : lifetimeSort(matching: Traits(shape: shape, kind: kind), under: ofShape)
    }

    private mutating func lifetimeSort(
        matching traits: Traits, under parent: LifetimeModel.Sort
    ) -> LifetimeModel.Sort {
        if let known = sorts[traits] { return known }
        guard let new = model.addLifetimeSort(under: parent) else { return parent }
        sorts[traits] = new
        return new
    }
}
