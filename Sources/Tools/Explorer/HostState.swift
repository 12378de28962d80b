// One host: its agent and all that the agent is doing about the VM, its ledger, and the VM's ferry-vmm.

import MigrationProtocol
import Model
import Ownership
import VMControl

/// The VM's ferry-vmm. Its own rule about a lost connection is the product's `Lifecycle`.
struct Process: Hashable, Sendable {
    var lifecycle: Lifecycle
    /// The agent's connections have ended, and it has not noticed yet.
    var hasLostAgent = false

    var isRunning: Bool { lifecycle.state == .running }
    var isReady: Bool { lifecycle.state == .paused && lifecycle.isSealed }
}

/// One migration away, as its driver runs it.
struct Outgoing: Hashable, Sendable {
    /// The connection to the ferry-vmm.
    static let control = ConnectionID(1)

    /// Of its name, which changes when it goes on under another.
    var number: UInt8
    let epoch: Epoch
    let isRehearsal: Bool
    var machine: SourceMachine
    /// What is still to be done of its last answer, in this order.
    var actions: [SourceMachine.Action] = []
    /// What came of what was done.
    var events: [SourceMachine.Event] = []
    var connection: UInt8?
    /// The connection was lost, and no offer has been accepted since.
    var isLost = false
    /// Since that loss it has another name.
    var isRenamed = false
    /// A question is out.
    var isAsking = false
    var isPaused = false
    /// The guest stands still for a rehearsal.
    var isTrying = false
    var isCancelled = false
    /// A cancel is refused from here on.
    var isReleased = false
    var hasSentGo = false
}

/// One migration in, as its driver runs it.
struct Session: Hashable, Sendable {
    var machine: DestinationMachine
    var actions: [DestinationMachine.Action] = []
    var events: [DestinationMachine.Event] = []
    /// Nil while its memory is parked.
    var connection: UInt8?
    var hasGuest = false
    /// Of the migration that was offered last.
    var number: UInt8 = 0
    var nextEpoch = Epoch.first
    /// Read, and held back until what an older connection left is out of the way.
    var offer: Offer?
    /// The source has connected anew.
    var isSuperseded = false

    /// Its memory waits for another connection.
    var isParked: Bool {
        connection == nil && actions.isEmpty && machine.parkedOffer != nil
    }
}

struct Offer: Hashable, Sendable {
    let number: UInt8
    let epoch: Epoch
    let isRehearsal: Bool

    var message: MigrationOffer { Cast.offer(number, epoch, isRehearsal: isRehearsal) }
}

/// What an agent does about a VM whose ledger needs the other host's word.
enum Errand: Hashable, Sendable {
    case idle
    case asking
    case writing(LedgerRecord)
    /// Written: what it means for the ferry-vmm comes now.
    case acting(Ownership)
}

/// What a starting agent still has to do.
enum Beginning: Hashable, Sendable {
    case write(LedgerRecord)
    case adopt(AdoptionDecision.Step)
}

struct HostState: Hashable, Sendable {
    enum Agent: Hashable, Sendable {
        case down
        case starting([Beginning])
        case up
    }

    /// Of the VM in the agent's inventory; its folder is there unless `absent`.
    enum Place: Hashable, Sendable {
        case absent
        case arriving
        case present
    }

    var isOn = true
    var agent = Agent.up
    var ledger: HostLedger
    var process: Process?
    var place = Place.absent
    /// A ferry-vmm with this host's VM in it was killed, or went down with the host.
    var hasLostProcess = false
    /// None or one.
    var outgoing: [Outgoing] = []
    var sessions: [Session] = []
    /// The migration whose guest may or may not be owned.
    var undecided: UInt8?
    /// Answered with `neverRan`: the undecided guest goes.
    var discardsUndecided = false
    var errand = Errand.idle
    /// A forced takeover was written: the guest resumes next.
    var resumesByTakeover = false

    var isUp: Bool { agent == .up }
    var isRunning: Bool { process?.isRunning ?? false }
    var mayRun: Bool { ledger.ownership?.mayRun ?? false }

    /// The agent does nothing about the VM and owes it nothing, as far as it lies with this host.
    var isAtRest: Bool {
        outgoing.isEmpty && sessions.isEmpty && errand == .idle && undecided == nil
            && !resumesByTakeover && !(process?.hasLostAgent ?? false)
    }

    mutating func endProcess() { process = nil }

    /// What an agent finds when it starts.
    var remains: DiscoveredState {
        guard let process else { return place == .absent ? .nothing : .folder }
        switch process.lifecycle.state {
        case .incoming: return .incoming
        case .running: return .running
        case .paused: return .paused(isSealed: process.lifecycle.isSealed)
        case .stopped, .failed: return .folder
        }
    }
}
