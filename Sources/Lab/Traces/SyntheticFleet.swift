// Two workloads that a page of mathematics describes: one whose VMs come and go at a constant rate, and one whose VMs stay
// and whose load swings.

import Model
import Placement
import Simulation

enum Fleet {
    /// Half of the VMs are there from the start, the other half arrives: a Poisson process, exponential lifetimes with the
    /// duration as their mean. So the number of VMs stays what it was, on average (M/M/infinity in equilibrium, by Little's
    /// law), and what is left of a lifetime is distributed as a whole one.
    static func makeSteadyWorkload(from parameters: SyntheticParameters) -> SyntheticDraft {
        var variates = Variates(seed: parameters.seed)
        var draft = SyntheticDraft()
        let seconds = parameters.duration.seconds
        let rows = SyntheticUse.sharedRowCount(vms: parameters.vms, over: parameters.duration)
        SyntheticUse.addLikePlanetLab(
            to: &draft.workload, rows: rows,
            samples: SyntheticUse.sampleCount(over: parameters.duration),
            using: &variates)
        for number in 0..<parameters.vms {
            // A Poisson process with so many arrivals in an interval has them at independent, evenly spread times.
            let isThere = number < parameters.vms / 2
            let arrival = isThere ? 0 : variates.drawFraction() * seconds
            let departure = arrival + variates.exponential(mean: seconds)
            var request = VMRequest(
                arrival: SimTime(seconds: arrival), departure: SimTime(seconds: departure),
                request: SyntheticShapes.azure.drawShape(using: &variates))
            request.series = Int32(number % rows)
            draft.addRequest(request)
        }
        return draft
    }

    /// All VMs are there from the start and stay; their use follows the hour, so that hosts fill and empty together.
    static func makeDiurnalWorkload(from parameters: SyntheticParameters) -> SyntheticDraft {
        var variates = Variates(seed: parameters.seed)
        var draft = SyntheticDraft()
        let rows = SyntheticUse.sharedRowCount(vms: parameters.vms, over: parameters.duration)
        SyntheticUse.addDiurnal(
            to: &draft.workload, rows: rows,
            samples: SyntheticUse.sampleCount(over: parameters.duration),
            using: &variates)
        for number in 0..<parameters.vms {
            var request = VMRequest(
                arrival: .start, departure: .never,
                request: SyntheticShapes.azure.drawShape(using: &variates))
            request.series = Int32(number % rows)
            draft.addRequest(request)
        }
        return draft
    }
}
