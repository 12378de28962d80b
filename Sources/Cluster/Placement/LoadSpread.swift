// How unevenly hosts are loaded, in one figure that a move changes in constant time.
//
// For processors and for memory, each host h has a share x(h) of its capacity in use and a weight w(h). The figure is
//
//   Σ over both of  weight · sqrt( Σ w·x² / Σ w  −  (Σ w·x / Σ w)² )   +  what no move changes
//
// the weighted standard deviations added up. Kept are Σ w·x and Σ w·x²; a move changes x on two hosts, so judging one
// costs the same on ten hosts and on ten thousand.
//
// With w(h) = capacity ("measured"), Σ w·x is the whole load, which no move changes: a large host counts for as much as
// the small ones of the same size together. With w(h) = 1 it is the plain standard deviation, as Ganeti has it.

package struct LoadSpread: Sendable {
    /// What stands in x.
    package enum Figure: Hashable, Sendable {
        /// Measured use, by capacity.
        case measured
        /// What VMs asked for and `fixed` per host, each host counting the same.
        case requested(fixed: [Resources])
    }

    let termWeights: LoadVector
    /// A part of the score that no move changes.
    package let constant: Double
    private let countsRequests: Bool

    private(set) var share: [LoadVector] = []
    private(set) var inverse: [LoadVector] = []
    private(set) var weight: [LoadVector] = []
    private(set) var isCounted: [Bool] = []
    private var weightSum = LoadVector.zero
    private var sum = LoadVector.zero
    private var squares = LoadVector.zero
    /// Shares are kept relative to this: small numbers lose least when they are squared.
    private(set) var centre = LoadVector.zero
    package private(set) var score = 0.0

    /// - Parameters:
    ///   - cpuWeight, memoryWeight: of the two terms.
    ///   - counting: which hosts are part of the figure; VMs may come from and go to others.
    package init(
        of cluster: ClusterState, measuring figure: Figure = .measured, cpuWeight: Double = 0.5,
        memoryWeight: Double = 0.5, constant: Double = 0, counting: (HostIndex) -> Bool
    ) {
        termWeights = LoadVector(cpuWeight, memoryWeight)
        self.constant = constant
        switch figure {
        case .measured: countsRequests = false
        case .requested: countsRequests = true
        }
        for host in cluster.allHosts {
            let row = cluster.hostRows[host]
            var load = row.load
            if case .requested(let fixed) = figure {
                load = (row.used + fixed[host]).vector
            }
            inverse.append(row.inverseCapacity)
            isCounted.append(counting(host))
            weight.append(
                countsRequests ? LoadVector(1, 1) : Self.reciprocal(of: row.inverseCapacity))
            share.append(load * row.inverseCapacity)
        }
        centreAndSum()
    }

    private static func reciprocal(of inverse: LoadVector) -> LoadVector {
        LoadVector(inverse.x > 0 ? 1 / inverse.x : 0, inverse.y > 0 ? 1 / inverse.y : 0)
    }

    private mutating func centreAndSum() {
        for host in share.indices where isCounted[host] {
            weightSum += weight[host]
            sum += weight[host] * share[host]
        }
        weightSum.replace(with: LoadVector(1, 1), where: weightSum .<= 0)
        centre = sum / weightSum
        sum = .zero
        for host in share.indices {
            share[host] -= centre
            guard isCounted[host] else { continue }
            sum += weight[host] * share[host]
            squares += weight[host] * share[host] * share[host]
        }
        score = spreadScore(sum: sum, squares: squares)
    }

    @inline(__always)
    private func spreadScore(sum: LoadVector, squares: LoadVector) -> Double {
        let mean = sum / weightSum
        var variance = squares / weightSum - mean * mean
        variance.replace(with: 0, where: variance .< 0)
        let terms = termWeights * variance.squareRoot()
        return terms.x + terms.y + constant
    }

    /// What a VM adds to a host, before it is divided by the host's size.
    @inline(__always)
    func countedLoad(of row: VMRow) -> LoadVector { countsRequests ? row.request.vector : row.load }

    /// How the sums change when the load of `host` grows by `size`.
    @inline(__always)
    private func sumChanges(
        of host: HostIndex, adding size: LoadVector
    ) -> (sum: LoadVector, squares: LoadVector) {
        guard isCounted[host] else { return (.zero, .zero) }
        let step = size * inverse[host]
        let weighted = weight[host] * step
        return (weighted, weighted * (share[host] + share[host] + step))
    }

    /// The score after a VM of this size went from one host to another.
    @inline(__always)
    func projectedScore(moving size: LoadVector, from source: HostIndex, to target: HostIndex)
        -> Double
    {
        let (left, came) = (
            sumChanges(of: source, adding: -size), sumChanges(of: target, adding: size)
        )
        return spreadScore(
            sum: sum + left.sum + came.sum, squares: squares + left.squares + came.squares)
    }

    /// The score after a VM of this size came to a host from outside.
    @inline(__always)
    func projectedScore(adding size: LoadVector, to target: HostIndex) -> Double {
        let came = sumChanges(of: target, adding: size)
        return spreadScore(sum: sum + came.sum, squares: squares + came.squares)
    }

    mutating func applyLoad(_ size: LoadVector, to host: HostIndex) {
        let came = sumChanges(of: host, adding: size)
        sum += came.sum
        squares += came.squares
        share[host] += size * inverse[host]
        score = spreadScore(sum: sum, squares: squares)
    }

    mutating func transferLoad(_ size: LoadVector, from source: HostIndex, to target: HostIndex) {
        applyLoad(-size, to: source)
        applyLoad(size, to: target)
    }

    package mutating func relocateVM(_ vm: VMIndex, in cluster: ClusterState, to target: HostIndex)
    {
        guard let source = cluster.currentHost(of: vm) else { return }
        transferLoad(countedLoad(of: cluster.vmRows[vm]), from: source, to: target)
    }

    /// What one more unit of load on a host does to the score, to first order: large on hosts to move away from.
    func scoreSlopes() -> [Double] {
        let mean = sum / weightSum
        var deviation = squares / weightSum - mean * mean
        deviation.replace(with: 1e-12, where: deviation .< 1e-12)
        let slope = termWeights / deviation.squareRoot()
        return share.map { ($0 * slope).sum() }
    }
}

extension LoadSpread {
    /// Hosts that are part of the figure.
    package var hostCount: Int { isCounted.reduce(0) { $0 + ($1 ? 1 : 0) } }
}
