// One host: its agent and all that the agent is doing about the VM, its ledger, and the VM's ferry-vmm.

import MigrationProtocol
import Model
import Ownership
import VMControl

/// The VM's ferry-vmm. Its own rule about a lost connection is the product's `Lifecycle`.
struct VMProcess: Hashable, Sendable {
    var lifecycle: Lifecycle
    /// The agent's connections have ended, and the process has not noticed yet.
    var hasLostAgent = false

    var isRunning: Bool { lifecycle.state == .running }
    var isReady: Bool { lifecycle.state == .paused && lifecycle.isSealed }
}

/// A migration to the other host, as its driver runs it.
struct OutgoingMigration: Hashable, Sendable {
    /// The connection to the ferry-vmm.
    static let control = ConnectionID(1)

    /// The number of the migration's name, which changes when it continues under another.
    var number: UInt8
    let epoch: Epoch
    let isRehearsal: Bool
    /// The machine, what is still to be done of its last answer, and what came of what was done.
    var loop: SourceLoop
    var connection: UInt8?
    /// The connection was lost, and no offer has been accepted since.
    var isLost = false
    /// Since that loss it has another name.
    var isRenamed = false
    /// A question was sent.
    var isAsking = false
    var isPaused = false
    /// The guest is paused for a rehearsal.
    var isTryingState = false
    var isCancelled = false
    /// A cancel is refused from here on.
    var isReleased = false
    var hasSentGo = false

    init(number: UInt8, epoch: Epoch, isRehearsal: Bool, loop: SourceLoop) {
        self.number = number
        self.epoch = epoch
        self.isRehearsal = isRehearsal
        self.loop = loop
    }
}

/// A migration from the other host, as its driver runs it.
struct IncomingSession: Hashable, Sendable {
    var loop: DestinationLoop
    /// Nil while its memory is kept without a connection.
    var connection: UInt8?
    var hasGuest = false
    /// Of the migration that was offered last.
    var number: UInt8 = 0
    var nextEpoch = Epoch.first
    /// Was read, and is held back until what an older connection left is out of the way.
    var offer: ReceivedOffer?
    /// The source has connected again.
    var isSuperseded = false

    init(loop: DestinationLoop, connection: UInt8) {
        self.loop = loop
        self.connection = connection
    }

    /// Its memory waits for another connection.
    var isSuspended: Bool {
        connection == nil && loop.nextAction == nil && loop.machine.parkedOffer != nil
    }
}

struct ReceivedOffer: Hashable, Sendable {
    let number: UInt8
    let epoch: Epoch
    let isRehearsal: Bool

    var message: MigrationOffer {
        FixedValues.makeMigrationOffer(number: number, inEpoch: epoch, isRehearsal: isRehearsal)
    }
}

/// How far an agent is with a handover whose outcome its ledger does not have.
enum Resolution: Hashable, Sendable {
    case idle
    case asking
    case writing(LedgerRecord)
    /// The record was written: what it means for the ferry-vmm comes next.
    case acting(Ownership)
}

/// What a starting agent still has to do.
enum StartAction: Hashable, Sendable {
    case write(LedgerRecord)
    case adopt(AdoptionDecision.Step)
}

struct HostState: Hashable, Sendable {
    enum Agent: Hashable, Sendable {
        case down
        case starting([StartAction])
        case up
    }

    /// Of the VM in the agent's inventory; its folder exists unless `absent`.
    enum Place: Hashable, Sendable {
        case absent
        case arriving
        case present
    }

    var isOn = true
    var agent = Agent.up
    var ledger: HostLedger
    var process: VMProcess?
    var place = Place.absent
    /// A ferry-vmm with this host's VM in it was killed, or went down with the host.
    var hasLostProcess = false
    /// None or one.
    var outgoing: [OutgoingMigration] = []
    var sessions: [IncomingSession] = []
    /// The migration whose guest may or may not be owned.
    var undecided: UInt8?
    /// Answered with `neverRan`: the undecided guest is discarded.
    var discardsUndecided = false
    var resolution = Resolution.idle
    /// A forced takeover was written: the guest is resumed next.
    var resumesAfterTakeover = false

    init(ledger: HostLedger) { self.ledger = ledger }

    var isUp: Bool { agent == .up }
    var isRunning: Bool { process?.isRunning ?? false }
    var mayRun: Bool { ledger.ownership?.mayRun ?? false }

    /// The agent does nothing about the VM and has nothing left to do about it by itself.
    var isAtRest: Bool {
        outgoing.isEmpty && sessions.isEmpty && resolution == .idle && undecided == nil
            && !resumesAfterTakeover && !(process?.hasLostAgent ?? false)
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
