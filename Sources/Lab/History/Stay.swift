// The time that a VM stood in the cluster from one start to its end or its loss, and where it was moved meanwhile.
//
//   nowhere ──host──▶ stands ──no host, or gone──▶ nowhere
//                      │  ▲
//      destination ──▶ └──┘ ◀── another host: the move began when the destination was named
//
// A VM that is on another host all at once was started again there when it says so, or when its former host was silent;
// else it was moved.

package struct Stay: Hashable, Sendable {
    package struct Move: Hashable, Sendable {
        package var begin: Int64
        package var end: Int64
        package var to: Int
    }

    /// Its place in `History.vms`.
    package var vm: Int
    package var begin: Int64
    /// Nil: it was still there when the history ended.
    package var end: Int64?
    /// Where it began; nil: no host was found for it, ever.
    package var host: Int?
    package var moves: [Move] = []

    /// A VM that is being moved is where it comes from.
    package func hostIndex(at t: Int64) -> Int? {
        moves.last { $0.end <= t }?.to ?? host
    }
}

/// Follows one VM's places.
struct StayBuilder {
    private let vm: Int
    private var stay: Stay?
    private var at: Int32 = -1
    /// A move that was begun and has not ended.
    private var open: (begin: Int64, to: Int32)?
    private var waitingSince: Int64?
    private(set) var stays: [Stay] = []

    init(_ vm: Int) { self.vm = vm }

    /// - Parameter formerHostIsSilent: the host that it was on before did not answer.
    mutating func applyChange(_ change: PlaceChange, formerHostIsSilent: (Int32) -> Bool) {
        guard change.host >= 0 else {
            endCurrentStay(at: change.t)
            if change.state == .pending, waitingSince == nil { waitingSince = change.t }
            return
        }
        if stay == nil {
            beginStay(at: change)
        } else if change.host != at {
            if change.state == .starting || formerHostIsSilent(at) {
                endCurrentStay(at: change.t)
                beginStay(at: change)
            } else {
                completeMigration(at: change)
            }
        }
        trackDestination(of: change)
    }

    private mutating func beginStay(at change: PlaceChange) {
        stay = Stay(vm: vm, begin: change.t, host: Int(change.host))
        at = change.host
    }

    private mutating func completeMigration(at change: PlaceChange) {
        let begin = open?.to == change.host ? open?.begin : nil
        if (stay?.moves.count ?? 0) < Limits.movesOfVMMax {
            stay?.moves.append(
                Stay.Move(begin: begin ?? change.t, end: change.t, to: Int(change.host)))
        }
        at = change.host
        open = nil
    }

    private mutating func trackDestination(of change: PlaceChange) {
        guard change.destination >= 0, change.destination != at else { return open = nil }
        if open?.to != change.destination { open = (change.t, change.destination) }
    }

    private mutating func endCurrentStay(at t: Int64) {
        stay?.end = t
        if let stay { stays.append(stay) }
        stay = nil
        at = -1
        open = nil
    }

    /// - Parameter gone: when it was deleted; nil: it was not.
    mutating func finishStays(goneAt gone: Int64?) {
        if let gone { endCurrentStay(at: gone) }
        if let stay { stays.append(stay) }
        stay = nil
        if stays.isEmpty, let waitingSince {
            stays.append(Stay(vm: vm, begin: waitingSince, end: gone, host: nil))
        }
    }
}
